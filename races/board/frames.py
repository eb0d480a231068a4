"""The shapes of the read model: a frame, its cars, notes and engine readings, and how records become notes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from hashlib import blake2s
from typing import Any, TypedDict

from races.analytics.alarm_frames import Sample
from races.board.race_info import CarInfo

Record = Mapping[str, Any]


class CarFrame(TypedDict):
    """One car at one tick; times in seconds, speeds in km/h. Marks: "purple", "green" or "".

    catching_s: by how much its last lap was faster than that of the car ahead, where both raced it. Times have
    their mark while they are news: for half a sector.
    """

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
    catching_s: float | None
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
    """One line of commentary or race control. `kind` is the record's type, `lap` the leader's lap at its instant.

    drivers: the codes of those of whom a line of commentary speaks; empty where nobody has said it.
    """

    id: str
    at: int
    kind: str
    code: str
    lap: int
    text: str
    drivers: list[str]


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


class Trace(TypedDict):
    """At most one sample a second of one car's engine, oldest first, each with its second."""

    samples: list[Sample]
    seconds: list[int]


class OwnStory(TypedDict):
    """The notes, newest first, and what the pit wall keeps in mind.

    pit_since: when the car entered the pit lane that it is in. stop: when it came out last, and how long it stood in
    seconds. fade: seconds that the newest lap lost on the best clean lap of its stint, and the number of that lap.
    """

    notes: list[Note]
    pit_since: int | None
    stop: tuple[int, float] | None
    fade: tuple[float, int] | None


def no_story() -> OwnStory:
    return {"notes": [], "pit_since": None, "stop": None, "fade": None}


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
    own: OwnStory


def blank_car(entry: CarInfo) -> CarFrame:
    """Returns the frame of a car that has sent nothing yet: it has no position."""
    nothing: list[float | None] = [None, None, None]
    return {
        "position": 0, "driver_code": entry.code, "driver_name": entry.name, "team_name": entry.team,
        "number": entry.number, "grid": 0, "gained": 0, "lap": 0, "lap_fraction": 0.0, "speed": 0.0,
        "gap_s": None, "interval_s": None, "laps_down": 0, "last_lap_s": None, "best_lap_s": None,
        "catching_s": None,
        "lap_mark": "", "best_mark": "", "sectors": nothing, "sector_marks": ["", "", ""],
        "best_sectors": nothing, "tyre": "", "tyre_age": 0, "stints": "", "stops": 0, "pit": False,
        "status": "racing", "battle": False, "average_speed_kmh": None, "overtake_mode": False,
    }  # fmt: skip


def event_of(record: Record) -> int:
    """Returns the number that, with its tick, identifies a race_control record: its ordinal, or a number below zero
    made from its fields where it has none. Without the tick, a forged record with the next ordinal would
    keep the true one out."""
    ordinal = record.get("event", -1)
    if isinstance(ordinal, int) and ordinal >= 0:
        return ordinal
    text = "\0".join(str(record[name]) for name in ("tick", "type", "driver_code", "lap", "message"))
    return -2 - int.from_bytes(blake2s(text.encode(), digest_size=4).digest()) // 2


def note_of_control(record: Record, before: int, laps: int) -> Note:
    """Makes a note of a race_control record. before: the leader's lap just before it; its own car may have begun the
    next one by it, such as the last of the race's laps."""
    lap = before and max(before, min(int(record["lap"]), laps))
    return Note(
        id=f"e{event_of(record)}t{record['tick']}", at=int(record["timestamp"]), kind=str(record["type"]),
        code=str(record["driver_code"]), lap=lap, text=str(record["message"]), drivers=[],
    )  # fmt: skip


def note_of_commentary(record: Record, lap: int, entered: Container[str]) -> Note:
    """Makes a note of a line of commentary. entered: the codes of the race's drivers; it can speak of nobody else."""
    return Note(
        id=str(record["id"]), at=int(record["timestamp"]), kind=str(record["type"]), code="", lap=lap,
        text=str(record["message"]), drivers=[code for code in record.get("drivers") or () if code in entered],
    )  # fmt: skip
