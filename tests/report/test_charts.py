"""Charts of a race whose history has a hole."""

from __future__ import annotations

import re
from dataclasses import replace

from races.board.stints import Stint
from races.report.charts import gap_chart, lap_chart
from races.report.laps import Car, Point
from races.report.pace_charts import times_chart

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
    assert strokes(times_chart(cars, LAPS, ())) == [x(2, 3), x(7, 8, 9)]


def test_a_whole_history_is_one_line() -> None:
    assert strokes(lap_chart([car(range(0))], LAPS, ())) == [x(*range(LAPS + 1))]


def test_pace_is_drawn_and_a_stop_is_a_gap() -> None:
    """Stops, the start and a safety car would decide the scale: tenths of a second could not be seen."""
    slow = replace(car(range(0)), stints=(Stint("M", 1, 5), Stint("H", 6, LAPS)))
    slow = replace(slow, points=tuple(replace(p, time_s=102.0) if p.lap == 5 else p for p in slow.points))
    drawn = times_chart([slow], LAPS, ())
    assert strokes(drawn) == [x(2, 3, 4), x(7, 8, 9)]
    assert drawn.count('class="rule"') >= 4
    assert "▼ NOR" in drawn


def test_a_line_that_leaves_the_picture_ends_at_its_edge() -> None:
    near, far = car(range(0)), replace(car(range(0)), code="RUS", own=False, points=(
        Point(1, 80.0, 80.0, 2, 4.0, "M"), Point(2, 90.0, 170.0, 2, 14.0, "M"), Point(3, 80.0, 250.0, 2, 5.0, "M"),
    ))  # fmt: skip
    drawn = gap_chart([near, far], ["NOR"], LAPS, ())
    faint = re.findall(r'class="case faint" stroke="#ff8000" d="M([^"]+)"', drawn)
    bottom = {float(path.split("L")[end].split()[1]) for path, end in zip(faint, (-1, 0), strict=True)}
    assert bottom == {300.0}
