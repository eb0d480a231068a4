"""The own line: one sentence and one figure in every state of the car."""

from __future__ import annotations

import re
from typing import Any

import pytest

from races.board.board import Board
from races.board.frames import Frame
from races.live.rendering.own_line import more_cell, own_cell
from tests.live import synthetic


def frame_of(code: str, number: int = 100, **car: Any) -> Frame:
    """A tick in the middle of the race, in which the car's record is changed so."""
    board = Board(synthetic.info(own=code))
    for record in synthetic.tick(number, board.info):
        board.apply("positions", record)
    assert board.frame is not None
    for one in board.frame["cars"]:
        if one["driver_code"] == code:
            one.update(car)  # type: ignore[typeddict-item]
    return board.frame


def words(frame: Frame, code: str) -> str:
    cells: dict[str, str] = {}
    own_cell(cells, frame, synthetic.info(own=code))
    more_cell(cells, frame, synthetic.info(own=code))
    return re.sub(r"<[^>]+>", "", cells["own"] + cells["own-more"])


def test_the_grid_tells_tyres() -> None:
    line = words(frame_of("RUS", 10), "RUS")
    assert line == "RUS P3 on the grid on mediums, behind PIA on mediums"


@pytest.mark.parametrize(
    ("car", "expected"),
    [
        ({"status": "pit"}, "in the pit lane"),
        ({"status": "retired", "lap": 7}, "is out of the race, on lap 7"),
        ({"status": "finished", "gained": 2}, "finished, 2 places up on the grid"),
        ({"status": "finished", "gained": -1}, "finished, 1 place down on the grid"),
        ({"overtake_mode": True, "interval_s": 0.6}, "overtake mode, 0.600 s behind"),
        ({"interval_s": 1.2, "catching_s": 0.4}, "1.200 s behind"),
        ({"interval_s": 1.2, "catching_s": 0.4}, "catching 0.4 s a lap, there in 3 laps"),
        ({"interval_s": 0.5, "catching_s": 0.4}, "0.500 s behind"),
    ],
)
def test_each_state_has_its_words(car: dict[str, Any], expected: str) -> None:
    assert expected in words(frame_of("VER", **car), "VER")


def test_every_state_has_a_figure() -> None:
    for state in ("pit", "retired", "finished", "racing"):
        assert re.search(r"\d", words(frame_of("VER", status=state), "VER"))


def test_the_leader_leads() -> None:
    leader = frame_of("NOR")["cars"][0]["driver_code"]
    assert ", leading" in words(frame_of(leader), leader)


@pytest.mark.parametrize(
    ("flag", "expected"), [("safety_car", "under the safety car"), ("vsc", "under the virtual safety car")]
)
def test_a_flag_is_named(flag: str, expected: str) -> None:
    frame = frame_of("VER")
    frame["flag"] = flag
    assert expected in words(frame, "VER")


def test_the_pit_lane_has_a_running_timer() -> None:
    frame = frame_of("VER", status="pit")
    frame["own"] = {**frame["own"], "pit_since": frame["timestamp"] - 1000}
    assert "in the pit lane for 12 s" in words(frame, "VER")  # at 12 times real time


def test_stop_is_shown_for_some_seconds() -> None:
    frame = frame_of("VER")
    for age, told in ((1000, True), (20_000, False)):
        frame["own"] = {**frame["own"], "stop": (frame["timestamp"] - age, 2.4)}
        assert ("out of the pit after 2.4 s" in words(frame, "VER")) == told


def test_tyres_that_are_gone_have_a_figure() -> None:
    frame = frame_of("VER")
    frame["own"] = {**frame["own"], "fade": (4.1, 6)}
    assert "tyres fading: 4.1 s a lap slower than on lap 6" in words(frame, "VER")


def test_an_alarm_stands_in_every_state() -> None:
    alarm = {"kind": "overheating", "start": 0, "end": None}
    for state in ("racing", "pit"):
        frame = frame_of("VER", status=state)
        frame["anomalies"] = {"VER": {"alarm": alarm}}  # type: ignore[typeddict-item]  # what the line reads
        assert "engine alarm: overheating" in words(frame, "VER")


def test_the_last_lap_promises_nothing_that_comes_after_it() -> None:
    """Neither a car that is caught in five laps, nor a stop."""
    frame = frame_of("VER", interval_s=1.9, catching_s=0.4)
    frame["laps"] = next(car["lap"] for car in frame["cars"] if car["driver_code"] == "VER")
    line = words(frame, "VER")
    assert "catching 0.4 s a lap" in line
    assert "there in" not in line
    assert "a stop" not in line


def test_laps_and_a_stop_are_always_there() -> None:
    line = words(frame_of("VER"), "VER")
    assert re.search(r"· lap \d+ of 12 · a stop: P\d+, [\d.]+ s (behind|ahead of) [A-Z]{3}", line)
