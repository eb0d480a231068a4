"""The engines' panel: charts of alarms, the own line, the whole field on one scale, and what they may weigh."""

from __future__ import annotations

import re
from typing import Any

from races.board.board import Board
from races.board.frames import Frame
from races.live.rendering.screen import Screen, screen_of
from tests.live import synthetic
from tests.live.dom import Node, Page
from tests.live.synthetic import START, feed, reading

INFO = synthetic.info()
NASTY = "<script>alert('&')</script>\""


def spike(number: int, place: int, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Each engine jumps once, in its turn: what the whole field does at once is no alarm."""
    value, key = reading(1, code)
    jumps = number == 40 + 8 * place
    changed = {"engine_temperature": 124.0 if jumps else 116.0 + number % 7 / 10, "is_anomaly": jumps}
    return value | changed, key | {"ts": START + number * 200}


def alarmed(codes: list[str], ticks: int) -> Frame:
    board = Board(INFO)
    for number in range(ticks):
        for place, code in enumerate(codes):
            board.apply("car_metrics_anomalies", *spike(number, place, code))
    return next(
        frame for record in synthetic.tick(ticks, INFO) if (frame := board.apply("positions", record))
    )


def figures(frame: Frame) -> list[str]:
    page = Page(screen_of(INFO, frame).snapshot())
    found = [node for name in ("charts", "earlier") for node in page.element(name).children]
    return [node.text() for node in found if isinstance(node, Node)]


def test_each_alarm_has_a_whole_chart() -> None:
    codes = [car.code for car in INFO.cars if car.code != "NOR"][:8]
    frame = alarmed(codes, 220)
    shown = screen_of(INFO, frame).snapshot()
    raised = [code for code in frame["traces"] if code != "NOR"]
    assert sorted(raised) == sorted(codes)
    for part in ('class="band"', 'class="forecast"', 'class="line"', "<circle"):
        assert shown.count(part) >= len(codes)
    assert [text[:3] for text in figures(frame)][-len(codes) :] == raised


def test_every_engine_is_in_the_field_on_one_scale() -> None:
    """The farthest from its forecast first: 10 °C are half the height of each small chart, and no line leaves it."""
    board = Board(INFO)
    off = {"VER": 4.0, "HAM": -40.0, "NOR": 0.0}
    for number in range(120):
        for code in off:
            value, key = reading(number, code)
            board.apply(
                "car_metrics_anomalies",
                value | {"engine_temperature": 115 + off[code], "forecast_value": 115.0},
                key,
            )
    frame = next(f for record in synthetic.tick(120, INFO) if (f := board.apply("positions", record)))
    field = screen_of(INFO, frame).snapshot().split('<ul id="field">')[1].split("</ul>")[0]
    assert re.findall(r"<b>(\w+)</b>", field) == ["HAM", "VER", "NOR"]
    heights = [int(y) for y in re.findall(r'd="M\d+ (\d+)', field)]
    assert heights == [24, round(12 - 4.0 / 10 * 12), 12]


def test_the_own_engine_is_a_line() -> None:
    board = Board(INFO)
    value, key = reading(0, "NOR")
    board.apply("car_metrics_anomalies", value | {"is_anomaly": None, "forecast_value": None, "lower_bound": None,
                                                  "upper_bound": None}, key)  # fmt: skip
    frame = next(f for record in synthetic.tick(50, INFO) if (f := board.apply("positions", record)))
    assert figures(frame) == ["NOR 115.0 °C · learning"]
    board.apply("car_metrics_anomalies", *reading(1, "NOR"))
    frame = next(f for record in synthetic.tick(55, INFO) if (f := board.apply("positions", record)))
    assert figures(frame) == ["NOR 116.0 °C (114.0–120.0) · as expected"]


def test_a_name_of_an_engine_is_only_text() -> None:
    frame = alarmed([car.code for car in INFO.cars], 220)
    frame["traces"] = {NASTY: frame["traces"]["PIA"]}
    frame["anomalies"] = {NASTY: frame["anomalies"]["PIA"]}
    assert "<script" not in screen_of(INFO, frame).snapshot()


def test_a_field_of_alarms_keeps_to_the_budget() -> None:
    codes = [car.code for car in INFO.cars]
    screen, board, total = Screen(INFO), Board(INFO), 0
    for number in range(32, 432):
        for place, code in enumerate(codes):
            board.apply("car_metrics_anomalies", *spike(number, place, code))
        message = screen.show(feed(board, number))
        total += len(message.encode()) if number > 232 else 0
    assert screen.frame is not None
    assert sorted(screen.frame["traces"]) == sorted(codes)
    assert total / 199 * 5 < 20_000


def test_charts_place_readings_by_time() -> None:
    board, teams = Board(INFO), sorted({car.team for car in INFO.cars})[:4]
    for second in (0, 3600, 3634):
        for team in teams:
            row = {"team_name": team, "engine_temperature": 118.0, "is_anomaly": True}
            board.apply("car_metrics_anomalies", row, {"key": team, "ts": START + second * 1000})
    frame = next(f for record in synthetic.tick(50, INFO) if (f := board.apply("positions", record)))
    places = re.findall(r'class="line" d="M(\d+) ', screen_of(INFO, frame).snapshot())
    assert places == ["101", "101", "101", "117"], "34 s before the end; 30 s, in steps of five"


def test_a_gap_in_the_readings_is_a_gap_in_the_chart() -> None:
    board, team = Board(INFO), INFO.cars[0].team
    for second in (*range(20), *range(35, 50)):
        row = {"team_name": team, "engine_temperature": 118.0, "is_anomaly": True}
        board.apply("car_metrics_anomalies", row, {"key": team, "ts": START + second * 1000})
    frame = next(f for record in synthetic.tick(50, INFO) if (f := board.apply("positions", record)))
    (path,) = re.findall(r'class="line" d="([^"]+)"', screen_of(INFO, frame).snapshot())
    assert path.count("M") == 2, "with one line it would look as if nothing was missing"
