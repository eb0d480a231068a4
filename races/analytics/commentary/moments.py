"""Moments: what race control announces and what a tick shows by itself, each with its weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from races.analytics.alarms import Alarm
from races.analytics.commentary.race_state import Race, Record

BIG = 70
"""A moment of this weight or more has its line as soon as the last one is two seconds old."""
MIDDLING = 58
"""Below this weight a moment has to be more interesting than the stories there are."""
LAST_CHANCE = 110
"""A moment of this weight or more has its line at once: the race has no later tick."""
EARLY_FASTEST = 44
"""Weight of a fastest lap in the first half of the race: there will be better ones."""

_WEIGHTS = {
    "red_flag": LAST_CHANCE, "lights_out": 100, "chequered": 100, "safety_car": 95, "vsc": 88, "green": 86,
    "last_lap": 80, "safety_car_ending": 74, "yellow": 71, "vsc_ending": 62, "lapped_cars": 61,
    "fastest_lap": 60, "opening_lap": 52,
}  # fmt: skip
_ANY = 1000
_BY_PLACE = {  # (down to this place, weight); a retirement without a place names 0
    "overtake": ((1, 92), (2, 78), (3, 75), (6, 60), (10, 52), (14, 44), (_ANY, 36)),
    "retirement": ((0, 76), (10, 90), (_ANY, 76)),
    "off_track": ((1, 74), (3, 66), (6, 59), (10, 50), (_ANY, 40)),
    "pit_in": ((1, 72), (3, 61), (10, 44), (_ANY, 0)),
    "pit_out": ((1, 72), (3, 61), (10, 44), (_ANY, 0)),
}

SLOW_ONCE = ((3, 62), (10, 50), (_ANY, 40))
SLOW_AGAIN = ((3, 72), (10, 60), (_ANY, 50))


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened at a tick. A heavier moment comes before a lighter one."""

    kind: str
    tick: int
    weight: int
    message: Record


def announced(message: Record, race: Race) -> Moment | None:
    """The moment that a race-control message announces; None for a message that nobody needs to hear about."""
    kind = message["type"]
    if kind == "overtake" and race.was_ahead(message):
        kind = "opening_lap"
    weight = _WEIGHTS.get(kind, 0)
    if kind in _BY_PLACE:
        weight = next(weight for until, weight in _BY_PLACE[kind] if message["position"] <= until)
    if kind == "fastest_lap" and race.cars and 2 * race.lap <= race.laps:
        weight = EARLY_FASTEST  # there will be better ones
    return Moment(kind, message["tick"], weight, message) if weight else None


def alarm_raised(tick: int, alarm: Alarm, race: Race) -> Moment:
    """Returns the moment of an engine alarm. `value` of its message is the size in whole degrees."""
    code = alarm.key.rpartition(":")[2]
    place = race.cars[code]["position"] if code in race.cars else 0
    size = None if alarm.size_c is None else float(round(alarm.size_c))
    message = {"type": alarm.kind, "driver_code": code, "other_code": "", "position": place, "value": size}
    weight = 76 if alarm.severity == "critical" else 64 if place <= 10 else 60
    return Moment(alarm.kind, tick, weight, message)


def observed(race: Race) -> Iterator[Moment]:
    """What the newest tick itself shows: a lead that changed without a pass, and who comes home after the winner."""
    if len(race.leads) >= 2 and race.leads[-1].tick == race.tick and race.phase == "race":
        new, old = race.leads[-1].who, race.leads[-2].who
        if race.passes.get((new, old), -100) < race.tick - 5:
            yield _seen("lead", race, 82, new, old)
    podium = race.podium() if race.finished_now else []
    if any(code in race.finished_now for code in podium):
        yield _seen("podium", race, 85, race.order[0])
    for code in race.finished_now if not podium else []:
        if race.cars[code]["position"] in (2, 3):
            yield _seen("finish", race, 78, code)
    for code in race.crossed_now if race.phase == "race" else []:
        slow = race.slow_laps(code)
        if slow:
            place = race.cars[code]["position"]
            weights = SLOW_AGAIN if slow >= 2 else SLOW_ONCE
            yield _seen("slow_lap", race, next(weight for until, weight in weights if place <= until), code)
    if race.laps > 3 and race.lap_begun == race.laps - 1:
        yield _seen("penultimate_lap", race, 59, race.order[0])


def _seen(kind: str, race: Race, weight: int, code: str, other: str = "") -> Moment:
    place = race.cars[code]["position"]
    message = {"type": kind, "driver_code": code, "other_code": other, "position": place}
    return Moment(kind, race.tick, weight, message)
