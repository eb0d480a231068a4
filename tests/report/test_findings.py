"""The heading of each chart says what the chart shows, and says it truly."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from races.board.stints import Stint
from races.report.findings import findings, slope
from races.report.laps import Car, Point
from races.report.stops import moved
from tests.fakes.recorded import Recorded

STOP = (Stint("M", 1, 4), Stint("H", 5, 8))


def car(code: str, times: list[float], gaps: list[float], **fields: Any) -> Car:
    """A car with these lap times and gaps at the line, one stop after lap 4."""
    points, crossed = [], 0.0
    for lap, (time_s, gap_s) in enumerate(zip(times, gaps, strict=True), 1):
        crossed += time_s
        tyre, age = ("M", lap) if lap < 5 else ("H", lap - 4)
        points.append(Point(lap, time_s, crossed, 1, gap_s, tyre, age))
    given: dict[str, Any] = {"grid": 1, "second": False, "own": False, "status": "finished", "stints": STOP}
    return Car(code=code, name=code, colour="#123456", points=tuple(points), **given | fields)


FIRST = car("RUS", [80.0] * 8, [0.0] * 8)
NOR = [80.5, 80.0, 80.1, 80.0, 99.0, 79.0, 79.3, 79.6]
OWN = car("NOR", NOR, [0.5, 0.5, 0.6, 0.6, 19.6, 18.6, 17.9, 17.5], own=True)
FIELD = [FIRST, OWN]


def found(cars: list[Car] | None = None, against: str = "average") -> dict[str, str]:
    field = FIELD if cars is None else cars
    return findings(field, [one.code for one in field], against, [], moved(field))


def test_each_finding_is_what_the_laps_say() -> None:
    words = found()
    end = "NOR was 17.5\u00a0s behind the leader at the end"
    assert words["gaps"] == f"{end} and 19.6\u00a0s at the most, on lap 5"
    assert words["trace"] == "NOR lost the most on lap 5: 19.0\u00a0s, with a stop"
    assert words["stints"] == "2 of 2 cars stopped once, most often medium to hard"
    # NOR's mediums lose 0.1 s and his hards 0.3 s a lap, RUS's nothing
    assert words["wear"] == "One more lap on the set: +0.05\u00a0s on mediums, +0.15\u00a0s on hards"
    assert words["moved"] == ""


def test_a_lap_behind_the_safety_car_is_nobodys_loss() -> None:
    words = findings(FIELD, ["RUS", "NOR"], "average", [("vsc", 5, 5)], [])["trace"]
    assert words == "NOR lost the most on lap 3: 0.1\u00a0s"


def test_places_won_and_lost_have_names() -> None:
    up, down = replace(FIRST, code="ALB", grid=5), replace(OWN, code="SAI", grid=1)
    down = replace(down, points=tuple(replace(point, position=4) for point in down.points))
    assert found([up, down])["moved"] == "ALB gained the most places, 4; SAI lost the most, 3"


def test_a_car_that_is_out_has_its_last_lap() -> None:
    out = replace(OWN, status="retired", points=OWN.points[:2])
    assert found([FIRST, out])["gaps"] == "NOR was 0.5\u00a0s behind the leader on lap 2, its last"


def test_nothing_to_find_says_nothing() -> None:
    bare = replace(FIRST, points=(), stints=())
    assert set(found([bare]).values()) == {""}
    assert set(found([]).values()) == {""}
    assert slope([[(1, 80.0)], [(4, 79.0)]]) is None  # one lap of a set shows no trend


def test_a_fast_car_on_old_tyres_is_no_good_tyre() -> None:
    assert slope([[(1, 90.0), (2, 90.1)], [(8, 80.0), (9, 80.1)]]) == pytest.approx(0.1)


@pytest.mark.django_db
def test_each_chart_has_a_heading_that_says_something(client: Client) -> None:
    race = Recorded(laps=8, seed=3, anomaly=True).race
    text = client.get(race.get_absolute_url()).content.decode()
    headings = dict(re.findall(r'<h2 id="h-(\w+)">(.*?)</h2>', text, re.DOTALL))
    for chart in ("places", "gaps", "trace", "times", "wear", "stints", "moved", "stops", "engines"):
        words = re.sub(r"<small>.*?</small>|<[^>]+>", "", headings[chart], flags=re.DOTALL)
        assert re.search(r"\d| led every lap|Nobody stopped|No fault was injected", words), (chart, words)
