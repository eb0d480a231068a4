"""What goes wrong, drawn before the race with the published probabilities.

Heilmeier et al. 2020 fitted the number, start and duration of safety cars and virtual safety cars to the seasons
2014 to 2019; failures and accidents are by team and driver. A race shorter than a Grand Prix gets its share.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from races.sim.season import Driver, Team

SAFETY_CARS = (0.455, 0.413, 0.099, 0.033)  # probability of 0, 1, 2, 3 in a Grand Prix
SAFETY_CAR_STARTS = (0.364, 0.136, 0.136, 0.080, 0.193, 0.091)  # the first lap, then fifths of the race
SAFETY_CAR_LAPS = (0.0, 0.182, 0.25, 0.227, 0.193, 0.057, 0.068, 0.023)  # 1 to 8
VIRTUAL_LAPS = (0.479, 0.396, 0.021, 0.104)  # 1 to 4
VIRTUAL_AFTER_FAILURE = 0.41
TO_THE_GARAGE = 0.45  # of the failures: the car makes it to the pits
HARMLESS_ACCIDENTS = 0.4  # a race: out of the race, but off the track
SPINS, PUNCTURES = 1.1, 0.35  # a race, over the whole field
CONTACTS = 0.7  # on the opening lap: a damaged car that goes on to the pits
APART_LAPS = 6.0  # between the starts of two safety cars in a Grand Prix


@dataclass(frozen=True, slots=True)
class Incident:
    """kind: accident | failure | garage | spin | mistake | puncture; calls: safety_car | vsc | "" for a yellow flag."""

    at: float  # progress of the car
    kind: str
    calls: str = ""
    laps: int = 0  # of what it calls
    loss_s: float = 0.0
    turn: int = 0  # where a mistake is made


def schedule(
    drivers: Sequence[Driver], teams: Sequence[Team], laps: int, share: float, random: Random
) -> list[list[Incident]]:
    """Each driver's incidents, the next one last; teams: each driver's; share: this race's part of a Grand Prix."""
    accidents = [driver.accident for driver in drivers]
    drawn: list[tuple[int, Incident]] = []
    for at in _safety_car_starts(random, laps, share):
        duration = _duration(random, SAFETY_CAR_LAPS, laps)
        drawn.append((_pick(random, accidents), Incident(at, "accident", "safety_car", duration)))
    if random.random() < HARMLESS_ACCIDENTS * share:
        drawn.append((_pick(random, accidents), Incident(random.uniform(0.1, laps - 0.6), "accident")))
    for index, team in enumerate(teams):
        if random.random() < team.failure * share:
            at = random.uniform(0.2, laps - 0.6)
            duration = _duration(random, VIRTUAL_LAPS, laps)
            if random.random() < VIRTUAL_AFTER_FAILURE:
                incident = Incident(at, "failure", "vsc", duration)
            else:
                incident = Incident(at, "garage" if random.random() < TO_THE_GARAGE else "failure")
            drawn.append((index, incident))
    for _ in drivers:
        if random.random() < CONTACTS * share / len(drivers):
            drawn.append((_pick(random, accidents), Incident(random.uniform(0.02, 0.3), "puncture")))
        if random.random() < SPINS * share / len(drivers):
            spin = Incident(random.uniform(0.3, laps), "spin", loss_s=random.uniform(3.0, 14.0))
            drawn.append((_pick(random, accidents), spin))
        if random.random() < PUNCTURES * share / len(drivers):
            drawn.append((_pick(random, accidents), Incident(random.uniform(0.2, laps - 1.2), "puncture")))
    return [
        sorted((one for index, one in drawn if index == car), key=lambda incident: -incident.at)
        for car in range(len(drivers))
    ]


def _pick(random: Random, shares: Sequence[float]) -> int:
    sums = list(accumulate(shares))
    return min(bisect_right(sums, random.random() * sums[-1]), len(shares) - 1)


def _safety_car_starts(random: Random, laps: int, share: float) -> list[float]:
    """Laps at which the safety cars of this race come; the later of two that are too close is dropped."""
    wanted = []
    for _ in range(_pick(random, SAFETY_CARS)):
        if random.random() < share:
            fifth = _pick(random, SAFETY_CAR_STARTS)
            wanted.append(random.uniform(0.1, 0.9) if fifth == 0 else laps * (fifth - random.random()) / 5)
    found: list[float] = []
    for at in sorted(max(0.1, at) for at in wanted):
        if at < laps - 1.5 and (not found or at - found[-1] > APART_LAPS * share + 3.0):
            found.append(at)
    return found


def _duration(random: Random, shares: Sequence[float], laps: int) -> int:
    """Laps that a safety car stays out, at most a fifth of a short race."""
    return min(1 + _pick(random, shares), max(2, laps // 5))
