"""Faults of a car's cooling and of its sensor, drawn before the race: the ground truth for the detector.

They are never published. At most one in a car's race, on three to six cars of the field, and no size reaches
beyond what a hot engine in traffic reads by far: a fixed limit cannot find them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

FaultKind = Literal["leak", "blocked_radiator", "stuck_sensor", "spike"]
KINDS: tuple[FaultKind, ...] = ("leak", "blocked_radiator", "stuck_sensor", "spike")

# Below this a race has too few samples for a detector to have learnt anything when a fault begins.
SHORTEST_RACE_TICKS = 80


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What is wrong with one car from start_tick to end_tick, both included.

    size_c in degrees: the leak's rise at its end (a straight ramp; coolant does not come back, so the car
    stays there), the blocked radiator's rise in full traffic (less in clean air), the spike's signed height;
    0 for a stuck sensor, which repeats its last reading.
    """

    driver_code: str
    kind: FaultKind
    start_tick: int
    end_tick: int
    size_c: float


def schedule(seed: int, codes: Sequence[str], first_tick: int, last_tick: int) -> tuple[InjectedFault, ...]:
    """The faults of one race, whose lights go out at first_tick and which should end at about last_tick."""
    span = last_tick - first_tick
    if span < SHORTEST_RACE_TICKS or not codes:
        return ()
    draw = Random(f"faults {seed}")
    share = draw.uniform(3, 6) / 22
    cars = draw.sample(sorted(codes), max(1, round(share * len(codes))))
    faults = []
    for code in cars:
        kind = draw.choice(KINDS)
        start, length, size = 0.0, span, 0.0
        if kind == "leak":
            start, size = draw.uniform(0.12, 0.6), draw.uniform(7, 14)
        elif kind == "blocked_radiator":
            start, size = draw.uniform(0.12, 0.6), draw.uniform(7, 14)
            length = round(span * draw.uniform(0.2, 0.4))
        elif kind == "stuck_sensor":
            start, length = draw.uniform(0.12, 0.85), draw.randint(12, 60)
        else:
            start, length, size = draw.uniform(0.12, 0.95), draw.randint(2, 6), draw.uniform(6, 15)
            size *= draw.choice((1, 1, -1))
        begin = first_tick + round(span * start)
        end = min(begin + length - 1, last_tick)
        faults.append(InjectedFault(code, kind, begin, end, round(size, 1)))
    return tuple(faults)
