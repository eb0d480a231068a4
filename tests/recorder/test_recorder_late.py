"""The recorder waits for a tick while later ones are there already, and not for ever."""

from __future__ import annotations

from races.board.board import HORIZON, Board
from races.models import Race
from races.recorder.race_recording import LATE_S, RaceRecording
from tests.live import synthetic

INFO = synthetic.info()


def after(*ticks: int, now: float = 0.0) -> RaceRecording:
    recording = RaceRecording(Race(), Board(INFO), None)
    for place, number in enumerate(ticks):
        for record in synthetic.tick(number, INFO):
            recording.position(record, now, (0, place))
    return recording


def stored(recording: RaceRecording) -> list[int]:
    return [frame["tick"] for frame in recording.frames]


def test_a_late_tick_is_placed_where_it_belongs() -> None:
    recording = after(0, 2, 3)
    assert stored(recording) == [0]
    for record in synthetic.tick(1, INFO):
        recording.position(record, LATE_S - 0.1)
    assert stored(recording) == [0, 1, 2, 3]
    assert recording.missing == 0


def test_a_tick_that_does_not_come_in_time_is_missing() -> None:
    recording = after(0, 2, 3)
    recording.store_in_order(LATE_S - 0.1)
    assert stored(recording) == [0]
    recording.store_in_order(LATE_S)
    assert stored(recording) == [0, 2, 3]
    assert recording.missing == 1
    for record in synthetic.tick(1, INFO):
        recording.position(record, LATE_S)
    assert stored(recording) == [0, 2, 3]


def test_wait_of_a_fast_reader_is_bounded() -> None:
    recording = after(0, *range(2, HORIZON + 2))
    assert stored(recording) == [0]
    assert len(recording.early) == HORIZON
    for record in synthetic.tick(HORIZON + 2, INFO):
        recording.position(record, 0.0)
    assert stored(recording) == [0, *range(2, HORIZON + 3)]
    assert recording.missing == 1


def test_next_reader_begins_at_the_waiting_tick() -> None:
    assert after(0, 2, 3).begun == {2: (0, 1), 3: (0, 2)}
