"""The alarm rule on fields of cars whose forecast is the reading before."""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from races.analytics.alarms import EXCESS_C, HEAT_C, REPEATS, Alarm, AlarmRule

CODES = [f"C{number:02d}" for number in range(12)]
CAR = "race:C03"
TICK_MS = 200
Row = tuple[str, int, dict[str, Any]]


def row(code: str, tick: int, reading: float, forecast: float | None, flag: bool | None) -> Row:
    band = {"lower_bound": forecast and forecast - 2.5, "upper_bound": forecast and forecast + 2.5}
    record = {
        "team_name": "Team",
        "engine_temperature": reading,
        "is_anomaly": flag,
        "forecast_value": forecast,
    }
    return f"race:{code}", 1_000_000 + tick * TICK_MS, {**record, **band}


def race(
    ticks: int,
    off: Callable[[int], float | None] = lambda tick: 0.0,
    level: Callable[[int], float] = lambda tick: 112.0,
    seed: int = 1,
) -> list[Row]:
    """Rows of a field at a level; C03 is `off` degrees off it (None: its sensor sticks).

    The forecast is each car's reading before, flagged from 2.5 degrees: a forecaster as simple as can be.
    """
    draw, rows = Random(seed), []
    before = dict.fromkeys(CODES, level(0))
    for tick in range(ticks):
        for code in CODES:
            deviation = off(tick) if code == "C03" else 0.0
            truth = None if deviation is None else level(tick) + draw.gauss(0, 0.3) + deviation
            reading = before[code] if truth is None else round(truth, 2)
            rows.append(row(code, tick, reading, before[code], abs(reading - before[code]) > 2.5))
            before[code] = reading
    return rows


def alarms(rows: Iterable[Row]) -> list[Alarm]:
    """The last state of each alarm, in order of their start."""
    rule = AlarmRule()
    changes = [alarm for key, ts, record in rows for alarm in rule.feed(key, ts, record)] + rule.flush()
    newest = {(alarm.key, alarm.kind, alarm.start): alarm for alarm in changes}
    return sorted(newest.values(), key=lambda alarm: (alarm.start, alarm.key))


def tick_of(ts: int | None) -> float:
    return -1 if ts is None else (ts - 1_000_000) / TICK_MS


def test_normal_field_raises_nothing() -> None:
    assert alarms(race(400)) == []


@pytest.mark.parametrize(("size", "direction", "severity"), [(7, "high", "info"), (-12, "low", "warning")])
def test_flagged_jump_is_a_spike(size: float, direction: str, severity: str) -> None:
    (alarm,) = alarms(race(200, lambda tick: size if 100 <= tick < 104 else 0.0))
    assert (alarm.key, alarm.kind, alarm.direction, alarm.severity) == (CAR, "spike", direction, severity)
    assert (tick_of(alarm.start), tick_of(alarm.end)) == (100, 104)
    assert alarm.size_c == pytest.approx(abs(size), abs=1)


def test_small_flagged_deviation_is_none() -> None:
    rows = race(200, lambda tick: 3.5 if tick % 40 == 0 else 0.0)
    assert any(record["is_anomaly"] for _, _, record in rows)
    assert alarms(rows) == []


def test_unflagged_jump_is_no_spike() -> None:
    rows = race(200, lambda tick: 7.0 if 100 <= tick < 104 else 0.0)
    for _, _, record in rows:
        record["is_anomaly"] = False
    assert alarms(rows) == []


def test_slow_rise_is_overheating() -> None:
    (alarm,) = alarms(race(400, lambda tick: min(9.0, max(0.0, (tick - 100) / 20))))
    assert (alarm.key, alarm.kind, alarm.severity, alarm.direction) == (CAR, "overheating", "warning", "high")
    assert 160 < tick_of(alarm.start) < 220  # three degrees are reached at 160
    assert alarm.end is None
    assert alarm.size_c == pytest.approx(9, abs=1)


def test_overheating_ends_and_may_return() -> None:
    found = alarms(race(400, lambda tick: 8.0 if 100 <= tick < 160 or 260 <= tick < 320 else 0.0))
    assert [alarm.kind for alarm in found if alarm.kind != "spike"] == ["overheating", "overheating"]
    assert all(alarm.end is not None for alarm in found)


@pytest.mark.parametrize(
    ("level", "rise", "severity"), [(112, 8, "warning"), (112, 11, "critical"), (121, 8, "critical")]
)
def test_severity_of_heat(level: float, rise: float, severity: str) -> None:
    rows = race(300, lambda tick: min(rise, max(0, (tick - 80) / 10)), lambda tick: level)
    assert [alarm.severity for alarm in alarms(rows)] == [severity]


def test_whole_field_above_the_limit() -> None:
    found = alarms(race(200, level=lambda tick: min(133.0, 112 + tick / 5)))
    assert {alarm.key for alarm in found} == {f"race:{code}" for code in CODES}
    assert {(alarm.kind, alarm.severity) for alarm in found} == {("overheating", "critical")}


def test_repeated_reading_is_a_stuck_sensor() -> None:
    (alarm,) = alarms(race(300, lambda tick: None if 100 <= tick < 160 else 0.0))
    assert (alarm.key, alarm.kind, alarm.severity, alarm.direction) == (
        CAR,
        "stuck_sensor",
        "warning",
        "none",
    )
    assert tick_of(alarm.start) == 98 + REPEATS
    assert tick_of(alarm.end) == 160


@pytest.mark.parametrize(("samples", "severity"), [(16, "info"), (40, "warning")])
def test_stuck_sensor_becomes_a_warning(samples: int, severity: str) -> None:
    (alarm,) = alarms(race(300, lambda tick: None if 100 <= tick < 100 + samples else 0.0))
    assert (alarm.kind, alarm.severity) == ("stuck_sensor", severity)


def test_slow_cooling_is_no_overheating() -> None:
    """Retired, while a safety car lets the others cool down."""
    field = lambda tick: 112.0 - max(0.0, min(12.0, (tick - 100) / 5))  # noqa: E731
    assert alarms(race(200, lambda tick: max(0.0, min(6.0, (tick - 100) / 10)), field)) == []
    stays = alarms(race(200, lambda tick: max(0.0, min(12.0, (tick - 100) / 5)), field))
    assert [alarm.kind for alarm in stays] == ["overheating"], "a car that does not cool is told from it"


def test_stuck_while_field_cools_is_not_hot() -> None:
    cooling = lambda tick: 112.0 - max(0.0, min(12.0, (tick - 100) / 5))  # noqa: E731
    found = alarms(race(300, lambda tick: None if 100 <= tick < 180 else 0.0, cooling))
    assert [alarm.kind for alarm in found] == ["stuck_sensor"]


def test_safety_car_raises_nothing() -> None:
    def level(tick: int) -> float:
        return 100.0 if 150 <= tick < 220 else 112.0

    rows = race(400, level=level)
    assert any(record["is_anomaly"] for _, _, record in rows)
    assert alarms(rows) == []


def test_engine_off_raises_nothing() -> None:
    assert alarms(race(600, lambda tick: -min(60.0, max(0.0, (tick - 100) / 4)))) == []


def test_half_a_field_pitting_heats_nobody() -> None:
    """Twelve of twenty cars cool by ten degrees together, as when a safety car opens a cheap stop."""
    cars, draw = [f"race:P{number:02d}" for number in range(20)], Random(4)
    before: dict[str, float] = {}
    rows: list[Row] = []
    for tick in range(300):
        for number, key in enumerate(cars):
            cooled = max(0.0, min(10.0, (tick - 100) / 3, (200 - tick) / 3)) if number < 12 else 0.0
            reading = round(112.0 - cooled + draw.gauss(0, 0.3), 2)
            rows.append((key, tick * TICK_MS, row("", tick, reading, before.get(key, reading), False)[2]))
            before[key] = reading
    assert alarms(rows) == []


def test_pit_stop_raises_nothing() -> None:
    def off(tick: int) -> float:
        return -max(0.0, min(6.0, (tick - 100) / 2, (130 - tick) / 3))

    rows = race(300, off)
    assert min(record["engine_temperature"] for _, _, record in rows) < 108
    assert alarms(rows) == []


def test_short_spike_is_not_heat() -> None:
    found = alarms(race(300, lambda tick: 15.0 if 100 <= tick < 106 else 0.0))
    assert [alarm.kind for alarm in found] == ["spike"]


def test_lasting_jump_is_overheating() -> None:
    found = alarms(race(300, lambda tick: 9.0 if tick >= 100 else 0.0))
    assert [alarm.kind for alarm in found][:2] == ["spike", "overheating"]
    assert found[0].end is not None


def troubled() -> list[Row]:
    return race(260, lambda tick: 8.0 if 80 <= tick < 130 else (None if 170 <= tick < 200 else 0.0))


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_order_and_repeats_change_nothing(seed: int) -> None:
    rows, order = troubled(), Random(seed)
    shuffled = sorted([*rows, *rows[::7]], key=lambda row: row[1] + order.uniform(0, 8_000))
    assert alarms(shuffled) == alarms(rows)
    assert len(alarms(rows)) >= 2


def test_partitions_one_after_another() -> None:
    rows = troubled()
    part = {id(row): Random(f"{row[0]} {row[1]}").randrange(4) for row in rows}  # as a hash of the key does
    batches = [
        row
        for start in range(0, len(rows), 1000)
        for row in sorted(rows[start : start + 1000], key=lambda row: part[id(row)])
    ]
    assert batches != rows
    assert alarms(batches) == alarms(rows)


def test_silent_car_delays_others_once() -> None:
    rows = [
        r
        for r in race(600, lambda tick: 9.0 if tick >= 450 else 0.0)
        if not (r[0] == "race:C05" and r[1] > 1_020_000)
    ]
    rule, raised_at = AlarmRule(), []
    for key, ts, record in rows:
        raised_at += [(ts, alarm.start) for alarm in rule.feed(key, ts, record)]
    assert raised_at
    assert all(ts == start for ts, start in raised_at[:1])


def test_single_car_has_no_field() -> None:
    hot = [r for r in race(300, lambda tick: min(9.0, max(0.0, (tick - 100) / 10))) if r[0] == CAR]
    assert [alarm.kind for alarm in alarms(hot)] == []
    boiling = [r for r in race(300, lambda tick: min(22.0, max(0.0, (tick - 100) / 10))) if r[0] == CAR]
    assert {(alarm.kind, alarm.severity) for alarm in alarms(boiling)} == {("overheating", "critical")}


def test_bounds_do_without_forecast() -> None:
    rows = race(200, lambda tick: 14.0 if 100 <= tick < 103 else 0.0)
    for _, _, record in rows:
        record.update(forecast_value=None, lower_bound=100.0, upper_bound=120.0)
        record["is_anomaly"] = not 100 <= record["engine_temperature"] <= 120
    (alarm,) = alarms(rows)
    assert alarm.kind == "spike"
    assert alarm.size_c == pytest.approx(6, abs=1)


def test_both_engines_flags_alarm_alike() -> None:
    """Flink's rows: other fields beside, in bursts by partition, some of them twice."""
    written = [
        (
            key,
            ts,
            {
                **record,
                "actual_value": record["engine_temperature"],
                "aic": 12.5,
                "team_name": None,
                "rmse": None,
            },
        )
        for key, ts, record in troubled()
    ]
    bursts = [
        sorted(written[at : at + 900], key=lambda row: int(row[0][-2:]) % 3)
        for at in range(0, len(written), 900)
    ]
    twice = [row for burst in bursts for row in [*burst, *burst[-90:]]]
    assert alarms(twice) == alarms(troubled())
    assert {alarm.kind for alarm in alarms(twice)} >= {"overheating", "stuck_sensor"}


def original_row(ts: int, reading: float) -> Row:
    """What the older lab's own statement writes: anomalies only, by team, without forecast."""
    return "Ferrari", ts, {"team_name": "Ferrari", "engine_temperature": reading, "is_anomaly": True}


def test_flagged_run_is_one_alarm() -> None:
    rows = [original_row(ts, 118.0) for ts in (0, 10_000, 20_000, 120_000, 130_000)]
    found = alarms(rows)
    assert [(alarm.kind, alarm.severity, alarm.start, alarm.end) for alarm in found] == [
        ("flagged", "warning", 0, 20_000),
        ("flagged", "info", 120_000, 130_000),
    ]
    assert {alarm.direction for alarm in found} == {"none"}
    assert {alarm.size_c for alarm in found} == {None}


def test_flagged_run_shows_its_worst() -> None:
    rows = [original_row(ts, reading) for ts, reading in ((0, 118.0), (200, 131.0), (400, 121.0))]
    (alarm,) = alarms([(key, ts, row | {"upper_bound": 115.0}) for key, ts, row in rows])
    assert (alarm.size_c, alarm.reading, alarm.severity, alarm.end) == (16.0, 131.0, "critical", 400)


def test_flagged_run_ends_after_a_gap() -> None:
    rule = AlarmRule()
    rule.feed(*original_row(1000, 118.0))
    assert rule.reached(31_000, over=False) == []
    (ended,) = rule.reached(31_001, over=False)
    assert (ended.start, ended.end) == (1000, 1000)
    assert rule.reached(100_000, over=False) == []


def test_late_row_moves_the_end() -> None:
    rule = AlarmRule()
    rule.feed(*original_row(1000, 118.0))
    assert [alarm.end for alarm in rule.reached(5000, over=True)] == [1000]
    assert [(alarm.start, alarm.end) for alarm in rule.feed(*original_row(3000, 118.0))] == [(1000, 3000)]


@pytest.mark.parametrize("place", [0, 1, 500, 2000])
def test_year_2100_silences_no_alarm(place: int) -> None:
    rows = list(troubled())
    lie = (CAR, 4_102_444_800_000, rows[place][2] | {"engine_temperature": 112.0})
    assert alarms([*rows[:place], lie, *rows[place:]]) == alarms(rows)


def test_flagged_boiling_row_is_critical() -> None:
    assert [alarm.severity for alarm in alarms([original_row(0, 128.0)])] == ["critical"]


@pytest.mark.parametrize("reading", [None, float("nan"), float("inf"), "hot"])
def test_record_without_reading(reading: object) -> None:
    record: Mapping[str, Any] = {"engine_temperature": reading, "is_anomaly": True}
    assert AlarmRule().feed(CAR, 0, record) == []


def test_sum_of_heat_follows_the_rule() -> None:
    """Two degrees above EXCESS_C (the field's warm end is a quarter above its middle): ten samples make HEAT_C."""
    off = EXCESS_C + 2.25
    (alarm,) = alarms(race(300, lambda tick: off if tick >= 100 else 0.0, seed=3))[1:]
    assert HEAT_C / 2 - 4 <= tick_of(alarm.start) - 110 <= HEAT_C / 2 + 4
