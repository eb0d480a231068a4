import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from races.board.board import Board
from races.board.frames import Frame, blank_car
from races.board.race_info import RaceInfo
from races.board.tick import catching, initials
from races.streams.errors import BadRecord
from tests.fakes.typed import typed
from tests.live import synthetic

INFO = synthetic.info()


def fold(board: Board, records: list[tuple[str, Any]]) -> list[Frame]:
    return [frame for role, record in records if (frame := board.apply(role, record))]


def positions(*numbers: int) -> list[tuple[str, Any]]:
    return [("positions", record) for number in numbers for record in synthetic.tick(number, INFO)]


def test_a_whole_tick_makes_a_frame() -> None:
    board = Board(INFO)
    *first, last = positions(100)
    assert fold(board, first) == []
    [frame] = fold(board, [last])
    assert [car["position"] for car in frame["cars"]] == list(range(1, 23))
    assert frame["tick"] == 100
    assert frame["lap"] == max(car["lap"] for car in frame["cars"])


def test_a_frame_is_plain_data() -> None:
    [frame] = fold(Board(INFO), positions(100))
    assert json.loads(json.dumps(frame)) == frame


def test_waiting_does_not_move_the_start() -> None:
    early, late = positions(0), positions(100)
    for _, record in late:
        record["timestamp"] += 45_000
    board = Board(INFO)
    [first, second] = fold(board, early + late)
    assert second["started"] == first["started"] == first["timestamp"]
    taken_over = Board(INFO, last=second)
    [third] = fold(taken_over, [(role, record | {"tick": 101}) for role, record in late])
    assert third["started"] == first["started"]
    joined = Board(INFO, started=first["started"])
    assert fold(joined, late)[0]["started"] == first["started"]


def test_a_repeated_tick_is_counted() -> None:
    board = Board(INFO)
    fold(board, positions(100))
    assert fold(board, positions(100)) == []
    assert board.ignored["repeated"] == 22


NEXT = positions(102)


@given(st.permutations(range(44)))
@settings(max_examples=40)
def test_the_order_of_arrival_does_not_matter(order: list[int]) -> None:
    records = positions(100, 101)
    board = Board(INFO)
    frames = fold(board, [records[index] for index in order])
    assert {frame["tick"] for frame in frames} == {100, 101}
    straight = Board(INFO)
    fold(straight, records)
    assert fold(board, NEXT) == fold(straight, NEXT)


@given(st.lists(st.integers(0, 65), max_size=60))
@settings(max_examples=40)
def test_repeats_change_nothing(again: list[int]) -> None:
    records = positions(100, 101, 102)
    board = Board(INFO)
    frames = fold(board, [record for index in [*range(66), *again] for record in [records[index]]])
    assert [frame["tick"] for frame in frames] == [100, 101, 102]


def test_a_late_tick_is_not_the_newest() -> None:
    board = Board(INFO)
    fold(board, positions(100, 102))
    [late] = fold(board, positions(101))
    assert late["tick"] == 101
    assert board.frame and board.frame["tick"] == 102


def test_an_incomplete_tick_is_forgotten() -> None:
    board = Board(INFO)
    fold(board, positions(100)[:21])
    fold(board, positions(*range(101, 152)))
    assert board.ignored["incomplete tick"] == 1
    assert fold(board, positions(100)) == []


def test_records_of_another_race_are_not_shown() -> None:
    board = Board(INFO)
    other = [(role, {**record, "race_id": "another"}) for role, record in positions(100)]
    assert fold(board, other) == []
    assert board.ignored["other race"] == 22


BROKEN: list[Any] = [
    {}, {"race_id": INFO.race_id}, {"position": "first"}, {"speed": float("nan")}, {"gap_s": float("inf")},
    {"tick": None}, {"driver_code": 7}, {"sector_1_s": "fast"}, {"position": True},
]  # fmt: skip


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_the_codec_refuses(change: dict[str, Any]) -> None:
    """The board checks no types: what it relied on before is refused where records are decoded."""
    good = synthetic.tick(100, INFO)[0]
    with pytest.raises(BadRecord):
        typed("positions", {**good, **change} if change and "race_id" not in change else change)


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(INFO.race_id))
ROLES = {
    "positions": synthetic.tick(100, INFO)[0],
    "race_control": synthetic.event(90, 1, "pit_in", "NOR", "in"),
    "commentary": {"id": "1", "message": "x", "timestamp": synthetic.START, "type": "info"},
    "avg_speed": {"avg_speed": 200.0},
    "car_metrics_anomalies": {"engine_temperature": 110.0, "is_anomaly": True},
}
KEYS = st.one_of(
    st.none(),
    st.text(),
    st.fixed_dictionaries({"key": st.text(), "ts": st.integers(0, 4_102_444_800_000)}),
    st.fixed_dictionaries({"driver_name": st.text(), "race_id": st.one_of(st.none(), st.text())}),
)


@given(st.data())
def test_what_passes_the_codec_raises_nothing(data: st.DataObject) -> None:
    role = data.draw(st.sampled_from(sorted(ROLES)))
    changes = data.draw(st.dictionaries(st.sampled_from(sorted(ROLES["positions"])), VALUES, max_size=4))
    key = data.draw(KEYS)
    if isinstance(key, dict) and ("ts" in key) != (role == "car_metrics_anomalies"):
        key = None  # the codec reads each topic's key by the topic's own schema
    with suppress(BadRecord):
        Board(INFO).apply(role, typed(role, {**ROLES[role], **changes}), key)


def test_original_records_make_frames() -> None:
    names = ("driver_name", "position", "timestamp", "race_id", "team_name", "speed")
    bare = [
        ("positions", typed("positions", {name: record[name] for name in names}))
        for _, record in positions(100, 101, 102)
    ]
    frames = fold(Board(INFO), bare)
    assert [frame["tick"] for frame in frames] == [0, 1, 2]
    assert frames[0]["cars"][0]["driver_code"] in {car.code for car in INFO.cars}
    assert frames[0]["cars"][0]["gap_s"] is None


def test_the_next_instant_ends_a_tick() -> None:
    names = ("driver_name", "position", "timestamp", "race_id", "team_name", "speed")
    ten = [("positions", typed("positions", {name: record[name] for name in names})) for number in (100, 101)
           for record in synthetic.tick(number, INFO)[:10]]  # fmt: skip
    board = Board(INFO)
    [frame] = fold(board, ten)
    assert len(frame["cars"]) == 10
    assert fold(board, ten[:10]) == []


def test_a_missing_code_is_made_of_the_name() -> None:
    assert initials("Max Verstappen") == "VER"
    assert initials("") == "CAR"
    assert initials("Li O") == "O"


def test_best_laps_have_their_colours() -> None:
    [frame] = fold(Board(INFO), positions(200))
    fastest = frame["fastest"]
    assert fastest
    by_code = {car["driver_code"]: car for car in frame["cars"]}
    assert fastest["lap_s"] == min(car["best_lap_s"] or 999 for car in frame["cars"])
    assert by_code[fastest["driver_code"]]["best_mark"] == "purple"
    for car in frame["cars"]:
        if car["lap_mark"] == "green":
            assert car["last_lap_s"] == car["best_lap_s"] != fastest["lap_s"]


def test_sector_marks_remember_the_best() -> None:
    board = Board(INFO)
    frames = fold(board, positions(*range(60, 300)))
    marked = [car["sector_marks"] for frame in frames for car in frame["cars"]]
    assert {mark for marks in marked for mark in marks} == {"", "purple", "green"}
    assert max(sum(map(bool, marks)) for marks in marked) == 1, "only the newest one"
    for car in frames[-1]["cars"]:
        for time, mark in zip(car["sectors"], car["sector_marks"], strict=True):
            assert mark != "purple" or time in frames[-1]["best_sectors"]


def test_catching_needs_two_laps_that_were_raced() -> None:
    cars: list[Any] = [blank_car(entry) for entry in INFO.cars[:2]]
    ahead, car = cars
    for one, lap_s in ((ahead, 82.0), (car, 81.5)):
        one.update(status="racing", tyre_age=4, lap=5, last_lap_s=lap_s)
    assert catching(ahead, car, "green") == 0.5
    assert catching(ahead, car, "safety_car") is None
    assert catching(ahead | {"tyre_age": 1}, car, "green") is None
    assert catching(ahead, car | {"laps_down": 1}, "green") is None


def test_a_board_takes_over_without_a_gap() -> None:
    first = Board(INFO)
    records = positions(*range(60, 160))
    control = ("race_control", synthetic.event(70, 3, "pit_in", "NOR", "NOR pits"))
    fold(first, [*records[:1100], control, *records[1100:2200]])
    second = Board(INFO, last=json.loads(json.dumps(first.frame)))
    one, other = fold(first, positions(160)), fold(second, [control, *positions(160)])
    assert [with_history_of(frame, one[-1]) for frame in other] == one
    assert first.frame == one[-1]


def with_history_of(frame: Frame, other: Frame) -> Frame:
    """The own driver's story comes from the history, whose laps and messages no frame has."""
    return {**frame, "own": other["own"]}


@pytest.mark.parametrize("order", [1, -1])
def test_the_last_lap_is_called_on_it(order: int) -> None:
    """The message stands at the lap that its car begins in that tick, whether it or the tick comes first; the pit lane
    at the lap that the leader was on, and a lap that the race does not have at its last."""
    started = next(
        n for n in range(380, 420) if max(car["lap"] for car in synthetic.tick(n, INFO)) == INFO.laps
    )
    messages = [
        ("race_control", synthetic.event(started, ordinal, kind, "NOR", kind) | {"lap": lap})
        for ordinal, (kind, lap) in enumerate([("last_lap", 12), ("pit_in", 9), ("green", 10**6)])
    ]
    board = Board(INFO)
    fold(board, positions(*range(started - 400, started)))
    for records in (messages, positions(started))[::order]:
        fold(board, records)
    [frame] = fold(board, positions(started + 1))
    found = {note["kind"]: note["lap"] for note in frame["control"]}
    assert found == {"last_lap": 12, "pit_in": 11, "green": 12}


@pytest.mark.parametrize("order", [1, -1])
def test_a_line_stands_at_its_lap(order: int) -> None:
    """A line speaks of a whole tick: on the tick that begins a lap it stands at that lap, whichever comes first."""
    started = next(
        n for n in range(380, 420) if max(car["lap"] for car in synthetic.tick(n, INFO)) == INFO.laps
    )
    at = synthetic.START + started * 200
    line = {"id": "1", "message": "Last lap!", "timestamp": at, "type": "highlight", "race_id": INFO.race_id}
    board = Board(INFO)
    fold(board, positions(*range(started - 400, started)))
    before = {**line, "id": "0", "timestamp": at - 200}
    fold(board, [("commentary", before)])
    for records in ([("commentary", line)], positions(started))[::order]:
        fold(board, records)
    [frame] = fold(board, positions(started + 1))
    assert [note["lap"] for note in frame["commentary"]] == [INFO.laps, INFO.laps - 1]


def test_places_gained_count_from_the_grid() -> None:
    [frame] = fold(Board(INFO), positions(200))
    assert all(car["gained"] == car["grid"] - car["position"] for car in frame["cars"])


def test_battles_need_a_green_or_yellow_flag() -> None:
    board = Board(INFO)
    for frame in fold(board, positions(*range(40, 400))):
        for car in frame["cars"]:
            near = car["interval_s"] is not None and car["interval_s"] < 1
            assert car["battle"] == (near and frame["phase"] == "race" and car["status"] == "racing"
                                     and frame["flag"] in ("green", "yellow") and car["lap"] > 0)  # fmt: skip


def test_overtake_mode_needs_a_car_ahead() -> None:
    board = Board(INFO)
    shown = set()
    records = [(role, record | {"overtake_mode": True}) for role, record in positions(*range(40, 400))]
    for frame in fold(board, records):
        for car in frame["cars"]:
            interval, use = car["interval_s"], car["overtake_mode"]
            shown.add(use)
            assert not use or (frame["flag"] in ("green", "yellow") and interval is not None and interval < 2)
            assert use or not car["battle"]
    assert shown == {True, False}


def test_a_meta_survives_json() -> None:
    assert RaceInfo.from_json(json.loads(json.dumps(INFO.to_json()))) == INFO
