"""The embedded broker keeps 5 MiB of a partition. What nobody read before it went is gone, and the race tells."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from races.streams.connection import Connection
from tests.fakes.expected import check_answer, check_history, stored
from tests.fakes.lab import ended, recording
from tests.fakes.stories import publishing, say_all, simulated

pytestmark = pytest.mark.django_db(transaction=True)


def test_lost_window_is_counted_and_shown(kafka: Connection) -> None:
    race, ticks = simulated(circuit="monza", laps=53, pace=12, began_s=400)
    with publishing(kafka) as say:
        say_all(say, ticks)
    began = time.monotonic()
    with recording(kafka):
        race = ended(race)
    print(
        f"\nwhat the window still held is history {time.monotonic() - began:.1f} s after the recorder's start"
    )
    first = stored(race)[0]["tick"]
    assert first > 0, "all of it found room"
    check_history(race, ticks, missing=range(first))
    answer = Client().get(f"/api/races/{race.pk}/").json()
    assert answer["missing_ticks"] == first
    check_answer(answer, ticks)
    words = f"Not recorded: {first} ticks of this race"
    assert words in Client().get(race.get_absolute_url()).content.decode()
    replay = Client().get(f"{race.get_absolute_url()}replay/").content.decode()
    assert f"Not recorded: {first} ticks. There the picture stands still" in replay
