"""The band of a flag, and alarms that are in sight at once."""

from __future__ import annotations

import re
from typing import Any

from races.board.board import Board
from races.board.frames import Frame, Note
from races.live.rendering import flags
from races.live.rendering.screen import Screen, screen_of
from tests.live import synthetic
from tests.live.synthetic import RACE_ID, START

INFO = synthetic.info()


def frame_at(number: int) -> Frame:
    board = Board(INFO)
    for record in synthetic.tick(number, INFO):
        board.apply("positions", record)
    assert board.frame is not None
    return board.frame


def note(kind: str, text: str, at: int, code: str = "") -> Note:
    return Note(id=f"{kind}{at}", at=at, kind=kind, code=code, lap=2, text=text, drivers=[])


def test_a_flag_has_reason_place_and_phase() -> None:
    frame = frame_at(200)
    now = frame["timestamp"]
    frame["flag"], frame["phase"] = "safety_car", "race"
    frame["control"] = [
        note("retirement", "CAR 23 (ALB) RETIRES IN THE PITS", now, "ALB"),
        note("safety_car", "SAFETY CAR DEPLOYED", now),
        note("yellow", "YELLOW IN SECTOR 2 - CAR 81 (PIA)", now, "PIA"),
        note("retirement", "CAR 81 (PIA) STOPPED IN SECTOR 2 - ACCIDENT", now, "PIA"),
        note("green", "TRACK CLEAR", now - 1000),
        note("retirement", "CAR 10 (GAS) RETIRES IN THE PITS", now - 2000),
    ]
    cells: dict[str, str] = {}
    flags.band_cell(cells, frame, INFO)
    words = re.sub(r"<[^>]+>", "", cells["band"])
    assert words == ("Safety car Lap 2: Piastri stopped in sector 2, accident · a stop costs 11 s, not 22")
    frame["control"].insert(0, note("safety_car_ending", "SAFETY CAR IN THIS LAP", now))
    flags.band_cell(cells, frame, INFO)
    assert "in this lap" in cells["band"]
    frame["lap"] = frame["laps"]
    flags.band_cell(cells, frame, INFO)
    assert "a stop costs" not in cells["band"], "nobody stops on the last lap"
    frame["control"] = frame["control"][:2]
    flags.band_cell(cells, frame, INFO)
    assert "Albon" not in cells["band"], "what is not known is not made up"
    frame["flag"] = "green"
    flags.band_cell(cells, frame, INFO)
    assert cells["band"] == '<p id="band"></p>'


def test_the_safety_car_leads_the_field_and_goes_in() -> None:
    frame = frame_at(200)
    frame["phase"] = "race"
    leader = frame["cars"][0]
    leader["lap_fraction"], frame["flag"] = 0.4, "green"
    assert flags.safety_car_dot(frame, INFO) == "", "no flag"
    frame["flag"] = "safety_car"
    assert flags.safety_car_dot(frame, INFO) == " 4110"
    leader["status"] = "pit"
    frame["cars"][1]["lap_fraction"] = 0.98
    assert flags.safety_car_dot(frame, INFO) == " 9910"
    frame["control"] = [note("safety_car_ending", "SAFETY CAR IN THIS LAP", frame["timestamp"])]
    assert flags.safety_car_dot(frame, INFO) == " 9910p"


def test_a_yellow_flag_names_its_sector_once() -> None:
    frame = frame_at(200)
    frame["flag"], frame["phase"], frame["yellow_sector"] = "yellow", "race", 3
    for text, words in (
        ("YELLOW IN SECTOR 3 - CAR 6 (HAD)", "Yellow Lap 2: sector 3, Hadjar"),
        (
            "YELLOW IN SECTOR 3 - CAR 6 (HAD) OFF TRACK IN SECTOR 3",
            "Yellow Lap 2: Hadjar off track in sector 3",
        ),
    ):
        frame["control"] = [note("yellow", text, frame["timestamp"], "HAD")]
        cells: dict[str, str] = {}
        flags.band_cell(cells, frame, INFO)
        assert re.sub(r"<[^>]+>", "", cells["band"]) == words


def test_what_a_flags_message_says_is_escaped() -> None:
    frame = frame_at(200)
    frame["flag"], frame["phase"] = "yellow", "race"
    frame["control"] = [note("yellow", "<script>alert(1)</script>", frame["timestamp"])]
    cells: dict[str, str] = {}
    flags.band_cell(cells, frame, INFO)
    assert "<script" not in cells["band"].lower()


def spike(number: int, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    value = 118.0 if number % 100 < 90 else 140.0
    record = {"team_name": "x", "engine_temperature": value, "is_anomaly": value > 130, "forecast_value": 118.0,
              "lower_bound": 115.0, "upper_bound": 121.0}  # fmt: skip
    return record, {"key": f"{RACE_ID}:{code}", "ts": START + number * 200}


def test_an_alarm_is_in_sight_within_a_second() -> None:
    """In the car's row and in the header, at the tick that has it; gone from both when it ends."""
    screen, board = Screen(INFO), Board(INFO)
    seen = set()
    for number in range(32, 260):
        for car in INFO.cars:
            record, key = spike(number if car.code == "PIA" else 0, car.code)
            board.apply("car_metrics_anomalies", record, {**key, "ts": START + number * 200})
        for record in synthetic.tick(number, INFO):
            frame = board.apply("positions", record)
        assert frame is not None
        message = screen.show(frame)
        alarm = frame["anomalies"]["PIA"]["alarm"]
        stands = alarm is not None and alarm["end"] is None
        snapshot = screen.snapshot()
        count = sum(
            one["alarm"] is not None and one["alarm"]["end"] is None for one in frame["anomalies"].values()
        )
        words = re.findall(r'<b id="bell">(.*?)</b>', snapshot)[0]
        assert words.startswith(f"◆ {count}<span> engine alarm") == bool(count)
        assert ("title=" in re.findall(r'<b id="alarm-PIA"[^>]*>', snapshot)[0]) == stands
        seen.add((stands, 'id="alarm-PIA"' in message))
    assert {(True, True), (False, False)} <= seen


def test_a_stored_frame_gets_its_words_back() -> None:
    """Whoever opens a race first sees what has been said, before the next tick."""
    first = Board(INFO)
    for record in synthetic.tick(100, INFO):
        first.apply("positions", record)
    assert first.frame is not None
    board = Board(INFO, last=first.frame)
    board.apply("commentary", {"id": "1", "message": "Said before", "timestamp": START, "type": "info",
                               "race_id": RACE_ID})  # fmt: skip
    frame = board.current()
    assert frame is not None
    assert "Said before" in screen_of(INFO, frame).snapshot()
    assert Board(INFO).current() is None
