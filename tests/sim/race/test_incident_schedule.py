"""Season, track, incidents and stops, each by itself."""

from random import Random
from statistics import mean

import pytest

from races.sim import RaceSettings
from races.sim.race.incident_schedule import schedule
from races.sim.race.start import line_up


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


def test_a_grand_prix_has_its_incidents() -> None:
    drawn = _drawn(53, 1.0)
    assert mean(safety for safety, _, _ in drawn) == pytest.approx(
        0.66, abs=0.08
    )  # 0.71, less those too close
    assert 0.5 < mean(virtual for _, virtual, _ in drawn) < 0.9
    assert 2.0 < mean(out for _, _, out in drawn) < 3.4


def test_a_short_race_gets_its_share() -> None:
    drawn = _drawn(12, 12 / 53)
    assert mean(safety for safety, _, _ in drawn) == pytest.approx(0.71 * 12 / 53, abs=0.05)
    assert mean(out for _, _, out in drawn) < 1.0


def test_no_safety_car_on_the_last_lap() -> None:
    cars = line_up(RaceSettings("monza", 5, 12, 1)).cars
    for seed in range(300):
        drawn = schedule([car.driver for car in cars], [car.team for car in cars], 6, 1.0, Random(seed))
        assert all(one.at < 4.5 for each in drawn for one in each if one.calls == "safety_car")
