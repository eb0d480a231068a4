"""Charts of a race whose history has a hole."""

from __future__ import annotations

import re

from races.report.charts import gap_chart, lap_chart, times_chart
from races.report.laps import Car, Point

LAPS = 9
HOLE = range(4, 7)


def car(missing: range) -> Car:
    points = tuple(
        Point(lap, 80.0 + lap / 10, 80.0 * lap, 1 + lap % 3, float(lap), "M")
        for lap in range(1, LAPS + 1)
        if lap not in missing
    )
    return Car(
        code="NOR", name="Lando Norris", colour="#ff8000", own=True, second=False, grid=2, status="finished",
        points=points, stints=(),
    )  # fmt: skip


def strokes(chart: str) -> list[list[int]]:
    """The x of each point, of each line in turn."""
    paths = re.findall(r'stroke="#ff8000" d="M([^"]+)"', chart)
    return [[int(point.split()[0]) for point in path.split("L")] for path in paths]


def x(*laps: int) -> list[int]:
    return [round(lap / LAPS * 1000) for lap in laps]


def test_a_gap_in_the_history_is_a_gap_in_each_chart() -> None:
    cars = [car(HOLE)]
    assert strokes(lap_chart(cars, LAPS, ())) == [x(0, 1, 2, 3), x(7, 8, 9)]
    assert strokes(gap_chart(cars, ["NOR"], LAPS, ())) == [x(1, 2, 3), x(7, 8, 9)]
    assert strokes(times_chart(cars, LAPS, ())) == [x(1, 2, 3), x(7, 8, 9)]


def test_a_whole_history_is_one_line() -> None:
    assert strokes(lap_chart([car(range(0))], LAPS, ())) == [x(*range(LAPS + 1))]
