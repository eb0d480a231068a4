"""The race trace, tyre wear and speed along the lap: the arithmetic, and what every chart must have."""

from __future__ import annotations

import re
import struct
import zlib

import pytest
from django.test import Client

from races.board.stints import Stint
from races.report.laps import Car, Point
from races.report.pace_charts import deltas, faster, green_laps, speed_chart, trace_chart, wear_chart
from races.report.preview import HEIGHT, WIDTH, lap_chart_png
from races.report.report import report
from tests.fakes.recorded import Recorded
from tests.live.dom import parse

LAPS = 8


def car(code: str, lap_s: float, own: bool = False, stints: tuple[Stint, ...] = ()) -> Car:
    points = tuple(Point(lap, lap_s, round(lap_s * lap, 3), 1, 0.0, "M", lap) for lap in range(1, LAPS + 1))
    return Car(code, f"{code} {code}", "#ff8000", own, 1, "finished", False, points, stints)


def test_a_trace_against_a_driver_is_the_gap_to_it() -> None:
    cars = [car("NOR", 80.0), car("RUS", 80.5)]
    found = deltas(cars, "NOR")
    assert found["NOR"] == [(lap, 0.0) for lap in range(1, LAPS + 1)]
    assert found["RUS"] == [(lap, -0.5 * lap) for lap in range(1, LAPS + 1)]


def test_a_trace_against_the_average_ends_even_for_the_winner() -> None:
    found = deltas([car("NOR", 80.0), car("RUS", 80.5)], "average")
    assert found["NOR"][-1][1] == pytest.approx(0.0)
    assert found["RUS"][-1][1] == pytest.approx(-0.5 * LAPS)


def test_green_laps_leave_out_what_is_no_pace() -> None:
    stints = (Stint("M", 1, 4), Stint("H", 5, 8))
    laps = [point.lap for point in green_laps(car("NOR", 80.0, stints=stints), [("safety_car", 7, 7)])]
    assert laps == [2, 3, 6, 8]


def test_the_faster_car_owns_a_stretch() -> None:
    one, other = car("NOR", 80.0), car("RUS", 80.5)
    speeds = {"NOR": (200.0, 250.0, None), "RUS": (210.0, 240.0, 230.0)}
    assert faster([one, other], speeds) == [other, one, None]
    assert "km/h" in speed_chart([one, other], speeds)
    assert faster([one], speeds) == []


@pytest.mark.parametrize("laps", [0, 1])
def test_nothing_to_draw_draws_nothing(laps: int) -> None:
    bare = Car("NOR", "N", "#ff8000", True, 1, "retired", False, (), ())
    assert trace_chart([bare], ["NOR"], "average", laps, ()) == ""
    assert wear_chart([bare], ()) == ""
    assert speed_chart([bare, bare], {}) == ""


@pytest.mark.django_db
def test_each_chart_has_axis_titles_and_a_description() -> None:
    race = Recorded(anomaly=True, laps=6, seed=3).race
    drawn = {name: svg for name, svg in report(race, [])["charts"].items() if svg}
    assert {"places", "gaps", "times", "stints", "trace", "speeds", "dominance"} <= set(drawn)
    for name, svg in drawn.items():
        parse(svg)
        assert re.search('role="img"[^>]* aria-label="[^"]{20,}"', svg), name
        if name != "dominance":
            assert re.search(r'<p class="axes"><span>↑ [^<]{3,}</span><span>[^<]{3,} →</span></p>', svg), name


@pytest.mark.django_db
def test_a_link_shows_what_it_leads_to(client: Client) -> None:
    race = Recorded(laps=4, seed=3).race
    text = client.get(race.get_absolute_url()).content.decode()
    winner = race.results.get(position=1).driver_name.split()[-1]
    for name in ("og:title", "og:description", "og:image", "og:url"):
        [content] = re.findall(f'<meta property="{name}" content="([^"]+)"', text)
        assert content
    assert f'"og:title" content="{winner} wins at Spielberg' in text
    picture = client.get(f"/races/{race.pk}/preview.png")
    assert picture["Content-Type"] == "image/png"
    assert picture.content[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_preview_is_a_picture() -> None:
    data = lap_chart_png([car("NOR", 80.0, own=True), car("RUS", 80.5)], LAPS)
    assert struct.unpack(">II", data[16:24]) == (1200, 630)
    start = data.index(b"IDAT")
    size = struct.unpack(">I", data[start - 4 : start])[0]
    raw = zlib.decompress(data[start + 4 : start + 4 + size])
    assert len(raw) == HEIGHT * (WIDTH * 3 + 1)
    assert bytes.fromhex("ff8000") in raw
    assert len(data) < 100_000


@pytest.mark.django_db
def test_the_trace_can_be_against_any_driver(client: Client) -> None:
    race = Recorded(laps=4, seed=3).race
    for against, words in (
        ("average", "the winner&#x27;s average"),
        ("HAM", "against HAM"),
        ("<b>", "average"),
    ):
        text = client.get(race.get_absolute_url(), {"against": against}).content.decode()
        assert words in text
        assert "<b></option>" not in text
