from typing import Any

import pytest

from races.board.board import Board
from races.board.logs import NOTES_KEPT, TRACE_SECONDS
from tests.fakes.typed import typed
from tests.live import synthetic
from tests.live.synthetic import RACE_ID, START

INFO = synthetic.info()


def comment(name: str, at: int, race_id: str | None = RACE_ID) -> dict[str, Any]:
    return {"id": name, "message": f"words {name}", "timestamp": at, "type": "info", "race_id": race_id}


def show(board: Board, number: int) -> Any:
    frames = [frame for record in synthetic.tick(number, INFO) if (frame := board.apply("positions", record))]
    return frames[0]


def reading(code: str, ts: Any, value: float = 118.0, flag: bool = False) -> tuple[Any, Any]:
    key = {"key": f"{RACE_ID}:{code}", "ts": ts}
    return {"team_name": "x", "engine_temperature": value, "is_anomaly": flag, "forecast_value": 118.0,
            "lower_bound": 115.0, "upper_bound": 121.0}, key  # fmt: skip


def test_notes_are_newest_first() -> None:
    board = Board(INFO)
    for name, at in (("a", 1), ("c", 3), ("b", 2), ("c", 3)):
        board.apply("commentary", comment(name, at))
    assert [note["id"] for note in show(board, 100)["commentary"]] == ["c", "b", "a"]


def test_a_comment_speaks_of_drivers_of_the_race() -> None:
    board = Board(INFO)
    own = INFO.cars[0].code
    board.apply("commentary", comment("a", 1) | {"drivers": [own, "<b>"]})
    board.apply("commentary", comment("b", 2) | {"drivers": None})
    assert [note["drivers"] for note in show(board, 100)["commentary"]] == [[], [own]]


def test_a_comment_without_a_race_is_everybodys() -> None:
    board = Board(INFO)
    board.apply("commentary", comment("everybody", 1, None))
    board.apply("commentary", comment("others", 1, "another race"))
    assert [note["id"] for note in show(board, 100)["commentary"]] == ["everybody"]


def test_such_a_comment_needs_a_running_race() -> None:
    board = Board(INFO, started=START)
    end = START + 100 * 200
    for name, at in (("before", START - 1), ("during", START + 1000), ("last word", end + 30_000)):
        board.apply("commentary", comment(name, at, None))
    for record in synthetic.tick(100, INFO):
        board.apply("positions", record | {"phase": "over"})
    for name, at in (("afterwards", end + 30_001), ("late", START + 2000)):
        board.apply("commentary", comment(name, at, None))
    assert board.frame is not None
    assert [note["id"] for note in board.frame["commentary"]] == ["last word", "late", "during"]
    assert board.ignored["implausible"] == 2


def test_events_keep_the_order_of_ordinals() -> None:
    board = Board(INFO)
    for ordinal in (9, 11, 10):
        board.apply("race_control", synthetic.event(90, ordinal, "pit_in", "NOR", f"number {ordinal}"))
    assert [note["text"] for note in show(board, 100)["control"]] == ["number 11", "number 10", "number 9"]


def test_overtakes_are_left_to_the_tower() -> None:
    board = Board(INFO)
    board.apply("race_control", synthetic.event(90, 1, "overtake", "NOR", "NOR passes PIA"))
    assert show(board, 100)["control"] == []


def test_only_the_newest_notes_are_kept() -> None:
    board = Board(INFO)
    for number in range(100):
        board.apply("commentary", comment(f"n{number}", number))
    notes = show(board, 100)["commentary"]
    assert len(notes) == NOTES_KEPT
    assert notes[0]["id"] == "n99"


def test_frames_do_not_change_afterwards() -> None:
    board = Board(INFO)
    before = show(board, 100)
    board.apply("commentary", comment("later", 1))
    board.apply("car_metrics_anomalies", *reading("NOR", START))
    assert before["commentary"] == []
    assert before["anomalies"] == {}


def test_a_late_comment_makes_a_frame() -> None:
    board = Board(INFO)
    over = show(board, 440)
    assert over["phase"] == "over"
    frame = board.apply("commentary", comment("winner", over["timestamp"] + 5))
    assert frame and frame["tick"] == over["tick"]
    assert frame["commentary"][0]["id"] == "winner"
    assert board.apply("commentary", comment("winner", over["timestamp"] + 5)) is None


def test_averages_come_from_their_topic() -> None:
    board = Board(INFO)
    board.apply("avg_speed", {"avg_speed": 221.5}, {"driver_name": "Lando Norris", "race_id": RACE_ID})
    board.apply("avg_speed", {"avg_speed": 99.0}, {"driver_name": "Lando Norris", "race_id": "another"})
    averages = {car["driver_code"]: car["average_speed_kmh"] for car in show(board, 100)["cars"]}
    assert averages["NOR"] == 221.5
    assert averages["PIA"] is None


def test_a_reading_counts_once() -> None:
    board = Board(INFO)
    for _ in range(2):
        board.apply("car_metrics_anomalies", *reading("NOR", START, flag=True))
    newest = show(board, 100)["anomalies"]["NOR"]
    assert (newest["ts"], newest["flags"]) == (START, 1)


def test_a_trace_keeps_a_minute() -> None:
    board = Board(INFO)
    for number in range(5 * 90):
        board.apply("car_metrics_anomalies", *reading("NOR", START + number * 200, flag=number == 447))
    samples = show(board, 100)["traces"]["NOR"]["samples"]
    assert len(samples) == TRACE_SECONDS
    assert [sample.flag for sample in samples].count(True) == 1


def test_alarmed_cars_have_a_trace() -> None:
    board = Board(INFO)
    codes = [car.code for car in INFO.cars[:9]]
    for number, code in enumerate(codes):
        board.apply("car_metrics_anomalies", *reading(code, START + number * 1000, flag=True))
    assert [*show(board, 100)["traces"]] == codes[::-1]


def original(team: str, ts: int, value: float, bound: float | None = 115.0) -> tuple[Any, Any]:
    """As the original lab's own statement writes it: three fields, flagged rows only, the key a team's name."""
    row: dict[str, Any] = {"team_name": team, "engine_temperature": value, "is_anomaly": True}
    row |= {} if bound is None else {"upper_bound": bound}
    return typed("car_metrics_anomalies", row), {"key": team, "ts": ts}


def test_original_rows_are_shown_by_team() -> None:
    board = Board(INFO)
    for second, value in enumerate((118.0, 121.0, 131.0)):
        board.apply("car_metrics_anomalies", *original("Ferrari", START + second * 1000, value))
    frame = show(board, 100)
    assert [*frame["traces"]] == ["Ferrari"]
    alarm = frame["anomalies"]["Ferrari"]["alarm"]
    assert alarm is not None
    assert (alarm["kind"], alarm["severity"], alarm["size_c"], alarm["reading"]) == (
        "flagged",
        "critical",
        16.0,
        131.0,
    )
    assert alarm["end"] is None
    later = show(board, 100 + 31 * 5)
    ended = later["anomalies"]["Ferrari"]["alarm"]
    assert ended is not None
    assert ended["end"] == START + 2000
    assert not board.ignored


def test_the_original_alarm_ends_with_the_race() -> None:
    board = Board(INFO)
    over = START + 440 * 200
    board.apply("car_metrics_anomalies", *original("Haas", over - 1000, 118.0, None))
    frame = show(board, 440)
    assert frame["phase"] == "over"
    alarm = frame["anomalies"]["Haas"]["alarm"]
    assert alarm is not None
    assert alarm["end"] == over - 1000
    late = board.apply("car_metrics_anomalies", *original("Haas", over - 400, 119.0, None))
    assert late is not None
    assert late["anomalies"]["Haas"]["alarms"] == 1
    assert late["anomalies"]["Haas"]["alarm"] is not None
    assert late["anomalies"]["Haas"]["alarm"]["end"] == over - 400


@pytest.mark.parametrize(
    "key",
    [
        f"{RACE_ID}:<img src=x>",
        f"{RACE_ID}:QQQ",
        f"{RACE_ID}:",
        "<b>Ferrari</b>",
        "",
        "another race:NOR",
        ":NOR",
    ],
)
def test_a_reading_of_no_car_is_refused(key: str) -> None:
    board = Board(INFO)
    board.apply("car_metrics_anomalies", original("Ferrari", START, 118.0)[0], {"key": key, "ts": START})
    assert board.ignored.total() == 1
    assert show(board, 100)["anomalies"] == {}


def test_a_reading_from_2100_changes_nothing() -> None:
    board = Board(INFO)
    show(board, 50)
    board.apply("car_metrics_anomalies", *reading("NOR", 4_102_444_800_000, value=300.0, flag=True))
    board.apply("car_metrics_anomalies", *reading("NOR", START + 10_000))
    newest = show(board, 100)["anomalies"]["NOR"]
    assert (newest["ts"], newest["reading"], newest["alarms"]) == (START + 10_000, 118.0, 0)
    assert board.ignored == {"implausible": 1}


def test_a_late_reading_finds_its_place() -> None:
    board = Board(INFO)
    for second in (0, 2, 1):
        board.apply("car_metrics_anomalies", *reading("NOR", START + second * 1000, value=110.0 + second))
    frame = show(board, 100)
    assert frame["anomalies"]["NOR"]["reading"] == 112.0
    assert [sample[0] for sample in frame["traces"]["NOR"]["samples"]] == [110.0, 111.0, 112.0]


def test_a_forged_ordinal_keeps_nothing_out() -> None:
    board = Board(INFO)
    board.apply("race_control", synthetic.event(80, 7, "info", "", "invented"))
    for _ in range(2):
        board.apply("race_control", synthetic.event(90, 7, "yellow", "", "Yellow flag"))
    assert [note["text"] for note in show(board, 100)["control"]] == ["Yellow flag", "invented"]


def test_a_trace_ends_with_its_newest_sample() -> None:
    board = Board(INFO)
    for second in (0, 3600, 3634):
        board.apply("car_metrics_anomalies", *original("Ferrari", START + second * 1000, 118.0))
    trace = show(board, 100)["traces"]["Ferrari"]
    assert [second - START // 1000 for second in trace["seconds"]] == [3600, 3634]
    assert len(trace["samples"]) == 2
