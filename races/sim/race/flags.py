"""The flags that are out, and what they allow: state and questions. Race control sets it, everybody reads it."""

from collections.abc import Set
from dataclasses import dataclass, field

CONSUMPTION = {"safety_car": 0.25, "vsc": 0.5}  # of fuel and tyres
MODE_FROM_LAP = 2  # overtake mode
UNLAPPING = 1.2  # lap times of the reference, of a lapped car that may pass the safety car


@dataclass(slots=True)
class Queue:
    """The safety car on the road, with the field lining up behind it."""

    at: float  # its progress, in reference laps
    rate: float  # its progress a step
    # Lapped cars that may pass it, each with the number of laps that it was down when it was let by.
    waved: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Flags:
    flag: str = "green"
    # Each yellow sector with the step that clears it; the newest call is last.
    clear_at: dict[int, int] = field(default_factory=dict)
    # The lap time that everybody drives under a virtual or real safety car; 0 for racing speed.
    lap_s: float = 0.0
    queue: Queue | None = None
    queue_laps_left: int = 0  # counted at the leader's line
    mode_from_lap: int = MODE_FROM_LAP
    leading_lap: int = 1
    calls: int = 0  # so that an alarm knows whether it still means the present flag

    @property
    def yellow_sector(self) -> int:
        """The yellow sector that was called last; 0 for none."""
        return next(reversed(self.clear_at), 0)

    @property
    def neutralised(self) -> bool:
        return self.lap_s > 0.0

    @property
    def consumption(self) -> float:
        """Share of fuel and tyre wear that a lap takes under this flag."""
        return CONSUMPTION.get(self.flag, 1.0)

    def neutral_lap_s(self, car: int, reference_s: float) -> float:
        """Lap time of this car under a neutralisation; the queue behind the safety car slows it further."""
        return UNLAPPING * reference_s if self.queue and car in self.queue.waved else self.lap_s

    def mode_allowed(self, lap: int) -> bool:
        return self.flag in ("green", "yellow") and lap >= self.mode_from_lap

    def passing_allowed(self, sectors: Set[int]) -> bool:
        """Whether a pass through these sectors may begin: none of them may be yellow."""
        return not self.neutralised and sectors.isdisjoint(self.clear_at)
