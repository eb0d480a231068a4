"""What each chart of a report shows, as the sentence above it. Pure: laps in, words out; empty where there is nothing
to find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from races.report.charts import TYRES, Spans, stop_laps
from races.report.laps import Car
from races.report.pace_charts import deltas, green_laps
from races.report.stops import Moved

TIMES = ("never", "once", "twice")


def findings(
    cars: Sequence[Car], chosen: Sequence[str], against: str, spans: Spans, moves: Sequence[Moved]
) -> dict[str, str]:
    """Returns the heading of each chart, by the chart's name. chosen, against: what the charts show."""
    return {
        "gaps": gaps_finding(cars, chosen),
        "trace": trace_finding(cars, chosen, against, spans),
        "wear": wear_finding(cars, spans),
        "stints": stints_finding(cars),
        "moved": moved_finding(moves),
    }


def gaps_finding(cars: Sequence[Car], chosen: Sequence[str]) -> str:
    """Tells of the own car, or else of the first one shown that did not win."""
    behind = [car for car in cars[1:] if car.code in chosen and car.points and car.points[-1].gap_s]
    car = next((one for one in behind if one.own), behind[0] if behind else None)
    if car is None:
        return ""
    known = [(point.gap_s or 0.0, point.lap) for point in car.points if point.gap_s is not None]
    (gap, lap), (most, worst) = known[-1], max(known)
    end = "at the end" if car.status == "finished" else f"on lap {lap}, its last,"
    first = f"{car.code} was {gap:.1f}\u00a0s behind the leader {end}"
    return (
        f"{first} and {most:.1f}\u00a0s at the most, on lap {worst}" if most - gap > 1 else first.rstrip(",")
    )


def trace_finding(cars: Sequence[Car], chosen: Sequence[str], against: str, spans: Spans) -> str:
    """Tells the lap on which the own car, or else the first one shown, lost the most on the reference; not one behind a
    safety car, on which everybody lost."""
    shown = [car for car in cars if car.code in chosen and car.code != against]
    car = next((one for one in shown if one.own), shown[0] if shown else None)
    if car is None:
        return ""
    held = {lap for _, first, last in spans for lap in range(first, last + 1)}
    pairs = pairwise(deltas(cars, against)[car.code])
    steps = [(two[1] - one[1], two[0]) for one, two in pairs if two[0] not in held]
    if not steps:
        return ""
    worst, lap = min(steps)
    if worst >= 0:
        best, lap = max(steps)
        return f"{car.code} lost nothing after the first lap, and gained the most on lap {lap}: {best:.1f}\u00a0s"
    stopped = stop_laps(car) | {before + 1 for before in stop_laps(car)}
    return f"{car.code} lost the most on lap {lap}: {-worst:.1f}\u00a0s{', with a stop' if lap in stopped else ''}"


def wear_finding(cars: Sequence[Car], spans: Spans) -> str:
    """Tells what one more lap on a set costs, by compound: the slope of the green laps within each stint."""
    words = []
    for tyre, name in TYRES.items():
        cost = slope(_sets(cars, spans, tyre))
        if cost is not None:
            words.append(f"{cost:+.2f}\u00a0s on {name}s".replace("-", "−"))
    return f"One more lap on the set: {', '.join(words)}" if words else ""


def _sets(cars: Sequence[Car], spans: Spans, tyre: str) -> list[list[tuple[int, float]]]:
    """Returns age and time of the green laps of each set of a compound."""
    sets: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for car in cars:
        for point in green_laps(car, spans):
            if point.tyre == tyre:
                laps = sets.setdefault((car.code, point.lap - point.tyre_age), [])
                laps.append((point.tyre_age, point.time_s or 0.0))
    return list(sets.values())


def slope(sets: Sequence[Sequence[tuple[int, float]]]) -> float | None:
    """Returns the common slope of several sets of points, each about its own mean: a fast car is no young tyre."""
    up = across = 0.0
    for points in sets:
        mean_x, mean_y = (fmean(axis) for axis in zip(*points, strict=True))
        up += sum((x - mean_x) * (y - mean_y) for x, y in points)
        across += sum((x - mean_x) ** 2 for x, _ in points)
    return up / across if across else None


def stints_finding(cars: Sequence[Car]) -> str:
    """Tells the commonest number of stops, and the commonest order of compounds among those who made it."""
    sets = [[TYRES.get(stint.tyre, stint.tyre) for stint in car.stints] for car in cars if car.stints]
    if not sets:
        return ""
    most, drivers = Counter(len(used) - 1 for used in sets).most_common(1)[0]
    if not most:
        return "Nobody stopped" if drivers == len(sets) else f"{drivers} of {len(sets)} cars never stopped"
    plans = Counter(tuple(used) for used in sets if len(used) - 1 == most)
    often = TIMES[most] if most < len(TIMES) else f"{most} times"
    return (
        f"{drivers} of {len(sets)} cars stopped {often}, most often {' to '.join(plans.most_common(1)[0][0])}"
    )


def moved_finding(moves: Sequence[Moved]) -> str:
    """Tells who won and who lost the most places."""
    best, worst = (found(row.total for row in moves) if moves else 0 for found in (max, min))
    if best <= 0 or worst >= 0:
        return ""
    up = [row.code for row in moves if row.total == best]
    down = [row.code for row in moves if row.total == worst]
    return f"{_named(up)} gained the most places, {best}; {_named(down)} lost the most, {-worst}"


def _named(codes: Sequence[str]) -> str:
    return " and ".join(codes) if len(codes) < 3 else f"{len(codes)} cars"
