"""The drawn track: corners' numbers that can be read, on every circuit."""

from __future__ import annotations

from dataclasses import replace
from math import dist

import pytest

from races.board.race_info import RaceInfo, TrackInfo
from races.live.rendering import track_map
from races.sim import circuit_slugs, load_circuit
from tests.live import synthetic


def info(slug: str) -> RaceInfo:
    circuit = load_circuit(slug)
    drawing = circuit.drawing
    track = TrackInfo(
        tuple(drawing.outline), tuple(drawing.pit_lane), circuit.pit.entry, circuit.pit.exit, circuit.sectors,
        circuit.corners, circuit.detection,
    )  # fmt: skip
    return replace(synthetic.info(), circuit=slug, track=track)


@pytest.mark.parametrize("slug", circuit_slugs())
def test_numbers_keep_off_the_track_and_each_other(slug: str) -> None:
    given = info(slug)
    outline, _ = track_map.fit(given.track.outline, given.track.pit)
    corners = track_map.corner_labels(given, outline, [])
    places = [(float(corner["x"]), float(corner["y"])) for corner in corners]
    assert len(corners) >= 0.65 * len(given.track.corners)
    assert all(dist(place, point) > 15 for place in places for point in outline)
    assert all(dist(a, b) > 20 for k, a in enumerate(places) for b in places[:k])


def test_a_race_of_an_earlier_version_is_drawn() -> None:
    """Its frozen track knows no corners and no detection point."""
    stored = info("monza").to_json()
    del stored["track"]["corners"], stored["track"]["detection"]
    drawn = track_map.track_map(RaceInfo.from_json(stored))
    assert "corner" not in drawn
    assert "detection" not in drawn
    assert 'class="arrow"' in drawn
