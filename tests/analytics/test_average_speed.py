from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.analytics.average_speed import TICKS_BETWEEN, AverageSpeed
from tests.analytics.simulated import derived_from, engine_for, race_records

speeds = st.lists(st.floats(0, 380, allow_nan=False), min_size=1, max_size=60)


def mean(series: list[float]) -> float:
    """The sum in the order of the records, as SQL's AVG has it: from Python 3.12 on `sum` rounds less."""
    return reduce(add, series) / len(series)


def record(
    tick: int, speed: float, driver: str = "Lando Norris", phase: str = "race", flag: str = "green"
) -> dict[str, object]:
    return {"driver_name": driver, "tick": tick, "speed": speed, "phase": phase, "flag": flag}


def by_sql(rows: Iterable[tuple[str, str, float]]) -> dict[tuple[str, str], float]:
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE positions (driver_name, race_id, speed REAL)")
        database.executemany("INSERT INTO positions VALUES (?, ?, ?)", rows)
        query = "SELECT driver_name, race_id, AVG(speed) FROM positions GROUP BY driver_name, race_id"
        return {(driver, race): average for driver, race, average in database.execute(query)}
    finally:
        database.close()


def test_last_averages_are_those_of_sql() -> None:
    records = race_records("monza", 1)
    written = {
        (derived.key["driver_name"], derived.key["race_id"]): derived.value["avg_speed"]
        for derived in derived_from(engine_for(records), records)
        if derived.role == "avg_speed" and isinstance(derived.key, dict)
    }
    rows = [r.value for r in records if r.role == "positions"]
    expected = by_sql((row["driver_name"], row["race_id"], row["speed"]) for row in rows)
    assert written.keys() == expected.keys()
    assert len(written) == 22
    for key, average in expected.items():
        assert written[key] == pytest.approx(average, rel=1e-12)


@given(speeds)
def test_every_record_counts_once(series: list[float]) -> None:
    average = AverageSpeed()
    for tick, speed in enumerate(series):
        average.feed(record(tick, speed, phase="grid" if tick < 5 else "race"))
        average.feed(record(tick, speed))
    assert average.of("Lando Norris") == mean(series)


@given(speeds)
def test_written_each_second_and_at_the_end(series: list[float]) -> None:
    average = AverageSpeed()
    last = len(series) - 1
    written = {
        tick: due
        for tick, speed in enumerate(series)
        if (due := average.feed(record(tick, speed, phase="over" if tick == last else "race"))) is not None
    }
    assert set(written) == {tick for tick in range(len(series)) if tick % TICKS_BETWEEN == 0} | {last}
    assert written[last] == mean(series)


def test_drivers_do_not_mix() -> None:
    average = AverageSpeed()
    average.feed(record(0, 100.0))
    average.feed(record(0, 300.0, driver="Oscar Piastri"))
    assert (average.of("Lando Norris"), average.of("Oscar Piastri")) == (100.0, 300.0)
    assert average.of("Nobody") is None


def test_stopped_race_ends_exactly() -> None:
    average = AverageSpeed()
    average.feed(record(0, 100.0))
    assert average.feed(record(1, 200.0, flag="red")) == 150.0
