"""Records of simulated races, as the worker would publish them."""

from __future__ import annotations

from functools import lru_cache

from races.analytics.commentary.commentator import Line
from races.analytics.engine import Derived, RaceAnalytics
from races.analytics.plausibility import Plan
from races.sim import Race, RaceSettings, load_season
from races.worker.records import KeyedRecord, entry_list, tick_records


@lru_cache(maxsize=8)
def race_records(
    circuit: str = "monza", seed: int = 1, laps: int = 12, pace: int = 12, metrics: bool = False
) -> tuple[KeyedRecord, ...]:
    race = Race(RaceSettings(circuit, laps, pace, seed))
    field = entry_list(f"{circuit}-{seed}", laps, load_season())
    records: list[KeyedRecord] = []
    while not race.over:
        tick = race.advance()
        records += tick_records(field, tick, 1_000_000 + tick.tick * 200, metrics)
    return tuple(records)


def engine_for(records: tuple[KeyedRecord, ...], anomaly: bool = False) -> RaceAnalytics:
    return RaceAnalytics(records[0].value["race_id"], anomaly=anomaly, plan=plan_for(records))


def plan_for(records: tuple[KeyedRecord, ...]) -> Plan:
    """The plan as the worker has it that publishes these records."""
    cars = [record.value for record in records if record.role == "positions"]
    instants = {car["tick"]: car["timestamp"] for car in cars}
    drivers = {car["driver_code"]: (car["driver_name"], car["team_name"]) for car in cars[:22]}
    return Plan(drivers, cars[0]["laps"], instants.get)


def derived_from(engine: RaceAnalytics, records: tuple[KeyedRecord, ...]) -> list[Derived]:
    return [derived for record in records for derived in engine.feed(record.role, record.value, record.key)]


@lru_cache(maxsize=8)
def lines_of(circuit: str, seed: int, laps: int = 12, pace: int = 12) -> tuple[Line, ...]:
    records = race_records(circuit, seed, laps, pace)
    return tuple(derived.line for derived in derived_from(engine_for(records), records) if derived.line)
