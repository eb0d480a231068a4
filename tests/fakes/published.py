"""Checks on a whole race's published records."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from races.models import Race


def by_tick(records: list[dict[str, Any]]) -> dict[int, dict[str, set[bytes]]]:
    """tick -> driver -> every distinct record that was ever published for it."""
    found: dict[int, dict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for record in records:
        found[record["tick"]][record["driver_code"]].add(record["_bytes"])
    return found


def check_whole(race: Race, records: list[dict[str, Any]]) -> None:
    """Every tick from 0 without a gap, every car in each, no tick with two contents, the right event times."""
    ticks = by_tick([record for record in records if record["race_id"] == str(race.pk)])
    assert sorted(ticks) == list(range(len(ticks)))
    for cars in ticks.values():
        assert len(cars) == 22
        assert all(len(versions) == 1 for versions in cars.values())
    for record in records:
        if record["race_id"] == str(race.pk):
            assert record["_at"] == record["timestamp"] == race.event_ms(record["tick"])


def over(records: list[dict[str, Any]]) -> bool:
    return any(record["phase"] == "over" for record in records)
