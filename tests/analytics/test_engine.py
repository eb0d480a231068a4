"""The engine as a fold: the same records give the same result, however often and in whatever interleaving."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from races.analytics.engine import Derived, RaceAnalytics
from races.worker.records import KeyedRecord
from tests.analytics.simulated import derived_from, engine_for, race_records


@pytest.fixture(scope="module")
def records() -> tuple[KeyedRecord, ...]:
    return race_records("monaco", 4, laps=5, pace=30, metrics=True)


@pytest.fixture(scope="module")
def derived(records: tuple[KeyedRecord, ...]) -> list[Derived]:
    return derived_from(engine_for(records, anomaly=True), records)


def red_flag(tick: int) -> dict[str, object]:
    return {
        "race_id": "monaco-4", "tick": tick, "timestamp": 1_000_000 + tick * 200, "type": "red_flag", "driver_code": "",
        "lap": 1, "message": "", "event": 10**6, "other_code": "", "position": 0, "value": None,
    }  # fmt: skip


def test_all_three_analyses_come_out(derived: list[Derived]) -> None:
    assert {record.role for record in derived} == {"avg_speed", "commentary", "car_metrics_anomalies"}


def test_records_fit_their_topics(derived: list[Derived]) -> None:
    newest = {record.role: record for record in derived}
    race_id = "monaco-4"
    average, line, anomaly = (newest[role] for role in ("avg_speed", "commentary", "car_metrics_anomalies"))
    assert isinstance(average.key, dict)
    assert average.key.keys() == {"driver_name", "race_id"}
    assert average.value.keys() == {"avg_speed"}
    assert line.key is None
    assert line.value.keys() == {"id", "message", "timestamp", "type", "race_id", "drivers"}
    assert line.value["drivers"] is None or all(len(code) == 3 for code in line.value["drivers"])
    assert line.value["type"] in ("highlight", "warning", "info")
    assert line.value["id"].startswith(f"{race_id}:")
    assert isinstance(anomaly.key, dict)
    assert anomaly.key["ts"] == anomaly.timestamp
    assert anomaly.key["key"].startswith(f"{race_id}:")


def test_identities_are_unique(derived: list[Derived]) -> None:
    lines = [record.value["id"] for record in derived if record.role == "commentary"]
    readings = [str(record.key) for record in derived if record.role == "car_metrics_anomalies"]
    assert len(set(lines)) == len(lines)
    assert len(set(readings)) == len(readings)


def test_same_records_same_result(records: tuple[KeyedRecord, ...], derived: list[Derived]) -> None:
    assert derived_from(engine_for(records, anomaly=True), records) == derived


@settings(max_examples=15)
@given(st.floats(0, 1))
def test_takeover_changes_nothing(
    records: tuple[KeyedRecord, ...], derived: list[Derived], share: float
) -> None:
    cut = int(share * len(records))
    engine = engine_for(records, anomaly=True)
    before = derived_from(engine, records[:cut])
    assert before + derived_from(engine, records[cut:]) == derived


@settings(max_examples=10)
@given(st.integers(0, 2**32), st.floats(0.001, 0.2))
def test_repeated_records_change_nothing(
    records: tuple[KeyedRecord, ...], derived: list[Derived], seed: int, share: float
) -> None:
    chance = random.Random(seed)
    stuttering: list[KeyedRecord] = []
    for record in records:
        stuttering.append(record)
        if chance.random() < share:
            stuttering += stuttering[-chance.randint(1, 50) :]
    assert derived_from(engine_for(records, anomaly=True), tuple(stuttering)) == derived


@pytest.mark.parametrize(
    "order", [("race_control", "positions", "car_metrics"), ("car_metrics", "positions", "race_control")]
)
@pytest.mark.parametrize("ticks", [1, 20])
def test_interleaving_changes_nothing(
    records: tuple[KeyedRecord, ...], derived: list[Derived], order: tuple[str, ...], ticks: int
) -> None:
    """Topics are read side by side; after a pause one of them may come in for seconds before the other."""
    shuffled = sorted(records, key=lambda record: (record.value["tick"] // ticks, order.index(record.role)))
    found = derived_from(engine_for(records, anomaly=True), tuple(shuffled))
    for role in ("commentary", "avg_speed", "car_metrics_anomalies"):
        assert [d for d in found if d.role == role] == [d for d in derived if d.role == role]


def test_missing_race_control_is_survived(records: tuple[KeyedRecord, ...]) -> None:
    without = tuple(record for record in records if record.role != "race_control")
    lines = [record.line for record in derived_from(engine_for(records), without) if record.line]
    assert len(lines) >= 5
    assert "lights_out" not in {line.kind for line in lines}


def test_waiting_lines_can_be_given_up(records: tuple[KeyedRecord, ...]) -> None:
    engine = engine_for(records)
    derived_from(engine, tuple(record for record in records if record.role != "race_control"))
    assert engine.ended
    assert not engine.over
    engine.give_up_waiting()
    assert engine.over


def test_over_after_the_last_tick(records: tuple[KeyedRecord, ...]) -> None:
    last = records[-1].value["tick"]
    engine = engine_for(records)
    final = [record for record in records if record.value["tick"] == last and record.role == "positions"]
    derived_from(engine, tuple(record for record in records if record.value["tick"] < last))
    for record in final:
        assert not engine.over
        engine.feed(record.role, record.value | {"events": 1})
    assert not engine.over
    engine.feed("race_control", red_flag(last))
    assert engine.over


def test_other_races_are_ignored(records: tuple[KeyedRecord, ...]) -> None:
    assert derived_from(RaceAnalytics("another", anomaly=True), records) == []


def test_switched_off_is_not_made(records: tuple[KeyedRecord, ...]) -> None:
    engine = RaceAnalytics("monaco-4", anomaly=False, commentary=False)
    assert {record.role for record in derived_from(engine, records)} == {"avg_speed"}


def test_red_flag_gets_its_line(records: tuple[KeyedRecord, ...]) -> None:
    last = 60
    engine = engine_for(records)
    before = derived_from(engine, tuple(record for record in records if record.value["tick"] < last))
    engine.feed("race_control", red_flag(last))
    told = [
        derived.value["message"]
        for record in records
        if record.role == "positions" and record.value["tick"] == last
        for derived in engine.feed("positions", record.value | {"phase": "over", "flag": "red", "events": 1})
        if derived.role == "commentary"
    ]
    assert before
    assert len(told) == 1
    assert "red" in told[0].lower()
