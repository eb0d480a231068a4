"""Which tyres when: each team's own calculation, before the race and whenever something changes it.

A team minimises the time it predicts for the laps left: the tyres' losses, which it knows only roughly, and the
pit stops. For a given order of compounds the best stint lengths are those whose last laps cost the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from races.sim.race.tyres import COLD_S, COMPOUNDS, TyreModel

TWO_COMPOUNDS_FROM = 5  # laps: below, a race is over before a stop could be made up
MOST_STOPS = 3
NEVER = 1e9
STANDING_S = 2.5  # that a team reckons with


@dataclass(frozen=True, slots=True)
class View:
    """How a team sees the race: the tyre model as it believes in it, for each compound; a stop's whole cost."""

    tyres: tuple[TyreModel, ...]
    stop_s: float
    two_compounds: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Stops as (laps from the plan's start, compound), and the time they are predicted to cost."""

    cost_s: float
    stops: tuple[tuple[int, int], ...]

    def shifted(self, laps: int) -> "Plan":
        return Plan(self.cost_s, tuple((lap + laps, compound) for lap, compound in self.stops))


ORDERS = tuple(tuple(product(range(len(COMPOUNDS)), repeat=stops)) for stops in range(MOST_STOPS + 1))


def _lengths(view: View, sequence: Sequence[int], laps: int, age: float) -> list[int]:
    """Whole stint lengths whose marginal laps cost the same; the first tyre is `age` old already."""
    slopes, starts = [], []
    for n, compound in enumerate(sequence):
        tyre = COMPOUNDS[compound]
        slopes.append(tyre.wear_s * view.tyres[compound].rate)
        starts.append(tyre.base_s + (tyre.wear_s * age if n == 0 else 0.0))
    level = (laps + sum(b / s for b, s in zip(starts, slopes, strict=True))) / sum(1 / s for s in slopes)
    found, end, exact = [], 0, 0.0
    for base, slope in zip(starts, slopes, strict=True):
        exact += max(0.0, (level - base) / slope)
        length = max(1, round(exact) - end)
        found.append(length)
        end += length
    found[-1] += laps - end
    return found


def _cost(view: View, sequence: Sequence[int], lengths: Sequence[int], age: float) -> float:
    total = (len(sequence) - 1) * (view.stop_s + COLD_S)
    for compound, length in zip(sequence, lengths, strict=True):
        total += view.tyres[compound].stint(compound, length, age)
        age = 0.0
    return total


def rest_of_race(view: View, laps: int, compound: int, age: float, used: int, most_stops: int = 2) -> Plan:
    """The best plan for the laps left on the tyre that is on the car; `used` is a bit mask of compounds."""
    best = Plan(NEVER, ())
    for stops in range(most_stops + 1):
        for later in ORDERS[stops]:
            mask = used
            for choice in later:
                mask |= 1 << choice
            if view.two_compounds and mask & (mask - 1) == 0:
                continue
            sequence = (compound, *later)
            lengths = _lengths(view, sequence, laps, age)
            if min(lengths) < 1:
                continue
            cost = _cost(view, sequence, lengths, age)
            if cost < best.cost_s:
                ends = [sum(lengths[: n + 1]) for n in range(stops)]
                best = Plan(cost, tuple(zip(ends, later, strict=True)))
    return best


def before_the_race(view: View, laps: int, start_s: Sequence[float]) -> tuple[int, Plan]:
    """Compound to start on, and the plan; start_s: what each compound costs off the line."""
    plans = [
        rest_of_race(view, laps, compound, 0.0, 1 << compound, MOST_STOPS)
        for compound in range(len(COMPOUNDS))
    ]
    first = min(range(len(plans)), key=lambda compound: plans[compound].cost_s + start_s[compound])
    return first, plans[first]


def stopping_now(view: View, laps: int, used: int, stop_s: float) -> tuple[int, Plan]:
    """The best tyre to take now for the laps left, at what a stop costs now, and the plan from there."""
    plans = [rest_of_race(view, laps, c, 0.0, used | 1 << c, 1) for c in range(len(COMPOUNDS))]
    choice = min(range(len(plans)), key=lambda compound: plans[compound].cost_s)
    return choice, Plan(plans[choice].cost_s + stop_s + COLD_S, plans[choice].stops)
