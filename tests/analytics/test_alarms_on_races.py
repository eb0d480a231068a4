"""The whole chain on modelled races: telemetry, detector, alarm rule, score. `bench anomalies` measures at length."""

from functools import cache
from statistics import median

import pytest

from races.analytics.alarms import Alarm, AlarmRule
from races.analytics.anomaly import AnomalyDetector
from races.analytics.score import Score, raised, score
from races.sim import Race, RaceSettings, circuit_slugs, default_laps

TICK_MS = 200


@cache
def examined(circuit: str, seed: int, faults: bool = True) -> tuple[Score, list[dict[str, float]]]:
    """The score of a default race, and its readings by tick."""
    race = Race(RaceSettings(circuit, default_laps(circuit), 12, seed, faults=faults))
    detector, rule = AnomalyDetector(), AlarmRule()
    alarms: list[Alarm] = []
    stopped: dict[str, int] = {}
    readings = []
    while not race.over:
        tick = race.advance()
        readings.append(dict(tick.temperatures))
        for code, reading in tick.temperatures.items():
            metric = {"team_name": "", "timestamp": tick.tick * TICK_MS, "engine_temperature": reading}
            record = detector.feed(f"race:{code}", metric)
            assert record is not None
            alarms += rule.feed(f"race:{code}", tick.tick * TICK_MS, record)
        for car in tick.cars:
            if car.status == "retired":
                stopped.setdefault(car.driver_code, tick.tick)
    alarms += rule.flush()
    ticks = {tick * TICK_MS: tick for tick in range(len(readings))}
    return score(raised(alarms, ticks), race.injected_faults(), stopped, len(readings) - 1), readings


RACES = [("monza", 1), ("monaco", 2), ("spa", 3), ("suzuka", 4), ("spielberg", 5)]


def test_faults_are_caught_few_false_alarms() -> None:
    total = sum((examined(*race)[0] for race in RACES), Score())
    assert len(total.findings) >= 12
    assert total.event_recall is not None and total.event_recall >= 0.75
    assert len(total.false_alarms) / len(RACES) <= 1.5


@pytest.mark.full
def test_recall_holds_over_many_races() -> None:
    total = sum((examined("monza", seed)[0] for seed in range(100, 130)), Score())
    assert total.event_recall is not None and total.event_recall >= 0.85
    assert len(total.false_alarms) / 30 <= 1


@pytest.mark.full
def test_recall_holds_on_all_circuits() -> None:
    slugs = circuit_slugs()
    total = sum((examined(slugs[seed % len(slugs)], seed)[0] for seed in range(100, 148)), Score())
    assert total.event_recall is not None and total.event_recall >= 0.85
    assert len(total.false_alarms) / 48 <= 1


def test_readings_keep_to_their_band() -> None:
    _, readings = examined("monza", 1, faults=False)
    racing = readings[100:-40]
    assert 105 < median(reading for tick in racing for reading in tick.values()) < 125
    assert max(reading for tick in racing for reading in tick.values()) < 127


def test_no_fixed_limit_would_do() -> None:
    """Hottest healthy readings lie above what half the overheating cars reach in the median of their fault."""
    overheating, healthy = [], []
    for circuit, seed in RACES:
        its, readings = examined(circuit, seed)
        faulty = {f.fault.driver_code: f.fault for f in its.findings}
        for code, fault in faulty.items():
            if fault.kind in ("leak", "blocked_radiator"):
                during = readings[fault.start_tick : fault.end_tick + 1]
                overheating.append(median(tick[code] for tick in during))
        healthy.append(max(tick[code] for tick in readings for code in tick if code not in faulty))
    assert len(overheating) >= 5
    assert sum(heat < max(healthy) for heat in overheating) >= len(overheating) / 2
