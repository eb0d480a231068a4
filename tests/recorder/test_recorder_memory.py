"""What the recorder remembers of a race is bounded, still tells repeats from what is new, and knows what is over."""

from typing import Any

import pytest

from races.board.board import Board
from races.board.storage import pack_readings
from races.models import Race, ReadingChunk
from races.recorder.race_recording import FORGET_S, HALF_TICK_S, REMEMBERED_MS, RaceRecording, SeenReadings
from races.recorder.recorder import Recorder
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.consumer import Tail
from races.streams.registry.service import Registry
from tests.fakes.recorded import Recorded
from tests.live import synthetic

TICK_MS = 200
START = 1_760_000_000_000


def no_tail(offsets: Any, incarnation: str | None) -> Tail:
    raise AssertionError("nothing is read")


def test_a_reading_is_new_once_late_ones_too() -> None:
    seen = SeenReadings()
    assert seen.add("NOR", START + 1000)
    assert not seen.add("NOR", START + 1000)
    assert seen.add("PIA", START + 1000)
    assert seen.add("NOR", START + 200), "late, but never seen"
    assert not seen.add("NOR", START + 200)


def test_memory_stays_at_two_spans_a_car() -> None:
    seen, ticks = SeenReadings(), 4 * REMEMBERED_MS // TICK_MS
    for tick in range(ticks):
        for code in ("NOR", "PIA"):
            assert seen.add(code, START + tick * TICK_MS)
            assert len(seen) <= 2 * 2 * REMEMBERED_MS // TICK_MS
    assert len(seen) < ticks, "half of what came at most"


def test_whole_race_read_again_is_no_news() -> None:
    seen, instants = SeenReadings(), [START + tick * TICK_MS for tick in range(4 * REMEMBERED_MS // TICK_MS)]
    assert all(seen.add("NOR", ts) for ts in instants)
    assert not any(seen.add("NOR", ts) for ts in instants)


def test_a_car_that_fell_silent_for_long_is_heard_again() -> None:
    seen = SeenReadings()
    assert seen.add("NOR", START)
    assert seen.add("NOR", START + 10 * REMEMBERED_MS)
    assert not seen.add("NOR", START)


@pytest.mark.parametrize(("cars", "patience_s"), [(22, FORGET_S), (11, HALF_TICK_S)])
def test_silent_race_is_forgotten(cars: int, patience_s: float) -> None:
    """The history takes whole ticks: nobody would read the first half again."""
    recording = RaceRecording(Race(), Board(synthetic.info()), None, heard_at=100.0)
    for record in synthetic.tick(0, synthetic.info())[:cars]:
        recording.position(record, 100.0)
    assert not recording.forgettable(100.0 + patience_s)
    assert recording.forgettable(101.0 + patience_s)


@pytest.mark.django_db
def test_a_late_row_opens_no_alarm_of_a_race_that_is_over() -> None:
    """Flagged rows only, and a recorder that has the race from the database."""
    found = Recorded()
    over = found.frames[-1]["timestamp"]
    row = {"team_name": "Ferrari", "engine_temperature": 118.0, "is_anomaly": True}
    ReadingChunk.objects.create(race=found.race, data=pack_readings([("Ferrari", over - 1000, row)]))
    recorder = Recorder(no_tail, Codec(embedded_settings("nowhere:1"), Registry()), wall=lambda: over)
    recording = recorder.load_race(str(found.race.pk))
    assert recording is not None
    assert not recording.alarms
    assert recording.reading(row, {"key": "Ferrari", "ts": over - 400})
    (alarm,) = recording.alarms.values()
    assert (alarm["start"], alarm["end"]) == (over - 1000, over - 400)
