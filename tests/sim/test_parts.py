"""Season, track, incidents and stops, each by itself."""

from random import Random
from statistics import mean, median

import pytest

from races.sim import MODEL_VERSION, RaceSettings, circuit_slugs, load_season
from races.sim.circuits.track import CLOSE, LINE, PIT_ENTRY, load_track
from races.sim.race.incident_schedule import schedule
from races.sim.race.pits import QUICKEST_S, stationary_s
from races.sim.race.start import line_up
from races.sim.settings import stream


def test_the_season_has_eleven_teams_of_two() -> None:
    season = load_season()
    assert len(season.teams) == 11
    teams = [driver.team for driver in season.drivers]
    assert sorted(teams) == sorted(2 * [team.name for team in season.teams])
    assert len({driver.code for driver in season.drivers}) == 22
    assert len({driver.number for driver in season.drivers}) == 22


def test_the_model_version_names_rules_and_data() -> None:
    rules, digest = MODEL_VERSION.split("-")
    assert rules.isdigit() and len(digest) == 8


def test_random_streams_depend_on_seed_and_name_only() -> None:
    assert stream(1, "grid").random() == stream(1, "grid").random()
    assert len({stream(seed, name).random() for seed in range(3) for name in ("a", "b")}) == 6


@pytest.mark.parametrize("slug", circuit_slugs())
def test_marks_divide_every_lap_in_order(slug: str) -> None:
    track = load_track(slug)
    assert track.timing_points[0] == 0.0 and track.kinds[0] & LINE
    assert all(
        b - a >= CLOSE * 0.2 for a, b in zip(track.timing_points, track.timing_points[1:], strict=False)
    )
    assert sum(track.stretch) == pytest.approx(1.0)
    assert sum(bool(kind & PIT_ENTRY) for kind in track.kinds) == 1
    assert any(track.zone) and 0.0 < track.towing_share < 1.0


def test_stops_take_two_to_three_seconds_and_sometimes_much_longer() -> None:
    car = line_up(RaceSettings("monza", 5, 12, 1)).cars[0]
    times = sorted(stationary_s(car) for _ in range(4000))
    assert times[0] >= QUICKEST_S
    assert 2.1 < median(times) < 3.0
    assert times[-40] > 1.3 * median(times)
    assert times[-1] < 9.0


def _drawn(laps: int, share: float, draws: int = 1500) -> list[tuple[int, int, int]]:
    """Safety cars, virtual ones and cars that drop out, of that many races."""
    cars = line_up(RaceSettings("monza", 5, 12, 1)).cars
    found = []
    for seed in range(draws):
        drawn = schedule([car.driver for car in cars], [car.team for car in cars], laps, share, Random(seed))
        incidents = [incident for each in drawn for incident in each]
        out = sum(incident.kind in ("accident", "failure", "garage") for incident in incidents)
        calls = [incident.calls for incident in incidents]
        found.append((calls.count("safety_car"), calls.count("vsc"), out))
    return found


def test_a_grand_prix_has_its_published_share_of_incidents() -> None:
    drawn = _drawn(53, 1.0)
    assert mean(safety for safety, _, _ in drawn) == pytest.approx(
        0.66, abs=0.08
    )  # 0.71, less those too close
    assert 0.2 < mean(virtual for _, virtual, _ in drawn) < 0.6
    assert 2.0 < mean(out for _, _, out in drawn) < 3.4


def test_a_short_race_gets_its_share() -> None:
    drawn = _drawn(12, 12 / 53)
    assert mean(safety for safety, _, _ in drawn) == pytest.approx(0.71 * 12 / 53, abs=0.05)
    assert mean(out for _, _, out in drawn) < 1.0


def test_no_safety_car_comes_on_the_last_lap() -> None:
    cars = line_up(RaceSettings("monza", 5, 12, 1)).cars
    for seed in range(300):
        drawn = schedule([car.driver for car in cars], [car.team for car in cars], 6, 1.0, Random(seed))
        assert all(one.at < 4.5 for each in drawn for one in each if one.calls == "safety_car")
