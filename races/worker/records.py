"""From the simulation's ticks to the records of the topics. Pure, and the same bytes at every repetition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from races.sim import CarState, Event, Season, Tick

Record = dict[str, Any]
LAST_PHASE = "over"
STOP_EVENT = 1_000_000  # above every ordinal that a race reaches


@dataclass(frozen=True, slots=True)
class Addressed:
    role: str
    key: str
    value: Record


@dataclass(frozen=True, slots=True)
class Field:
    """What every record of a race repeats: who drives for whom."""

    race_id: str
    laps: int
    names: dict[str, str]
    teams: dict[str, str]
    numbers: dict[str, int]


def field_of(race_id: str, laps: int, season: Season) -> Field:
    drivers = season.drivers
    return Field(
        race_id,
        laps,
        {driver.code: driver.name for driver in drivers},
        {driver.code: driver.team for driver in drivers},
        {driver.code: driver.number for driver in drivers},
    )


def tick_records(field: Field, tick: Tick, timestamp: int, metrics: bool) -> Iterator[Addressed]:
    """Race control first, then positions, then engine readings (with the feature on)."""
    for event in tick.events:
        yield Addressed("race_control", field.race_id, _event(field, tick, event, timestamp))
    for car in tick.cars:
        yield Addressed("positions", field.race_id, _position(field, tick, car, timestamp))
    if metrics:
        laps = {car.driver_code: car.lap for car in tick.cars}
        for code, celsius in tick.temperatures.items():
            yield Addressed(
                "car_metrics",
                f"{field.race_id}:{code}",
                _metric(field, tick, code, laps.get(code, 0), celsius, timestamp),
            )


def _event(field: Field, tick: Tick, event: Event, timestamp: int) -> Record:
    return {
        "race_id": field.race_id,
        "tick": tick.tick,
        "timestamp": timestamp,
        "type": event.type,
        "driver_code": event.driver_code,
        "lap": event.lap,
        "message": event.message,
        "event": event.event,
        "other_code": event.other_code,
        "position": event.position,
        "value": _milli(event.value),
    }


def _position(field: Field, tick: Tick, car: CarState, timestamp: int) -> Record:
    code = car.driver_code
    return {
        "driver_name": field.names[code],
        "position": car.position,
        "timestamp": timestamp,
        "race_id": field.race_id,
        "team_name": field.teams[code],
        "speed": round(car.speed, 1),
        "driver_code": code,
        "driver_number": field.numbers[code],
        "tick": tick.tick,
        "field_size": len(tick.cars),
        "phase": tick.phase,
        "lights": tick.lights,
        "flag": tick.flag,
        "yellow_sector": tick.yellow_sector,
        "race_time_s": round(tick.race_time_s, 3),
        "lap": car.lap,
        "laps": field.laps,
        "lap_fraction": round(car.lap_fraction, 5),
        "gap_s": car.gap_s,  # these are whole milliseconds as the simulation tells them
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


def _metric(field: Field, tick: Tick, code: str, lap: int, celsius: float, timestamp: int) -> Record:
    return {
        "team_name": field.teams[code],
        "timestamp": timestamp,
        "engine_temperature": round(celsius, 2),
        "race_id": field.race_id,
        "driver_code": code,
        "lap": lap,
        "tick": tick.tick,
    }


def _milli(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def red_flagged(tick: Tick) -> Tick:
    """The tick at which somebody stopped the race: its last one, as it stands."""
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
