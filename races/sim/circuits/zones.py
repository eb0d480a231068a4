"""The stretches of a lap where cars pass and where they tow, read off the speeds of a flying lap.

Indices count the stations of the lap, equally spaced by distance, and wrap at the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SWING = 8.0  # m/s: smaller ups and downs are lifts, not corners
PASSING_STRAIGHT_M = 300.0
PASSING_BRAKING = 22.0  # m/s lost into the corner, 80 km/h
PASSING_MOST = 4
TOWING_STRAIGHT_M = 250.0
TOWING_FROM = 200 / 3.6  # m/s, where the air begins to matter


@dataclass(frozen=True, slots=True)
class Straight:
    """A pull out of one corner to the braking point and the slowest point of the next."""

    corner: int  # index of the slowest point before it
    braking: int
    apex: int
    length: float  # m, corner to braking point
    lost: float  # m/s, braking point to apex


def straights(speeds: Sequence[float], step: float) -> list[Straight]:
    """Every pull of the lap, in the order of driving from the slowest corner."""
    # indices of slowest and fastest points in turn, beginning and ending at the slowest of the lap
    n = len(speeds)
    first = speeds.index(min(speeds))
    found, candidate, rising = [first], first, True
    for k in range(first + 1, first + n + 1):
        change = speeds[k % n] - speeds[candidate % n]
        if (change > 0) == rising and change != 0:
            candidate = k
        elif abs(change) > SWING:
            found.append(candidate)
            candidate, rising = k, not rising
    turning_points = [*found, first + n] if rising is False else found
    n, points = len(speeds), turning_points
    return [
        Straight(a % n, b % n, c % n, (b - a) * step, speeds[b % n] - speeds[c % n])
        for a, b, c in zip(points[::2], points[1::2], points[2::2], strict=False)
    ]


def passing(pulls: Sequence[Straight], n: int) -> list[tuple[int, int]]:
    """Stretches where a car gets by: the last three quarters of a long pull, and the braking after it."""
    likely = [p for p in pulls if p.length >= PASSING_STRAIGHT_M and p.lost >= PASSING_BRAKING]
    ranked = sorted(likely or pulls, key=lambda p: p.lost * p.length, reverse=True)
    chosen = ranked[: PASSING_MOST if likely else 1]
    return sorted(((p.corner + ((p.braking - p.corner) % n) // 4) % n, p.apex) for p in chosen)


def towing(pulls: Sequence[Straight], speeds: Sequence[float], step: float) -> list[tuple[int, int]]:
    """Stretches fast and straight enough for a slipstream, up to the braking point."""
    n, found = len(speeds), []
    for pull in pulls:
        start = pull.corner
        while speeds[start] < TOWING_FROM and start != pull.braking:
            start = (start + 1) % n
        if ((pull.braking - start) % n) * step >= TOWING_STRAIGHT_M:
            found.append((start, pull.braking))
    return sorted(found)


def detection(pulls: Sequence[Straight], n: int) -> int:
    """The station where overtake mode measures the gap: entry of the corner that opens the pull over the line."""
    over_the_line = [p for p in pulls if p.corner > p.braking] or [max(pulls, key=lambda p: p.corner)]
    corner = over_the_line[0].corner
    return next(p.braking for p in pulls if p.apex == corner)
