"""Tyre strategy: each team calculates its own, before the race and whenever something changes it.

A team minimises the time it predicts for the laps left: the tyres' losses, which it knows only roughly, and the
pit stops. For a given order of compounds the best stint lengths are those whose last laps cost the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from math import exp, fsum
from random import Random

from races.sim.race.tyres import COLD_S, COMPOUNDS, TyreModel

MOST_STOPS = 3
NEVER = 1e9
STANDING_S = 2.5  # that a team reckons with
OPINION_S = 0.8  # sigma of what a team believes of a whole plan
SHORTEST = 0.12  # share of a race that the shortest stint of a plan takes
INDIFFERENT_S = 6.0  # a lap that costs this much more than the best is e times less likely to be chosen


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


@dataclass(frozen=True, slots=True)
class Stints:
    """One way to the flag: the compounds in their order, how many laps each, and the time it is predicted to cost."""

    cost_s: float
    compounds: tuple[int, ...]
    lengths: tuple[int, ...]

    def plan(self) -> Plan:
        ends = accumulate(self.lengths[:-1])
        return Plan(self.cost_s, tuple(zip(ends, self.compounds[1:], strict=True)))


def before_the_race(view: View, laps: int, start_s: Sequence[float], random: Random) -> tuple[int, Plan]:
    """Compound to start on, and the plan; start_s: what each compound costs off the line.

    A team does not know its costs to the second: it takes one of the plans that look about as good as the best, and
    stops somewhere in the window in which the lap makes little difference.
    """
    candidates = [
        (stints.cost_s + start_s[compound] + random.gauss(0.0, OPINION_S), stints)
        for compound in range(len(COMPOUNDS))
        for stints in _ways(view, laps, compound, 0.0, 1 << compound, MOST_STOPS)
    ]
    _, chosen = min(candidates, key=lambda candidate: candidate[0])
    chosen = _somewhere_in_the_windows(view, chosen, random)
    return chosen.compounds[0], chosen.plan()


def rest_of_race(view: View, laps: int, compound: int, age: float, used: int, most_stops: int = 2) -> Plan:
    """The best plan for the laps left on the tyre that is on the car; `used` is a bit mask of compounds."""
    ways = _ways(view, laps, compound, age, used, most_stops)
    best = min(ways, key=lambda stints: stints.cost_s, default=None)
    return best.plan() if best else Plan(NEVER, ())


def stopping_now(view: View, laps: int, used: int, stop_s: float) -> tuple[int, Plan]:
    """The best tyre to take now for the laps left, at what a stop costs now, and the plan from there."""
    plans = [rest_of_race(view, laps, c, 0.0, used | 1 << c, 1) for c in range(len(COMPOUNDS))]
    choice = min(range(len(plans)), key=lambda compound: plans[compound].cost_s)
    return choice, Plan(plans[choice].cost_s + stop_s + COLD_S, plans[choice].stops)


def _ways(view: View, laps: int, compound: int, age: float, used: int, most_stops: int) -> Iterator[Stints]:
    """Every order of compounds from this tyre on, each with its best stint lengths."""
    for stops in range(most_stops + 1):
        for later in ORDERS[stops]:
            mask = used
            for choice in later:
                mask |= 1 << choice
            if view.two_compounds and mask & (mask - 1) == 0:
                continue
            sequence = (compound, *later)
            lengths = _lengths(view, sequence, laps, age)
            if min(lengths) >= 1:
                yield Stints(_cost(view, sequence, lengths, age), sequence, tuple(lengths))


def _lengths(view: View, sequence: Sequence[int], laps: int, age: float) -> list[int]:
    """Whole stint lengths whose marginal laps cost the same; the first tyre is `age` old already."""
    slopes, starts = [], []
    for n, compound in enumerate(sequence):
        tyre = COMPOUNDS[compound]
        slopes.append(tyre.wear_s * view.tyres[compound].rate)
        starts.append(tyre.base_s + (tyre.wear_s * age if n == 0 else 0.0))
    # fsum, because what sum() rounds differs between Pythons, and a seed has one race
    level = (laps + fsum(b / s for b, s in zip(starts, slopes, strict=True))) / fsum(1 / s for s in slopes)
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


def _somewhere_in_the_windows(view: View, stints: Stints, random: Random) -> Stints:
    """The same tyres with each stop moved: the likelier a lap, the less it is predicted to cost."""
    lengths = list(stints.lengths)
    least = max(2, round(SHORTEST * sum(lengths)))
    for n in range(len(lengths) - 1):
        here, there = (view.tyres[compound] for compound in stints.compounds[n : n + 2])
        both = lengths[n] + lengths[n + 1]
        laps = range(min(least, lengths[n]), both - min(least, lengths[n + 1]) + 1)
        costs = [
            here.stint(stints.compounds[n], lap) + there.stint(stints.compounds[n + 1], both - lap)
            for lap in laps
        ]
        cheapest = min(costs)
        weights = [exp((cheapest - cost) / INDIFFERENT_S) for cost in costs]
        lengths[n] = random.choices(laps, weights)[0]
        lengths[n + 1] = both - lengths[n]
    cost = _cost(view, stints.compounds, lengths, 0.0)
    return Stints(cost, stints.compounds, tuple(lengths))
