"""The race as its records show it so far: the newest complete tick, and what a commentator remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
SMOOTHING = 0.15
STOP_TICKS = 40  # within them a lost place is still owed to the stop
SETTLED_TICKS = 20
SLOW = 0.03
"""A lap that took this share of the best one more is a slow lap."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A car at the end of a lap of its own. `interval_s` is to `ahead`; None for the leader.

    `off_s` is what the lap took more than the car's best one, where it was a lap like others: all green, no pit lane,
    no mistake that race control named. None for any other lap.
    """

    lap: int
    tick: int
    position: int
    ahead: str
    interval_s: float | None
    off_s: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """A visit to the pits as it began: when, the order on the road, and the tyres that came in."""

    lap: int
    tick: int
    order: tuple[str, ...]
    tyre: str
    tyre_age: int


@dataclass(frozen=True, slots=True)
class Lead:
    """A driver who led, and since which tick."""

    tick: int
    lap: int
    who: str


class Race:
    """A fold over positions and race control. Cars are the position records of the newest complete tick."""

    def __init__(self) -> None:
        self.tick = -1
        self.cars: dict[str, Record] = {}
        self.order: tuple[str, ...] = ()
        self.leads: list[Lead] = []
        self.crossings: dict[str, list[Crossing]] = {}
        self.passes: dict[tuple[str, str], int] = {}  # (who, whom) -> tick of the newest pass
        self.pass_count: dict[str, int] = {}
        self.stops: dict[str, list[Stop]] = {}
        self.fastest: tuple[str, float] | None = None
        self.fastest_before: str | None = None
        self.home: list[str] = []  # who has taken the flag, in that order
        self.finished_now: list[str] = []
        self.lap_begun = 0  # by the leader, at this tick
        self.retired: list[tuple[int, str]] = []  # (tick, who)
        self.flags: list[str] = []
        self.racing_since = 0  # tick; behind a safety car nobody may pass, and being close means nothing
        self.green_since = 0  # tick; no flag at all
        self.crossed_now: list[str] = []
        self._disturbed: dict[str, int] = {}  # tick of the newest mistake, or the newest one in the pit lane
        self._pace = 0.0

    @property
    def leader(self) -> Record:
        return self.cars[self.order[0]]

    @property
    def lap(self) -> int:
        """The leader's lap, never beyond the distance."""
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

    def running(self) -> list[Record]:
        """Cars in order of position, the retired left out."""
        return [self.cars[code] for code in self.order if self.cars[code]["status"] != "retired"]

    def at(self, position: int) -> Record:
        return self.cars[self.order[position - 1]]

    def ahead_of(self, car: Record) -> Record | None:
        return self.at(car["position"] - 1) if car["position"] > 1 else None

    def led_before(self, code: str) -> bool:
        """Whether the driver led at some time before the present leader took over."""
        return any(lead.who == code for lead in self.leads[:-1])

    def turn(self, tick: int, cars: dict[str, Record]) -> None:
        """Makes a complete tick the present one. It must be later than the one before."""
        lap = self.lap if self.order else 0
        before, self.cars = self.cars, cars
        self.tick = tick
        self.order = tuple(sorted(self.cars, key=lambda code: self.cars[code]["position"]))
        self.lap_begun = self.lap if self.lap > lap else 0
        self.finished_now = [
            code for code in self.order if self.cars[code]["status"] == "finished" and code not in self.home
        ]
        self.home += self.finished_now
        if before and not self.lap_begun:
            # the share of a lap that the leader covers in a tick, smoothed over corners and straights
            moved = self.leader["lap_fraction"] - before[self.order[0]]["lap_fraction"]
            self._pace = self._pace + SMOOTHING * (moved - self._pace) if self._pace else max(moved, 0.0)
        if not self.flags or self.flags[-1] != self.flag:
            self.flags.append(self.flag)
        if self.flag in ("vsc", "safety_car"):
            self.racing_since = tick
        if self.flag != "green":
            self.green_since = tick
        if self.phase == "race" and (not self.leads or self.leads[-1].who != self.order[0]):
            self.leads.append(Lead(tick, self.lap, self.order[0]))
        self.crossed_now = []
        for code, car in self.cars.items():
            if car["pit"]:
                self._disturbed[code] = tick
            if code in before and car["lap"] > before[code]["lap"] >= 1:
                self.crossed_now.append(code)
                self.crossings.setdefault(code, []).append(self._crossing(code, car))

    def flag_near(self, ticks: int) -> bool:
        """Whether the leader, at the present speed, takes the flag within so many ticks."""
        to_line = 1.0 - float(self.leader["lap_fraction"])
        return self.phase == "race" and self.lap == self.laps and to_line <= ticks * self._pace

    def podium(self) -> list[str]:
        """The first three, once all of them have taken the flag. A lapped car may take it before them."""
        first = [car["driver_code"] for car in self.running()[:3]]
        return first if all(code in self.home for code in first) else []

    @property
    def settled(self) -> bool:
        """Whether the start is over, so that it says something who is near whom."""
        return self.lap >= 2 or (bool(self.leads) and self.tick - self.leads[0].tick > SETTLED_TICKS)

    @property
    def ticks_a_lap(self) -> int:
        return round(1 / self._pace) if self._pace else 0

    def _crossing(self, code: str, car: Record) -> Crossing:
        ahead = self.ahead_of(car)
        lap, earlier = car["lap"] - 1, self.crossings.get(code)
        began = earlier[-1].tick if earlier else self.tick
        undisturbed = began > max(self.green_since, self._disturbed.get(code, 0))
        off = car["last_lap_s"] - car["best_lap_s"] if undisturbed and car["last_lap_s"] else None
        return Crossing(
            lap,
            self.tick,
            car["position"],
            str(ahead["driver_code"]) if ahead else "",
            car["interval_s"],
            off,
        )

    def slow_laps(self, code: str) -> int:
        """How many of the car's newest laps in a row were ordinary ones, and slower than its best by SLOW of it."""
        best, slow = self.cars[code]["best_lap_s"], 0
        for crossing in reversed(self.crossings.get(code, [])):
            if crossing.off_s is None or crossing.off_s < SLOW * best:
                break
            slow += 1
        return slow

    def stopped_lately(self, code: str) -> bool:
        return any(self.tick - stop.tick <= STOP_TICKS for stop in self.stops.get(code, []))

    def usual_stops(self) -> int:
        """How many stops the middle one of the cars in the race has made."""
        stops = sorted(car["stops"] for car in self.running())
        return int(stops[len(stops) // 2]) if stops else 0

    def was_ahead(self, message: Record) -> bool:
        """Whether the driver was ahead already: overtakes of the opening lap are summed up at its end."""
        who, whom = (self.cars.get(message[name]) for name in ("driver_code", "other_code"))
        return who is None or whom is None or bool(who["position"] < whom["position"])

    def heard(self, message: Record) -> None:
        """Takes a race-control message in."""
        kind, code, tick = message["type"], message["driver_code"], message["tick"]
        if kind == "overtake" and not self.was_ahead(message):
            self.passes[code, message["other_code"]] = tick
            self.pass_count[code] = self.pass_count.get(code, 0) + 1
        elif kind == "fastest_lap" and message["value"]:
            self.fastest_before = self.fastest[0] if self.fastest else None
            self.fastest = (code, message["value"])
        elif kind in ("off_track", "yellow") and code:
            self._disturbed[code] = tick
        elif kind == "retirement":
            self.retired.append((tick, code))
        elif kind == "pit_in" and code in self.cars:
            car = self.cars[code]
            stop = Stop(message["lap"], tick, self.order, car["tyre"], car["tyre_age"])
            self.stops.setdefault(code, []).append(stop)
