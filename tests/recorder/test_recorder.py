"""The recorder: history from the topics, once, however often they are read."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError

from races.board.storage import pack_frames, unpack_frames
from races.lab.components import Components, make_components
from races.models import Lap, Race, RecorderOffset, Result
from races.recorder import writer
from races.recorder.reader import last_frame
from races.streams.connection import Connection
from tests.fakes.history import history
from tests.fakes.lab import ended, health, recording, running, short_race
from tests.fakes.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_finished_race_has_its_whole_history(kafka: Connection, components: Components) -> None:
    race = ended(short_race(laps=2))
    found = history(race)
    assert len(found["results"]) == 22
    finishers = Result.objects.filter(race=race, status="finished", laps_down=0).count()
    assert Lap.objects.filter(race=race, lap=2).count() >= finishers
    assert found["frames"] == list(range(race.recorded_tick + 1))
    assert race.missing_ticks == 0
    assert all(
        average
        for _, average in Result.objects.filter(race=race).values_list("position", "average_speed_kmh")
    )
    assert {"lights_out", "chequered"} <= set(race.control.values_list("type", flat=True))
    assert race.commentary.exists()


@pytest.mark.full
def test_second_reading_changes_nothing(kafka: Connection) -> None:
    with running(make_components(kafka)):
        race = ended(short_race())
    before = history(race)
    RecorderOffset.objects.all().delete()
    with recording(kafka):
        wait_for(RecorderOffset.objects.exists, "everything is read again")
    assert history(race) == before


@pytest.mark.full
def test_recorder_resumes_in_mid_race(kafka: Connection) -> None:
    with running(make_components(kafka)) as components:
        race = short_race(laps=3)
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 20, "half is recorded")
        components.recorder.stop()
        wait_for(lambda: not components.recorder.active, "it stopped")
        with recording(kafka):
            race = ended(race)
    assert race.missing_ticks == 0
    assert history(race)["frames"] == list(range(race.recorded_tick + 1))


def test_a_database_that_refuses_for_a_while_costs_no_history(
    kafka: Connection, components: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = 0
    real = writer.flush

    def flush(*arguments: Any) -> None:
        nonlocal refused
        refused += 1
        if 2 <= refused <= 4:
            raise (InterfaceError if refused == 3 else DatabaseError)("disk full, or the connection gone")
        real(*arguments)

    monkeypatch.setattr(writer, "flush", flush)
    race = ended(short_race())
    assert refused > 4
    assert race.missing_ticks == 0
    assert history(race)["frames"] == list(range(race.recorded_tick + 1))


def test_undecodable_record_is_skipped(kafka: Connection, components: Components) -> None:
    from confluent_kafka import Producer

    race = short_race()
    hostile = Producer(dict(kafka.settings.librdkafka))
    for value in (b"", b"\x00", b"\x00\x00\x00\x00\x01\xff\xff", b"{}", b"\x00\x00\x00\x27\x0f{}"):
        for role in ("positions", "race_control", "commentary", "avg_speed", "car_metrics_anomalies"):
            hostile.produce(kafka.settings.topic(role), value, key=str(race.pk))
    hostile.flush(10)
    race = ended(race)
    assert race.status == Race.Status.FINISHED
    assert components.recorder.bad["positions"] >= 5
    assert health()[1]["recorder"] == {
        "ok": True,
        "here": True,
        "active": True,
        "skipped_records": components.recorder.bad,
    }


def test_frames_survive_their_storage(kafka: Connection, components: Components) -> None:
    race = ended(short_race())
    frame = last_frame(race)
    assert frame is not None
    assert frame["phase"] == "over"
    assert unpack_frames(pack_frames([frame])) == [frame]
