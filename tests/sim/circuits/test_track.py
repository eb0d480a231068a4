"""A lap cut by timing points."""

import pytest

from races.sim import circuit_slugs
from races.sim.circuits.track import CLOSE, LINE, PIT_ENTRY, load_track


@pytest.mark.parametrize("slug", circuit_slugs())
def test_timing_points_divide_every_lap(slug: str) -> None:
    track = load_track(slug)
    assert track.timing_points[0] == 0.0 and track.kinds[0] & LINE
    assert all(
        b - a >= CLOSE * 0.2 for a, b in zip(track.timing_points, track.timing_points[1:], strict=False)
    )
    assert sum(track.stretch) == pytest.approx(1.0)
    assert sum(bool(kind & PIT_ENTRY) for kind in track.kinds) == 1
    assert any(track.zone) and 0.0 < track.towing_share < 1.0
