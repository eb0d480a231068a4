"""From records to the board's own shapes. A record is trusted only after its types were looked at:
anybody may write to a topic, and one odd value must not take the page down five times a second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2s
from math import isfinite
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple, TypedDict

from races.board.race_info import CarInfo

Record = Mapping[str, Any]


class BrokenRecord(ValueError):
    """A record that lacks what every reader may expect, or holds something else in its place."""


class CarFrame(TypedDict):
    """One car at one tick; times in seconds, speeds in km/h. Marks: "purple", "green", "yellow" or ""."""

    position: int
    driver_code: str
    driver_name: str
    team_name: str
    number: int
    grid: int
    gained: int
    lap: int
    lap_fraction: float
    speed: float
    gap_s: float | None
    interval_s: float | None
    laps_down: int
    last_lap_s: float | None
    best_lap_s: float | None
    lap_mark: str
    best_mark: str
    sectors: list[float | None]
    sector_marks: list[str]
    best_sectors: list[float | None]
    tyre: str
    tyre_age: int
    stints: str
    stops: int
    pit: bool
    status: str
    battle: bool
    average_speed_kmh: float | None
    overtake_mode: bool


class Note(TypedDict):
    """One line of commentary or race control. `kind` is the record's type; `key` orders and identifies."""

    id: str
    at: int
    kind: str
    code: str
    lap: int
    text: str


class Anomaly(TypedDict):
    """The newest reading of a car's engine and, when an alarm stands or stood, what the rule says of it."""

    ts: int
    reading: float
    forecast: float | None
    lower: float | None
    upper: float | None
    flag: bool
    flags: int
    alarm: dict[str, Any] | None
    alarms: int


class Sample(NamedTuple):
    reading: float
    forecast: float | None
    lower: float | None
    upper: float | None
    flagged: bool


class Trace(TypedDict):
    """At most one sample a second of one car's engine, oldest first, each with its second."""

    samples: list[Sample]
    seconds: list[int]


class Frame(TypedDict):
    """The whole board at one tick: plain data, ready for JSON. started: the instant of tick 0, which a tick's own
    instant doesn't tell once the race has waited.
    """

    race_id: str
    tick: int
    timestamp: int
    started: int
    race_time_s: float
    phase: str
    lights: int
    flag: str
    yellow_sector: int
    lap: int
    laps: int
    cars: list[CarFrame]
    fastest: dict[str, Any] | None
    best_sectors: list[float | None]
    commentary: list[Note]
    control: list[Note]
    anomalies: dict[str, Anomaly]
    traces: dict[str, Trace]


_TEXTS = ("driver_name", "race_id", "team_name")
_OPTIONAL_TEXTS = {
    "driver_code": "", "phase": "race", "flag": "green", "tyre": "", "stints": "", "status": "racing",
}  # fmt: skip
_WHOLES = {
    "driver_number": 0, "tick": -1, "field_size": 0, "lights": 0, "yellow_sector": 0, "lap": 0, "laps": 0,
    "laps_down": 0, "tyre_age": 0, "stops": 0, "grid": 0,
}  # fmt: skip
_TIMES = ("gap_s", "interval_s", "last_lap_s", "best_lap_s", "sector_1_s", "sector_2_s", "sector_3_s")
_KNOWN_DEFAULTS: dict[str, Any] = {
    **_OPTIONAL_TEXTS, **_WHOLES, **dict.fromkeys(_TIMES),
    "race_time_s": 0.0, "lap_fraction": 0.0, "pit": False, "overtake_mode": False,
}  # fmt: skip


def blank_car(entry: CarInfo) -> CarFrame:
    """A car of which nothing has been heard yet: it has no position."""
    nothing: list[float | None] = [None, None, None]
    return {
        "position": 0, "driver_code": entry.code, "driver_name": entry.name, "team_name": entry.team,
        "number": entry.number, "grid": 0, "gained": 0, "lap": 0, "lap_fraction": 0.0, "speed": 0.0,
        "gap_s": None, "interval_s": None, "laps_down": 0, "last_lap_s": None, "best_lap_s": None,
        "lap_mark": "", "best_mark": "", "sectors": nothing, "sector_marks": ["", "", ""],
        "best_sectors": nothing, "tyre": "", "tyre_age": 0, "stints": "", "stops": 0, "pit": False,
        "status": "racing", "battle": False, "average_speed_kmh": None, "overtake_mode": False,
    }  # fmt: skip


def _number(record: Record, name: str) -> float:
    value = record[name]
    if type(value) not in (float, int) or value - value != 0:  # not finite: inf - inf and nan - nan are nan
        raise BrokenRecord(name)
    return float(value)


_NUMBERS = ("speed", "race_time_s", "lap_fraction")
_wholes_of = itemgetter("position", "timestamp", *_WHOLES)
_texts_of = itemgetter(*_TEXTS, *_OPTIONAL_TEXTS)
_times_of = itemgetter(*_TIMES)
_numbers_of = itemgetter(*_NUMBERS)


def position_of(record: Record) -> dict[str, Any]:
    """The record with every known field present and of its type. Raises BrokenRecord.

    4,400 times a second with forty races, so fields are looked at together where nothing is wrong with them.
    """
    car = {**_KNOWN_DEFAULTS, **record}
    try:
        if set(map(type, _wholes_of(car))) != {int}:
            raise BrokenRecord("a whole number")
        if set(map(type, _texts_of(car))) != {str}:
            raise BrokenRecord("a text")
        _make_numbers(car)
    except KeyError as missing:
        raise BrokenRecord(str(missing)) from None
    # codes become parts of element ids and of space-separated lists
    if car["driver_code"] and not (car["driver_code"].isalnum() and len(car["driver_code"]) <= 8):
        raise BrokenRecord("driver_code")
    return car


def _make_numbers(car: dict[str, Any]) -> None:
    times, numbers = _times_of(car), _numbers_of(car)
    plain = set(map(type, times)) <= {float, NoneType} and set(map(type, numbers)) == {float}
    if plain and isfinite(sum(filter(None, times)) + sum(numbers)):
        return
    for name in (*_TIMES, *_NUMBERS):
        if car[name] is not None or name in _NUMBERS:
            car[name] = _number(car, name)


def event_of(record: Record) -> int:
    """With its tick a race_control record's identity within its race: its ordinal; of one without, a number below
    zero that follows from what it has. Without the tick, who guesses the next ordinal could keep out what has it."""
    ordinal = record.get("event", -1)
    if isinstance(ordinal, int) and ordinal >= 0:
        return ordinal
    text = "\0".join(str(record[name]) for name in ("tick", "type", "driver_code", "lap", "message"))
    return -2 - int.from_bytes(blake2s(text.encode(), digest_size=4).digest()) // 2


def note_of_control(record: Record) -> Note:
    """A race_control record as a note."""
    return Note(
        id=f"e{event_of(record)}t{record['tick']}", at=int(record["timestamp"]), kind=str(record["type"]),
        code=str(record["driver_code"]), lap=int(record["lap"]), text=str(record["message"]),
    )  # fmt: skip


def note_of_commentary(record: Record) -> Note:
    return Note(
        id=str(record["id"]), at=int(record["timestamp"]), kind=str(record["type"]), code="", lap=0,
        text=str(record["message"]),
    )  # fmt: skip


def millis(value: Any) -> int:
    """Epoch milliseconds from a long or from the datetime that Avro's timestamp-millis decodes to."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return int(value)


def optional_number(record: Record, name: str) -> float | None:
    return None if record.get(name) is None else _number(record, name)
