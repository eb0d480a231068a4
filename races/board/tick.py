"""Reads the records of one tick: what they say of all cars together, and of each."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import Any

from races.board.frames import CarFrame

BATTLE_S = 1.0
# Overtake mode lasts until the next detection; it is shown while there is somebody to use it on, which is over when
# the car ahead has gone into the pit or nobody may race.
MODE_OF_USE_S = 2.0
_head_of = itemgetter("timestamp", "phase", "lights", "flag", "yellow_sector", "race_time_s")


def common(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns a record whose flag, phase and time are those of most records; a forged one does not count."""
    heads = [_head_of(record) for record in records]
    if heads.count(heads[0]) * 2 > len(heads):
        return records[0]
    return records[heads.index(Counter(heads).most_common(1)[0][0])]


def within(car: dict[str, Any], seconds: float) -> bool:
    """Returns whether a car is within so many seconds of the car ahead, where a place can be fought for."""
    interval = car["interval_s"]
    racing = car["status"] == "racing" and car["phase"] == "race" and car["flag"] in ("green", "yellow")
    return racing and car["lap"] > 0 and interval is not None and 0 <= interval < seconds


def initials(name: str) -> str:
    """Makes a code for a driver that has none: the surname's first letters, as timing screens do."""
    letters = "".join(letter for letter in name.split()[-1:][0] if letter.isalpha()) if name.split() else ""
    return (letters or "CAR")[:3].upper()


def catching(ahead: CarFrame, car: CarFrame, flag: str) -> float | None:
    """Seconds by which a car's last lap was faster than that of the car ahead. None where a stop or a flag made
    the difference, or where they are not in the same lap."""
    both = (ahead, car)
    raced = flag == "green" and all(one["status"] == "racing" and one["tyre_age"] > 1 for one in both)
    if not raced or ahead["laps_down"] != car["laps_down"]:
        return None
    faster, slower = car["last_lap_s"], ahead["last_lap_s"]
    return None if faster is None or slower is None or car["lap"] <= 2 else round(slower - faster, 3)
