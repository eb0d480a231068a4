"""How long the default race takes."""

import pytest

from races.sim import Race, circuit_slugs, default_laps
from tests.sim.races import run, settings


def test_the_default_race_fits_its_time() -> None:
    for slug in ("monza", "monaco", "spa"):
        race = Race(settings(11, default_laps(slug), circuit=slug, incidents=False))
        assert 75 <= len(run(race)) * 0.2 <= 100


@pytest.mark.full
@pytest.mark.parametrize("slug", circuit_slugs())
def test_the_default_race_fits_everywhere(slug: str) -> None:
    race = Race(settings(12, default_laps(slug), circuit=slug, incidents=False))
    assert 75 <= len(run(race)) * 0.2 <= 100
    assert abs(race.expected_ticks() * 0.2 - len(run(Race(race.settings))) * 0.2) < 8
