"""Charts of pace: race trace, lap times, green laps by the age of the tyres, speed along the lap of two cars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from math import ceil, floor

from races.board.race_info import Point as Place
from races.live.rendering.formatting import NONE, lap_time
from races.live.rendering.track_map import HEIGHT, WIDTH, fit
from races.report.charts import (
    FOOT,
    TOP,
    TYRES,
    Spans,
    ends_of,
    lap_axis,
    line_kind,
    neutral_bands,
    own_last,
    stop_laps,
    unbroken,
)
from races.report.laps import Car, Point
from races.report.svg import chart, dot, labels, line, nice_step, rule, text

TRACE_HIGH, TIMES_HIGH, SPEED_HIGH = 300, 240, 200
SLOW = 1.04  # of the best lap: what is slower is no lap of pace
MANY_LAPS = 30  # beyond them dots would cover the lines
DOT_PX = (3.5, 1.5)  # their radius, and where there are many laps
STOP_PX = 12  # from one car's stops to the next one's, at the upper edge
Bins = Sequence[float | None]


def green_laps(car: Car, spans: Spans) -> list[Point]:
    """Returns the laps that tell of pace: not the first, none with a stop, none behind a safety car."""
    neutral = {lap for _, first, last in spans for lap in range(first, last + 1)}
    stops = stop_laps(car)
    stops |= {lap + 1 for lap in stops}
    return [
        point for point in car.points if point.time_s and point.lap > 1 and point.lap not in neutral | stops
    ]


def deltas(cars: Sequence[Car], against: str) -> dict[str, list[tuple[int, float]]]:
    """Returns each car's lead over a reference at the end of each lap, in seconds, by code.

    against: a driver's code; or "average", a car that drives the winner's average lap all race long.
    """
    winner = cars[0] if cars else None
    crossed = {
        point.lap: point.crossed_s
        for car in cars
        for point in car.points
        if car.code == against and point.crossed_s is not None
    }
    if not crossed and winner and winner.points and winner.points[-1].crossed_s:
        mean = winner.points[-1].crossed_s / winner.points[-1].lap
        crossed = {point.lap: mean * point.lap for car in cars for point in car.points}
    return {
        car.code: [
            (point.lap, crossed[point.lap] - point.crossed_s)
            for point in car.points
            if point.crossed_s is not None and point.lap in crossed
        ]
        for car in cars
    }


def trace_chart(cars: Sequence[Car], chosen: Sequence[str], against: str, laps: int, spans: Spans) -> str:
    """Draws the race trace: how far each chosen car is ahead of the reference at each line."""
    all_deltas = deltas(cars, against)
    shown = [car for car in cars if car.code in chosen]
    values = [value for car in shown for _, value in all_deltas[car.code]]
    if not values:
        return ""
    high, low = max(*values, 0.5), min(*values, -0.5)

    def y(value: float) -> float:
        return TOP + (TRACE_HIGH - TOP) * (high - value) / (high - low)

    lines = ""
    for car in own_last(shown):
        known = dict(all_deltas[car.code])
        for stretch in unbroken([point for point in car.points if point.lap in known]):
            lines += line([(p.lap / laps, y(known[p.lap])) for p in stretch], line_kind(car), car.colour)
    step = nice_step(high - low)
    ticks = [step * n for n in range(int(low / step), int(high / step) + 1)]
    left = labels(
        ((y(tick) + 4, f"{tick:+g} s" if tick else "even", "") for tick in ticks), TRACE_HIGH + FOOT, "left"
    )
    ends = sorted(
        ((y(all_deltas[car.code][-1][1]), car) for car in shown if all_deltas[car.code]),
        key=lambda end: end[0],
    )
    marks = "".join(rule(y(tick)) for tick in ticks)
    marks += neutral_bands(spans, laps, TRACE_HIGH) + lap_axis(laps, TRACE_HIGH)
    title = f"Race trace of {', '.join(car.code for car in shown)} against {_name(against)}."
    axes = ("lap", f"seconds ahead of {_name(against)}")
    codes = [car.code for car in shown]
    return chart(title, TRACE_HIGH + FOOT, left, ends_of(ends, TRACE_HIGH), lines, marks, axes, laps, codes)


def _name(against: str) -> str:
    return "the winner's average" if against == "average" else against


def times_chart(cars: Sequence[Car], laps: int, spans: Spans) -> str:
    """Draws the green laps of some cars: what is no lap of pace is a gap in the line, and a stop a mark at its lap."""
    green = {car.code: green_laps(car, spans) for car in cars}
    times = [point.time_s or 0.0 for found in green.values() for point in found]
    if not times:
        return ""
    step = nice_step(max(min(max(times), min(times) * SLOW) - min(times), 0.5))
    low = floor(min(times) / step)
    high = max(ceil(min(max(times), min(times) * SLOW) / step), low + 1)

    def y(seconds: float) -> float:
        return TIMES_HIGH - (TIMES_HIGH - TOP) * min((seconds / step - low) / (high - low), 1.0)

    lines = marks = ""
    for row, car in enumerate(own_last(cars)):
        for stretch in unbroken(green[car.code]):
            lines += line([(p.lap / laps, y(p.time_s or 0.0)) for p in stretch], line_kind(car), car.colour)
        for point in green[car.code]:
            title = f"{car.code}, lap {point.lap}: {lap_time(point.time_s)}"
            marks += dot(
                point.lap / laps, y(point.time_s or 0.0), "mark", car.colour, title, DOT_PX[laps > MANY_LAPS]
            )
        marks += "".join(
            text(lap / laps, TOP + STOP_PX * row, f"▼ {car.code}", "stop") for lap in sorted(stop_laps(car))
        )
    ticks = [step * n for n in range(low, high + 1)]
    left = labels(((y(tick) + 4, lap_time(tick)[:-2], "") for tick in ticks), TIMES_HIGH + FOOT, "left")
    last = [(y(found[-1].time_s or 0.0), car) for car in cars if (found := green[car.code])]
    ends = ends_of(sorted(last, key=lambda end: end[0]), TIMES_HIGH)
    ground = "".join(rule(y(tick)) for tick in ticks)
    ground += neutral_bands(spans, laps, TIMES_HIGH) + lap_axis(laps, TIMES_HIGH)
    title = f"Green laps of {', '.join(car.code for car in cars)}; the best of them {lap_time(min(times))}."
    axes, codes = ("lap", "lap time"), [car.code for car in cars]
    return chart(title, TIMES_HIGH + FOOT, left, ends, lines, ground + marks, axes, laps, codes)


def wear_table(cars: Sequence[Car], spans: Spans) -> list[list[str]]:
    """Returns a row for each age of the tyres: the age, and the mean green lap of each compound."""
    found = [point for car in cars for point in green_laps(car, spans)]
    means = [
        dict(_means((point.tyre_age, point.time_s or 0.0) for point in found if point.tyre == tyre))
        for tyre in TYRES
    ]
    ages = sorted({age for by_age in means for age in by_age})
    return [[str(age), *(lap_time(by_age.get(age)) for by_age in means)] for age in ages]


def speed_table(cars: Sequence[Car], speeds: Mapping[str, Bins]) -> list[list[str]]:
    """Returns a row for each stretch of the lap: its share of the lap, and the mean speed of each car."""
    rows = list(zip(*(speeds.get(car.code, ()) for car in cars), strict=False))
    return [
        [f"{100 * n / len(rows):.0f} %", *(NONE if speed is None else f"{speed:.1f}" for speed in row)]
        for n, row in enumerate(rows, 1)
    ]


def wear_chart(cars: Sequence[Car], spans: Spans) -> str:
    """Draws the green laps by the age of their tyres: a dot each, in the compound's colour, and the means."""
    found = [(point, car) for car in cars for point in green_laps(car, spans)]
    best = min((point.time_s or 0.0 for point, _ in found), default=0.0)
    found = [(point, car) for point, car in found if (point.time_s or 0.0) <= best * SLOW]
    oldest = max((point.tyre_age for point, _ in found), default=0)
    if oldest < 2:
        return ""
    span = max(max(point.time_s or 0.0 for point, _ in found) - best, 0.5)

    def y(seconds: float) -> float:
        return TIMES_HIGH - 8 - (TIMES_HIGH - TOP - 12) * (seconds - best) / span

    def x(age: int) -> float:
        return age / (oldest + 1)

    dots = lines = ""
    for point, car in found:
        tyres = f"{TYRES.get(point.tyre, point.tyre)}s, {point.tyre_age} laps old"
        name = f"{car.code}, lap {point.lap}: {lap_time(point.time_s)} on {tyres}"
        dots += dot(x(point.tyre_age), y(point.time_s or 0.0), f"wear t{escape(point.tyre)}", "", name, 3)
    for tyre in TYRES:
        means = _means((point.tyre_age, point.time_s or 0.0) for point, _ in found if point.tyre == tyre)
        for _, run in groupby(enumerate(means), key=lambda pair: pair[1][0] - pair[0]):
            lines += line([(x(age), y(mean)) for _, (age, mean) in run], f"wear t{tyre}", "currentColor")
    step = nice_step(span)
    ticks = [step * n for n in range(int(best / step) + 1, int((best + span) / step) + 1)]
    left = labels(((y(tick) + 4, lap_time(tick)[:-2], "") for tick in ticks), TIMES_HIGH + FOOT, "left")
    every = max(1, round(oldest / 10))
    ages = "".join(text(x(age), TIMES_HIGH + 16, str(age), "axis") for age in range(1, oldest + 1, every))
    marks = "".join(rule(y(tick)) for tick in ticks) + ages + dots
    title = f"{len(found)} green laps by the age of the tyres; the best of them {lap_time(best)}."
    return chart(title, TIMES_HIGH + FOOT, left, "", lines, marks, ("laps on the set", "lap time"))


def _means(pairs: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """Returns the mean time of each age that has three laps or more."""
    by_age: dict[int, list[float]] = {}
    for age, seconds in pairs:
        by_age.setdefault(age, []).append(seconds)
    return [(age, sum(times) / len(times)) for age, times in sorted(by_age.items()) if len(times) >= 3]


def speed_chart(cars: Sequence[Car], speeds: Mapping[str, Bins]) -> str:
    """Draws the mean speed of two cars along the lap, over their green laps."""
    known = [speed for car in cars for speed in speeds.get(car.code, ()) if speed is not None]
    if len(cars) < 2 or not known:
        return ""
    high, low = max(known), min(known)

    def y(speed: float) -> float:
        return TOP + (SPEED_HIGH - TOP) * (high - speed) / max(high - low, 1.0)

    lines = ""
    for car in own_last(cars):
        bins = speeds.get(car.code, ())
        places = [((n + 0.5) / len(bins), y(speed)) for n, speed in enumerate(bins) if speed is not None]
        lines += line(places, line_kind(car), car.colour)
    step = nice_step(high - low)
    ticks = [step * n for n in range(int(low / step) + 1, int(high / step) + 1)]
    left = labels(((y(tick) + 4, f"{tick:g}", "") for tick in ticks), SPEED_HIGH + FOOT, "left")
    shares = "".join(text(n / 4, SPEED_HIGH + 16, f"{n * 25} %", "axis") for n in range(5))
    marks = "".join(rule(y(tick)) for tick in ticks) + shares
    title = f"Speed along the lap of {' and '.join(car.code for car in cars)}, the mean of their green laps."
    return chart(title, SPEED_HIGH + FOOT, left, "", lines, marks, ("share of the lap", "km/h"))


def faster(cars: Sequence[Car], speeds: Mapping[str, Bins]) -> list[Car | None]:
    """Returns which of two cars is the faster one on each stretch of the lap; None where that is not known."""
    if len(cars) < 2:
        return []
    one, other = cars[0], cars[1]
    pairs = zip(speeds.get(one.code, ()), speeds.get(other.code, ()), strict=False)
    return [
        None if first is None or second is None or first == second else one if first > second else other
        for first, second in pairs
    ]


def dominance_map(cars: Sequence[Car], speeds: Mapping[str, Bins], outline: Sequence[Place]) -> str:
    """Draws the track with each stretch in the colour of the faster one of two cars; the second one is dashed."""
    owners = faster(cars, speeds)
    if not owners or len(outline) < 3:
        return ""
    placed, _ = fit(outline, ())
    drawn = f'<polygon class="kerb" points="{_points(placed)}"/>'
    count = len(placed)
    for n, owner in enumerate(owners):
        if owner is None:
            continue
        first, last = n * count // len(owners), (n + 1) * count // len(owners)
        stretch = [placed[at % count] for at in range(first, last + 1)]
        kind = "two" if owner is cars[1] else "one"
        title = f"{owner.code} is faster here"
        drawn += (
            f'<polyline class="{kind}" stroke="{escape(owner.colour)}" points="{_points(stretch)}">'
            f"<title>{escape(title)}</title></polyline>"
        )
    won = [sum(owner is car for owner in owners) for car in cars[:2]]
    said = [f"{car.code} is faster on {n}" for car, n in zip(cars, won, strict=False)]
    label = f'role="img" aria-label="{escape(f"{said[0]} of {len(owners)} stretches, {said[1]}.")}"'
    return f'<svg class="dominance" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" {label}>{drawn}</svg>'


def _points(places: Sequence[Place]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)
