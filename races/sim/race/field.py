"""The moving state of a race: what every part of the engine reads and writes.

Motion is kept in flat lists indexed by car, because the step loop runs half a million times a race.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from random import Random

from races.sim.circuits.track import Track
from races.sim.race.car import RETIRED, Car
from races.sim.race.flags import Flags
from races.sim.race.tyres import TyreModel
from races.sim.records import Event
from races.sim.settings import STEP_S

FREE = -1e9  # hold of a car that nobody in front holds up
NOWHERE = 1e9  # due of a car that reaches no timing point any more

Alarm = tuple[Callable[..., None], tuple[object, ...]]


@dataclass(slots=True)
class Statistics:
    """What is counted of a race and never published; the benchmark compares it with real seasons."""

    passes: int = 0  # on the track, re-passes and all, without the first lap
    overtakes: int = 0  # of those, as Pirelli counts: held to the end of the passer's lap
    safety_cars: int = 0
    virtual: int = 0
    laps: list[tuple[int, int, int, bool]] = dataclass_field(default_factory=list)  # car, lap, ms, flying


class Field:
    """Progress is in reference laps since the line; negative on the grid."""

    def __init__(self, track: Track, laps: int, cars: list[Car], tyres: TyreModel, random: Random) -> None:
        count = len(cars)
        self.track, self.laps, self.cars, self.tyres = track, laps, cars, tyres
        self.random = random  # of what belongs to no car
        self.flags = Flags()
        self.order = sorted(range(count), key=lambda i: cars[i].grid)
        self.place = [0] * count  # index in order
        for n, i in enumerate(self.order):
            self.place[i] = n
        self.progress = [0.0] * count
        self.rate = [0.0] * count  # progress a step
        self.due = [0.0] * count  # where the next timing point is
        self.hold = [FREE] * count  # progress to keep behind the car ahead
        self.solid = [True] * count  # on the racing track: the next car queues behind it
        self.step = 0
        self.alarms: dict[int, list[Alarm]] = {}
        self.events: list[Event] = []
        self.ordinal = 0
        self.home: list[int] = []  # took the flag in this step
        self.winner = -1
        self.winner_ms = 0
        self.best: tuple[int, int] | None = None  # milliseconds and car of the fastest lap
        self.gap_lap_s = track.lap_s  # what a lap of distance is worth in published gaps
        self.scale = track.lap_s / 90.0  # of the figures given for a 90 s lap
        self.moved = False  # the order needs sorting
        self.box_free: dict[str, float] = {}  # team to the time its crew is ready
        # (car, who laps it) to how many laps, when last waved at
        self.lapped: dict[tuple[int, int], int] = {}
        self.statistics = Statistics()

    @property
    def time_s(self) -> float:
        """Race time at the end of the last whole step."""
        return self.step * STEP_S

    def at(self, seconds: float, act: Callable[..., None], *args: object) -> int:
        """Call act(*args) at the start of the step that holds now + seconds; which step that is."""
        step = self.step + max(1, int(seconds / STEP_S))
        self.alarms.setdefault(step, []).append((act, args))
        return step

    def tell(
        self,
        kind: str,
        message: str,
        car: Car | None = None,
        other: Car | None = None,
        position: int = 0,
        value: float | None = None,
    ) -> None:
        code, lap = (car.code, car.lap) if car else ("", self.leading_lap())
        other_code = other.code if other else ""
        self.events.append(Event(kind, code, lap, message, self.ordinal, other_code, position, value))
        self.ordinal += 1

    def retire(self, car: Car) -> None:
        """The car rolls to a halt beside the track within a few seconds; nobody queues behind it any more."""
        i = car.index
        car.state, car.mode, car.target = RETIRED, False, -1
        self.solid[i], self.hold[i], self.due[i] = False, FREE, NOWHERE
        for second in range(4):
            self.at(second, self._roll, i, 0.5 if second < 3 else 0.0)

        self.moved = True

    def _roll(self, i: int, factor: float) -> None:
        self.rate[i] *= factor

    def leading_lap(self) -> int:
        return min(self.laps, max(car.lap for car in self.cars))

    def ahead_on_track(self, i: int) -> int:
        """The next car up the order that is racing on the track; -1 for none."""
        n = self.place[i] - 1
        order, solid = self.order, self.solid
        while n >= 0:
            j = order[n]
            if solid[j]:
                return j
            n -= 1
        return -1

    def leader(self) -> int:
        """The first car that is still racing on the track, which a safety car picks up; -1 for none."""
        return next((i for i in self.order if self.solid[i]), -1)
