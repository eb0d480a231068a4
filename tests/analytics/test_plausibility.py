"""Well-formed records that cannot be true: refused, and what the honest ones give stays the same."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from races.analytics.engine import Derived, RaceAnalytics
from races.analytics.plausibility import Implausible
from races.streams.topics import TOPICS
from races.worker.records import KeyedRecord
from tests.analytics.simulated import derived_from, engine_for, plan_for, race_records

RACE = "monaco-4"
YEAR_2100 = 4_102_444_800_000
ROLES = ("positions", "race_control", "car_metrics")


@pytest.fixture(scope="module")
def records() -> tuple[KeyedRecord, ...]:
    return race_records("monaco", 4, laps=3, pace=60, metrics=True)


@pytest.fixture(scope="module")
def derived(records: tuple[KeyedRecord, ...]) -> list[Derived]:
    return derived_from(engine_for(records, anomaly=True), records)


LIES: dict[str, dict[str, Any]] = {
    "a field of one": {"field_size": 1, "position": 4, "lap": 2},
    "no field": {"field_size": 0},
    "a larger field": {"field_size": 23},
    "a place outside": {"position": 23},
    "no place": {"position": 0},
    "a place below": {"position": -40},
    "a grid below": {"grid": -40},
    "a stranger": {"driver_code": "QQQ"},
    "nobody": {"driver_code": ""},
    "another's code": {"driver_name": "Somebody Else"},
    "another team": {"team_name": "Somebody's"},
    "a later tick": {"tick": 10**6},
    "an earlier tick": {"tick": -1},
    "the year 2100": {"timestamp": YEAR_2100},
    "tick and instant of 2100": {"timestamp": YEAR_2100, "tick": (YEAR_2100 - 1_000_000) // 200},
    "no speed": {"speed": float("nan")},
    "endless speed": {"speed": float("inf")},
    "a gap that is none": {"interval_s": float("nan")},
    "a way that is none": {"lap_fraction": float("-inf")},
    "a lap beyond": {"lap": 10**9},
    "another distance": {"laps": 1},
    "a reading that is none": {"engine_temperature": float("nan")},
    "a value that is none": {"value": float("nan")},
}


FIELDS = {role: json.loads(TOPICS[role].value_schema)["fields"] for role in ROLES}
MAY_BE = ("no place", "nobody")  # in race control
CASES = [
    (role, lie)
    for role in ROLES
    for lie, changed in LIES.items()
    if changed.keys() <= {field["name"] for field in FIELDS[role]}
    and (role != "race_control" or lie not in MAY_BE)
]


@pytest.mark.parametrize(("role", "lie"), CASES)
def test_impossible_record_is_refused(
    records: tuple[KeyedRecord, ...], derived: list[Derived], role: str, lie: str
) -> None:
    changed = LIES[lie]
    true = next(record for record in records[len(records) // 2 :] if record.role == role)
    engine = engine_for(records, anomaly=True)
    found = derived_from(engine, records[: len(records) // 2])
    with pytest.raises(Implausible):
        engine.feed(role, true.value | changed, true.key)
    assert found + derived_from(engine, records[len(records) // 2 :]) == derived


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_lies_change_nothing(records: tuple[KeyedRecord, ...], derived: list[Derived], seed: int) -> None:
    chance = random.Random(seed)
    engine, found, refused = engine_for(records, anomaly=True), [], 0
    for record in records:
        if chance.random() < 0.05:
            name = chance.choice([*LIES])
            lie, could_be = LIES[name], record.role == "race_control" and name in MAY_BE
            if lie.keys() <= record.value.keys() and not could_be:
                try:
                    found += engine.feed(record.role, record.value | lie, record.key)
                except Implausible:
                    refused += 1
        found += engine.feed(record.role, record.value, record.key)
    assert refused > 5
    assert found == derived


WORDS = ["", "over", "race", "overtake", "pit_in", "retired", "finished", "NOR", "VER", "safety_car"]


def _values(type_: Any) -> st.SearchStrategy[Any]:
    if isinstance(type_, list):
        return st.one_of([_values(one) for one in type_])
    return {
        "string": st.text(max_size=12) | st.sampled_from(WORDS),
        "double": st.floats(),
        "boolean": st.booleans(),
        "null": st.none(),
        "int": st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 30),
        "long": st.integers(-(2**63), 2**63 - 1),
    }[type_]  # fmt: skip


def hostile(role: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any record that the topic's schema takes, whole or in some fields only."""
    return st.fixed_dictionaries(
        {}, optional={field["name"]: _values(field["type"]) for field in FIELDS[role]}
    )


ANY = st.lists(
    st.sampled_from(ROLES).flatmap(lambda role: st.tuples(st.just(role), hostile(role), st.integers(0))),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("planned", [True, False])
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(mixed=ANY, seed=st.integers(0, 2**32))
def test_only_implausible_is_raised(
    records: tuple[KeyedRecord, ...], planned: bool, mixed: list[tuple[str, dict[str, Any], int]], seed: int
) -> None:
    """Each is made of a true one, so that nothing but its content is wrong."""
    engine = RaceAnalytics(RACE, anomaly=True, plan=plan_for(records) if planned else None)
    chance = random.Random(seed)
    start = chance.randrange(len(records) - 400)
    by_role = {
        role: [record for record in records[start : start + 400] if record.role == role] for role in ROLES
    }
    for record in records[:start:7] if not planned else records[max(0, start - 200) : start]:
        engine.feed(record.role, record.value, record.key)
    for role, changed, _ in mixed:
        honest = chance.choice(by_role[role] or [r for r in records if r.role == role])
        kept = {
            name: value
            for name, value in changed.items()
            if name not in ("race_id",) and chance.random() < 0.4
        }
        with suppress(Implausible):
            engine.feed(role, honest.value | kept, honest.key)
    for record in records[start : start + 400]:
        with suppress(*([] if planned else [Implausible])):
            engine.feed(record.role, record.value, record.key)
