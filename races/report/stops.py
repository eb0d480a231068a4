"""Stops, and how each car came to its place: at the start, by stops, on the track. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from races.report.laps import Car
from races.report.story import Message

FINE_TICK_S = 1.0  # race time: beyond it a tick says too little of when a car entered the lane


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: how long the car stood and how long it was in the lane, in seconds of the race; None: not known."""

    code: str
    lap: int
    stood_s: float | None
    lane_s: float | None
    place_before: int
    place_after: int
    tick: int
    best: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """Places won (or lost, below zero) on the first lap, in the laps with a stop, and in all others."""

    code: str
    start: int
    stops: int
    track: int

    @property
    def total(self) -> int:
        return self.start + self.stops + self.track


def stops(control: Sequence[Message], tick_s: float) -> list[Stop]:
    """Returns all stops of cars that came out again, the shortest first. tick_s: race time of a tick."""
    entered: dict[str, Message] = {}
    found = []
    for message in control:
        code = message.driver_code
        if message.type == "pit_in":
            entered[code] = message
        elif message.type == "pit_out":
            before = entered.pop(code, None)
            lane = (message.tick - before.tick) * tick_s if before and tick_s <= FINE_TICK_S else None
            lap, place = (before.lap, before.position) if before else (message.lap, 0)
            found.append(Stop(code, lap, message.value, lane, place, message.position, message.tick))
    return sorted(found, key=lambda stop: (stop.stood_s is None, stop.stood_s or 0.0, stop.tick))


def moved(cars: Sequence[Car]) -> list[Moved]:
    """Returns where each car won and lost its places. A place that one wins another one loses."""
    found = []
    for car in cars:
        changes = {stint.first for stint in car.stints[1:]}
        stopped = changes | {lap - 1 for lap in changes}
        before, start, by_stops, on_track = car.grid, 0, 0, 0
        for point in car.points:
            won = before - point.position if before else 0
            if point.lap == 1:
                start += won
            elif point.lap in stopped:
                by_stops += won
            else:
                on_track += won
            before = point.position
        found.append(Moved(car.code, start, by_stops, on_track))
    return found
