"""Races between the lines: the figures' definitions, what lies outside is named, and a short sweep holds them."""

from math import sqrt
from statistics import mean, stdev

import pytest

from bench.studies import race_log, texture
from bench.studies.race_log import Figures, Lap, Log
from races.sim import circuit_slugs
from tests.fakes.engine import field_of

SWEEP = 72  # three Grands Prix on each circuit
STANDARD_ERRORS = 2.5  # of that many races' mean, by which chance may leave a band


def log_of(*laps: list[int]) -> Log:
    """Cars in the order of the first lap, with the times at the line in ms of each lap in turn."""
    log = Log(field_of(1, 4))
    for number, ends in enumerate(laps, start=1):
        found = [Lap(car, number, end - 60_000, end, ordinary=True) for car, end in enumerate(ends)]
        log.laps[number] = sorted(found, key=lambda lap: lap.end)
    return log


def real() -> list[Figures]:
    """One race that is everywhere where real ones are."""
    figures: Figures = {
        name: figure.mean if figure.p10 <= figure.mean <= figure.p90 else figure.p50
        for name, figure in texture.REAL.items()
    }
    figures |= {"_mates": 100.0, "_mate_same": 3.0, "_mate_next": 20.0}
    return [figures | {"_rivals": 100.0, "_rival_same": 9.0, "_rival_next": 25.0}]


def default() -> list[Figures]:
    return [{name: (low + high) / 2 for name, (low, high, _) in texture.SHORT.items()}]


def test_intervals_are_shares_of_all() -> None:
    found = race_log.spacing(log_of([0, 500, 1700, 9000], [60_000, 60_510, 61_700, 69_500]), 1)
    assert found["iv_pinned"] == pytest.approx(2 / 6)
    assert found["iv_lt1"] == pytest.approx(2 / 6)
    assert found["iv_1_2"] == pytest.approx(2 / 6)
    assert found["iv_gt5"] == pytest.approx(2 / 6)


def test_a_still_interval_is_one_pairs() -> None:
    """Two pairs stay within 1.5 s: the first changes by 10 ms, the second by 300."""
    found = race_log.spacing(log_of([0, 500, 1700], [60_000, 60_510, 62_000]), 1)
    assert found["still_share"] == pytest.approx(1 / 2)


def test_a_train_has_three_cars() -> None:
    found = race_log.spacing(log_of([0, 900, 1800, 3500, 4000]), 1)
    assert found["cars_in_trains3"] == pytest.approx(3 / 5)


def test_real_races_lie_within() -> None:
    assert texture.out_of_band(real(), default()) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("iv_lt1", 0.4, "iv_lt1 (median)"), ("iv_lt1", 0.13, "iv_lt1 (mean)"), ("_mate_same", 9.0, "teammate_same_lap")],
)  # fmt: skip
def test_what_lies_outside_is_named(name: str, value: float, said: str) -> None:
    races = real()
    races[0][name] = value
    assert texture.out_of_band(races, default()) == [said]


def test_a_default_race_outside_is_named() -> None:
    races = default()
    races[0]["most_in_lane"] = 7.0
    assert texture.out_of_band(real(), races) == ["default race most_in_lane"]


def test_a_default_race_is_measured() -> None:
    """A whole race, tick by tick, has every figure that the table shows."""
    found = texture.default_race(0)
    assert found.keys() == {*texture.SHORT, *texture.TOLD}
    assert found["stops"] and found["stops"] >= 15


@pytest.mark.full
def test_grands_prix_lie_among_real_ones() -> None:
    races = [texture.grand_prix(number) for number in range(SWEEP)]
    found = texture.summary(races)
    off = []
    for name, figure in texture.REAL.items():
        values = [value for race in races if (value := race[name]) is not None]
        spare = STANDARD_ERRORS * stdev(values) / sqrt(len(values))
        low, high = figure.seasons or (-1e9, 1e9)
        if not (
            figure.p10 <= found[name]["p50"] <= figure.p90 and low - spare <= mean(values) <= high + spare
        ):
            off.append(f"{name} {mean(values):.3f}")
    assert off == []
    assert texture.pooled(races, "teammate_same_lap") < 0.03
    assert 0.05 < texture.pooled(races, "rival_same_lap") < 0.13


@pytest.mark.full
def test_default_races_are_worth_watching() -> None:
    races = [texture.default_race(number) for number in range(2 * len(circuit_slugs()))]
    found = texture.summary(races)
    off = [
        f"{name} {found[name]['p50']:.2f}"
        for name, (low, high, _) in texture.SHORT.items()
        if not low <= found[name]["p50"] <= high
    ]
    assert off == [] and found["stop_laps"]["p50"] >= 5
