"""The race as its records have told it so far: the newest complete tick, and what a commentator remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
RUNNING = ("racing", "pit")


@dataclass(frozen=True, slots=True)
class Crossing:
    """A car at the end of a lap of its own. `interval_s` is to `ahead`; None for the leader."""

    lap: int
    tick: int
    position: int
    ahead: str
    interval_s: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """A visit to the pits: the lap, the order on the road when the car came in, and the place it held."""

    lap: int
    tick: int
    order: tuple[str, ...]
    stationary_s: float | None = None


class Race:
    """A fold over positions and race control. Cars are the position records of the newest complete tick."""

    def __init__(self) -> None:
        self.tick = -1
        self.cars: dict[str, Record] = {}
        self.order: tuple[str, ...] = ()
        self.leaders: list[tuple[int, str]] = []  # (leader's lap, who) at each change of the lead
        self.crossings: dict[str, list[Crossing]] = {}
        self.passes: dict[tuple[str, str], int] = {}  # (who, whom) -> tick of the newest pass
        self.pass_count: dict[str, int] = {}
        self.stops: dict[str, list[Stop]] = {}
        self.fastest: tuple[str, float] | None = None
        self.flag_since = 0
        self._coming: dict[str, Record] = {}
        self._coming_tick = -1

    @property
    def leader(self) -> Record:
        return self.cars[self.order[0]]

    @property
    def lap(self) -> int:
        """The leader's, never beyond the distance."""
        return int(min(self.leader["lap"], self.laps))

    @property
    def laps(self) -> int:
        return int(self.leader["laps"])

    @property
    def phase(self) -> str:
        return str(self.leader["phase"])

    @property
    def flag(self) -> str:
        return str(self.leader["flag"])

    def running(self) -> list[str]:
        """Codes in order of position, the retired left out."""
        return [code for code in self.order if self.cars[code]["status"] != "retired"]

    def at(self, position: int) -> Record:
        return self.cars[self.order[position - 1]]

    def add(self, record: Record) -> bool:
        """Take a position record; True when it completes a tick that is newer than the last one."""
        tick = record["tick"]
        if tick <= self.tick:
            return False
        if tick != self._coming_tick:
            self._coming, self._coming_tick = {}, tick
        self._coming[record["driver_code"]] = record
        if len(self._coming) < record["field_size"]:
            return False
        self._complete(tick)
        return True

    def _complete(self, tick: int) -> None:
        before, self.cars = self.cars, self._coming
        self._coming = {}
        if before and self.flag != before[self.order[0]]["flag"]:
            self.flag_since = tick
        self.tick = tick
        self.order = tuple(sorted(self.cars, key=lambda code: self.cars[code]["position"]))
        if not self.leaders or self.leaders[-1][1] != self.order[0]:
            self.leaders.append((self.lap, self.order[0]))
        for code, car in self.cars.items():
            if before and car["lap"] > before[code]["lap"] >= 1:
                self._cross(code, car)

    def _cross(self, code: str, car: Record) -> None:
        place = car["position"]
        ahead = self.order[place - 2] if place > 1 else ""
        crossing = Crossing(car["lap"] - 1, self.tick, place, ahead, car["interval_s"])
        self.crossings.setdefault(code, []).append(crossing)

    def heard(self, message: Record) -> None:
        """Take a race-control message."""
        kind, code = message["type"], message["driver_code"]
        if kind == "overtake":
            self.passes[code, message["other_code"]] = message["tick"]
            self.pass_count[code] = self.pass_count.get(code, 0) + 1
        elif kind == "fastest_lap" and message["value"]:
            self.fastest = (code, message["value"])
        elif kind == "pit_in":
            self.stops.setdefault(code, []).append(Stop(message["lap"], message["tick"], self.order))
