"""The records of a simulated tick, for the topics. A pure function: every repetition gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from races.sim import CarState, Event, Season, Tick

Record = dict[str, Any]
LAST_PHASE = "over"
STOP_EVENT = 1_000_000  # above every ordinal that a race reaches


@dataclass(frozen=True, slots=True)
class KeyedRecord:
    role: str
    key: str
    value: Record


@dataclass(frozen=True, slots=True)
class EntryList:
    """The drivers of a race by code: what every one of its records repeats."""

    race_id: str
    laps: int
    names: dict[str, str]
    teams: dict[str, str]
    numbers: dict[str, int]


def entry_list(race_id: str, laps: int, season: Season) -> EntryList:
    drivers = season.drivers
    return EntryList(
        race_id,
        laps,
        {driver.code: driver.name for driver in drivers},
        {driver.code: driver.team for driver in drivers},
        {driver.code: driver.number for driver in drivers},
    )


def tick_records(entries: EntryList, tick: Tick, timestamp: int, metrics: bool) -> Iterator[KeyedRecord]:
    """The records of one tick: race control, then positions, then engine readings where metrics is set."""
    for event in tick.events:
        yield KeyedRecord("race_control", entries.race_id, _event(entries, tick, event, timestamp))
    for car in tick.cars:
        yield KeyedRecord("positions", entries.race_id, _position(entries, tick, car, timestamp))
    if metrics:
        laps = {car.driver_code: car.lap for car in tick.cars}
        for code, celsius in tick.temperatures.items():
            reading = {
                "team_name": entries.teams[code],
                "timestamp": timestamp,
                "engine_temperature": round(celsius, 2),
                "race_id": entries.race_id,
                "driver_code": code,
                "lap": laps.get(code, 0),
                "tick": tick.tick,
            }
            yield KeyedRecord("car_metrics", f"{entries.race_id}:{code}", reading)


def _event(entries: EntryList, tick: Tick, event: Event, timestamp: int) -> Record:
    return {
        "race_id": entries.race_id,
        "tick": tick.tick,
        "timestamp": timestamp,
        "type": event.type,
        "driver_code": event.driver_code,
        "lap": event.lap,
        "message": event.message,
        "event": event.event,
        "other_code": event.other_code,
        "position": event.position,
        "value": None if event.value is None else round(event.value, 3),
    }


def _position(entries: EntryList, tick: Tick, car: CarState, timestamp: int) -> Record:
    code = car.driver_code
    return {
        "driver_name": entries.names[code],
        "position": car.position,
        "timestamp": timestamp,
        "race_id": entries.race_id,
        "team_name": entries.teams[code],
        "speed": round(car.speed, 1),
        "driver_code": code,
        "driver_number": entries.numbers[code],
        "tick": tick.tick,
        "field_size": len(tick.cars),
        "phase": tick.phase,
        "lights": tick.lights,
        "flag": tick.flag,
        "yellow_sector": tick.yellow_sector,
        "race_time_s": round(tick.race_time_s, 3),
        "lap": car.lap,
        "laps": entries.laps,
        "lap_fraction": round(car.lap_fraction, 5),
        "gap_s": car.gap_s,  # the simulation rounds times to milliseconds
        "interval_s": car.interval_s,
        "laps_down": car.laps_down,
        "last_lap_s": car.last_lap_s,
        "best_lap_s": car.best_lap_s,
        "sector_1_s": car.sector_1_s,
        "sector_2_s": car.sector_2_s,
        "sector_3_s": car.sector_3_s,
        "tyre": car.tyre,
        "tyre_age": car.tyre_age,
        "stints": car.stints,
        "stops": car.stops,
        "pit": car.pit,
        "status": car.status,
        "grid": car.grid,
        "overtake_mode": car.overtake_mode,
        "events": len(tick.events),
    }


def red_flagged(tick: Tick) -> Tick:
    """The last tick of a race that was stopped: the field as it stands, and the red flag."""
    event = Event(
        type="red_flag",
        driver_code="",
        lap=max((car.lap for car in tick.cars), default=0),
        message="RED FLAG - RACE STOPPED",
        event=STOP_EVENT,
        other_code="",
        position=0,
        value=None,
    )
    return replace(tick, phase=LAST_PHASE, flag="red", events=(*tick.events, event))
