"""The report's charts, as SVG without a script: places, gaps, tyres and times by lap."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby, pairwise

from races.board.stints import Stint
from races.live.rendering.formatting import ordinal
from races.report.laps import Car, Point
from races.report.svg import (
    band,
    chart,
    labels,
    lap_steps,
    line,
    nice_step,
    rule,
    spread,
    text,
)

ROW, FOOT, TOP = 19, 22, 16
GAPS_HIGH = 300
THIN = 4  # px, of a set of tyres that saw no whole lap
NEUTRAL = {"safety_car": "SC", "vsc": "VSC"}
Spans = Sequence[tuple[str, int, int]]


def line_kind(car: Car, chosen: bool = True) -> str:
    parts = ("case", car.own and "own", car.second and "second", not chosen and "faint")
    return " ".join(part for part in parts if part)


def own_last(cars: Sequence[Car]) -> list[Car]:
    """Puts the own car last, because what is drawn last lies on top."""
    return sorted(cars, key=lambda car: car.own)


def neutral_bands(spans: Spans, laps: int, height: float) -> str:
    drawn = ""
    for kind, first, last in spans:
        start = (first - 1) / laps
        if start < 1:  # what came in a lap that nobody ended has no room
            drawn += band(start, min(last / laps, 1), height, "neutral") + text(
                start, 10, NEUTRAL[kind], "word"
            )
    return drawn


def lap_axis(laps: int, height: float, wide: int = 0) -> str:
    return "".join(text(lap / (wide or laps), height + 16, str(lap), "axis") for lap in lap_steps(laps))


def lap_chart(cars: Sequence[Car], laps: int, spans: Spans, cut: str = "") -> str:
    """Positions at the line: from the grid at the left to the flag at the right. cut: what ended the race on its way,
    on a lap that nobody ended; the order in which it found the cars stands one lap further on."""
    height, wide = TOP + ROW * len(cars), laps + bool(cut)

    def y(position: int) -> float:
        return TOP + ROW * (position - 0.5)

    lines = marks = ""
    places = {car.code: place for place, car in enumerate(cars, 1)}
    for car in own_last(cars):
        stretches = unbroken(car.points)
        drawn = [(0.0, y(car.grid))] if car.grid else []
        for stretch in stretches:
            if stretch[0].lap > 1:  # the laps before it are missing
                lines += line(drawn, line_kind(car), car.colour)
                drawn = []
            drawn += [(point.lap / wide, y(point.position)) for point in stretch]
        if drawn and drawn[-1][0] < 1 and car.status != "retired":
            drawn.append((1.0, y(places[car.code])))
        lines += line(drawn, line_kind(car), car.colour)
        if drawn and car.status == "retired":
            marks += text(drawn[-1][0], drawn[-1][1] + 5, "×", "cross")
    left = labels(
        ((y(car.grid) + 4, f"{car.grid} {car.code}", _word(car)) for car in cars if car.grid),
        height + FOOT,
        "left",
    )
    right = labels(((y(places[car.code]) + 4, car.code, _word(car)) for car in cars), height + FOOT, "right")
    own = next((car for car in cars if car.own), None)
    title = "Lap chart: each car's position at the end of each lap."
    if own and own.points:
        place = places[own.code]
        ended = "did not finish" if own.status == "retired" else f"was {ordinal(place)} in the end"
        title += f" {own.name} {f'started {ordinal(own.grid)} and ' if own.grid else ''}{ended}."
    marks = neutral_bands(spans, wide, height) + lap_axis(laps, height, wide) + marks
    marks += text(1.0, height + 16, cut, "axis")
    axes, codes = ("lap", "place"), [car.code for car in cars]
    return chart(title, height + FOOT, left, right, lines, marks, axes, wide, codes)


def _word(car: Car) -> str:
    return "own" if car.own else "out" if car.status == "retired" else ""


def gap_chart(cars: Sequence[Car], chosen: Sequence[str], laps: int, spans: Spans) -> str:
    """Seconds behind the leader at the line: the chosen cars in their colours, the others faint."""
    shown = [car for car in cars if car.code in chosen]
    most = max((point.gap_s or 0.0 for car in shown for point in car.points), default=0.0)
    limit = max(most * 1.08, 1.0)

    def y(gap: float) -> float:
        return TOP + (GAPS_HIGH - TOP) * gap / limit

    lines = stops = ""
    for car in sorted(cars, key=lambda car: (car.code in chosen, car.own)):
        for run in _runs(car.points, limit):
            lines += line(
                [(lap / laps, y(gap_s)) for lap, gap_s in run], line_kind(car, car in shown), car.colour
            )
        stops += "".join(
            text(point.lap / laps, y(point.gap_s or 0.0) + 4, "▼", "stop")
            for point in car.points
            if car in shown and point.lap in stop_laps(car)
        )
    step = nice_step(limit)
    ticks = [step * n for n in range(int(limit / step) + 1)]
    left = labels(
        ((y(tick) + 4, f"+{tick:g} s" if tick else "leader", "") for tick in ticks), GAPS_HIGH + FOOT, "left"
    )
    ends = sorted(
        ((y(car.points[-1].gap_s or 0.0), car) for car in shown if car.points), key=lambda end: end[0]
    )
    marks = (
        "".join(rule(y(tick)) for tick in ticks)
        + neutral_bands(spans, laps, GAPS_HIGH)
        + lap_axis(laps, GAPS_HIGH)
        + stops
    )
    title = f"Gaps to the leader at the end of each lap, of {', '.join(car.code for car in shown)}."
    codes = [car.code for car in shown]
    axes = ("lap", "seconds behind the leader, the leader on top")
    return chart(title, GAPS_HIGH + FOOT, left, ends_of(ends, GAPS_HIGH), lines, marks, axes, laps, codes)


def ends_of(ends: Sequence[tuple[float, Car]], height: float) -> str:
    """Writes the codes at the right ends of the lines."""
    places = spread([y + 4 for y, _ in ends], TOP, height)
    named = ((place, car.code, _word(car)) for place, (_, car) in zip(places, ends, strict=True))
    return labels(named, height + FOOT, "right")


def unbroken(points: Sequence[Point]) -> list[list[Point]]:
    """Splits a line where laps are missing: a gap in the history is a gap in the chart."""
    numbered = groupby(enumerate(points), key=lambda pair: pair[1].lap - pair[0])
    return [[point for _, point in group] for _, group in numbered]


def _runs(points: Sequence[Point], limit: float) -> list[list[tuple[float, float]]]:
    """Returns the stretches of a line that lie in the picture, each as far as the edge: (lap, seconds)."""
    found: list[list[tuple[float, float]]] = []
    for stretch in unbroken(points):
        known = [(float(point.lap), point.gap_s) for point in stretch if point.gap_s is not None]
        if len(known) < 2:
            continue
        run = [known[0]] if known[0][1] <= limit else []
        for (lap, was), (end, gap) in pairwise(known):
            at_edge = (lap + (end - lap) * (limit - was) / ((gap - was) or 1.0), limit)
            if was > limit >= gap:
                run = [at_edge, (end, gap)]
            elif was <= limit < gap:
                found.append([*run, at_edge])
                run = []
            elif gap <= limit:
                run.append((end, gap))
        found.append(run)
    return found


def stop_laps(car: Car) -> set[int]:
    """Returns the laps that ended in the pit lane."""
    return {stint.first - 1 for stint in car.stints[1:]}


def stint_chart(cars: Sequence[Car], laps: int) -> str:
    height = ROW * len(cars)
    marks = ""
    for row, car in enumerate(cars):
        top = row * ROW
        if car.own:
            marks += f'<rect class="mine" width="100%" y="{top}" height="{ROW}"/>'
        marks += "".join(_stint(car, stint, laps, top) for stint in car.stints)
        if car.status == "retired":
            reached = car.stints[-1].last / laps if car.stints else 0.0
            marks += text(reached, top + ROW / 2 + 5, "\u00a0\u00a0× out", "word")
    left = labels(
        ((row * ROW + 14, car.code, _word(car)) for row, car in enumerate(cars)), height + FOOT, "left"
    )
    title = "Stints: which tyres each car had on, in the order of the classification."
    return chart(
        title, height + FOOT, left, "", "", marks + lap_axis(laps, height), ("lap", "classification")
    )


def _stint(car: Car, stint: Stint, laps: int, top: float) -> str:
    """A bar with the tyre's letter; of a set that saw no whole lap, a thin mark where it came on."""
    start, share = (stint.first - 1) / laps, stint.laps / laps
    wide = f"{share:.2%}" if stint.laps else str(THIN)
    title = (
        f"{car.code}: {TYRES.get(stint.tyre, stint.tyre)}, lap{'s' if stint.laps > 1 else ''} {stint.span}"
    )
    drawn = (
        f'<rect class="stint t{escape(stint.tyre)}" x="{start:.2%}" width="{wide}" y="{top + 2}" '
        f'height="{ROW - 4}"><title>{escape(title)}</title></rect>'
    )
    if share > 0.05:
        words = str(stint) if share > 0.2 else stint.tyre
        drawn += text(start + share / 2, top + ROW / 2 + 4, words, f"onbar t{escape(stint.tyre)}")
    return drawn


TYRES = {"S": "soft", "M": "medium", "H": "hard"}
