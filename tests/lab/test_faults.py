"""What goes wrong around a race, and how it comes out: whole, told meanwhile, without a hand."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client

from bench.services.registry_http import serve
from races.health.schema_registry import RegistryCheck
from races.lab.components import Components, make_components
from races.models import Race
from races.recorder import writer
from races.recorder.recorder import Recorder
from races.streams import connection
from races.streams.config import StreamSettings
from races.streams.connection import Connection
from races.streams.embedded import EmbeddedKafka
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES
from tests.fakes import stories
from tests.fakes.database import locked
from tests.fakes.expected import check_history, expected_ticks
from tests.fakes.lab import Records, ended, health, recording, running, short_race
from tests.fakes.published import check_whole, over
from tests.fakes.stories import publishing, say_all, simulated
from tests.fakes.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_reordered_records_make_one_history(kafka: Connection) -> None:
    stories.duplicated_and_reordered(kafka)


def test_a_late_tick_is_placed_and_a_missing_one_counted(kafka: Connection) -> None:
    stories.late_and_missing(kafka)


def test_older_and_newer_schemas_are_one_race(kafka: Connection) -> None:
    assert kafka.embedded_registry is not None
    stories.other_schemas(kafka, kafka.embedded_registry)


@pytest.mark.full
def test_locked_database_holds_the_race(kafka: Connection, components: Components) -> None:
    race = short_race(laps=2)
    wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 10, "the race is on")
    with locked(database.settings_dict["NAME"]):
        end = time.monotonic() + 10  # longer than a lease
        status, body = health()
        assert status == 503
        assert "locked" in body["database"]["error"]
        wait_for(lambda: "no history for" in health()[1]["recorder"].get("error", ""), "history waits", 9)
        while time.monotonic() < end:
            assert Client().get("/livez").status_code == 200
            time.sleep(0.2)
    freed = time.monotonic()
    before = Race.objects.get(pk=race.pk).published_tick
    wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > before, "it goes on")
    print(f"\ndatabase locked for 10 s: publishing again {time.monotonic() - freed:.1f} s after")
    wait_for(lambda: health()[1]["database"]["ok"] and health()[1]["recorder"]["ok"], "it is told")
    race = ended(race)
    check_history(race, expected_ticks(race))
    check_whole(race, Records(kafka, "positions").read(over))


@pytest.mark.full
def test_a_full_disk_stops_history_until_there_is_room(
    kafka: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, real = threading.Event(), writer.flush
    refused: list[str] = []

    def flush(*arguments: Any) -> None:
        """SQLite's own refusal, in the recorder's connection."""
        with database.cursor() as cursor:
            pages = cursor.execute("PRAGMA page_count").fetchone()[0] if full.is_set() else 2**30
            cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            real(*arguments)
        except Exception as error:
            refused.append(str(error))
            raise

    monkeypatch.setattr(writer, "flush", flush)
    with database.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that other tests left free would be room
    with running(make_components(kafka)) as components:
        race = short_race(laps=3)
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 10, "it records")
        full.set()
        wait_for(lambda: "does not take history" in components.recorder.error, "the disk is full")
        assert "full" in refused[0]
        status, body = health()
        assert status == 503
        assert "database or disk is full" in body["recorder"]["error"]
        assert Client().get("/livez").status_code == 200
        tick = Race.objects.get(pk=race.pk).published_tick
        wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > tick + 5, "the race goes on")
        full.clear()
        freed = time.monotonic()
        wait_for(lambda: health()[1]["recorder"]["ok"], "it records again")
        print(f"\ndisk full: recording again {time.monotonic() - freed:.1f} s after there was room")
        race = ended(race)
    check_history(race, expected_ticks(race))


@pytest.mark.full
@pytest.mark.parametrize("step_s", [-60, 60])
def test_stepping_clock_changes_no_record(kafka: Connection, step_s: int) -> None:
    stories.stepped_clock(kafka, step_s)


@pytest.mark.full
def test_suspended_worker_stays_silent(kafka: Connection) -> None:
    race = short_race(laps=2)
    asleep = threading.Event()
    first = make_components(kafka)
    heartbeat = first.worker.send_heartbeat
    first.worker.send_heartbeat = lambda: None if asleep.is_set() else heartbeat()  # type: ignore[method-assign]
    first.worker.save_progress = lambda race: True  # type: ignore[method-assign]
    with running(first):
        wait_for(lambda: first.worker.scheduler.races, "the first worker holds the race")
        wait_for(lambda: next(iter(first.worker.scheduler.races.values())).next_tick > 5, "it publishes")
        asleep.set()
        del first.worker.save_progress
        began = time.monotonic()
        with running(make_components(kafka)) as second:
            wait_for(lambda: second.worker.scheduler.races, "the second took it", 20)
            print(f"\nworker suspended: another has the race {time.monotonic() - began:.1f} s after")
            asleep.clear()
            wait_for(lambda: not first.worker.scheduler.races, "the first lets go")
            race = ended(race)
    check_history(race, expected_ticks(race))
    check_whole(race, Records(kafka, "positions").read(over))


def test_registry_down_at_the_start() -> None:
    with EmbeddedKafka(DEFAULT_NAMES.values()) as cluster, serve(Registry()) as registry:
        registry.down = True
        streams = StreamSettings(
            embedded=False,
            librdkafka={"bootstrap.servers": cluster.bootstrap},
            registry_url=registry.url,
            topics=dict(DEFAULT_NAMES),
        )
        kafka = connection.connect(streams)
        connection.use(kafka)
        with running(make_components(kafka)):
            race = short_race()
            wait_for(lambda: "registry" in Race.objects.get(pk=race.pk).waiting_for, "it is told")
            answer = Client().get("/healthz")
            assert answer.status_code == 503
            assert "503" in answer.json()["registry"]["error"]
            assert Client().get("/livez").status_code == 200
            registry.down, back = False, time.monotonic()
            wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 0, "the race starts", 30)
            print(f"\nregistry down at the start: racing {time.monotonic() - back:.1f} s after it was up")
            check_history(ended(race), expected_ticks(race))
        wait_for(lambda: Client().get("/healthz").json()["registry"]["ok"], "it is told that it is well")


def test_registry_goes_in_mid_race() -> None:
    now = [0.0]
    ping = RegistryCheck(lambda: now[0])
    with serve(Registry()) as registry:
        streams = StreamSettings(
            embedded=False, librdkafka={"bootstrap.servers": ""}, registry_url=registry.url
        )
        assert [ping.error(streams) for _ in range(50)] == [""] * 50
        assert len(registry.requests) == 1
        registry.down = True
        now[0] += 3.1
        assert "503" in ping.error(streams)
    now[0] += 3.1
    assert "does not answer" in ping.error(streams)


def test_recorders_lease_passes_on(kafka: Connection) -> None:
    race, ticks = simulated()
    vanished = Recorder(lambda start, incarnation: kafka.tail(["positions"], start, incarnation), kafka.codec)
    assert vanished._lease.hold()
    began = time.monotonic()
    with recording(kafka) as follower, publishing(kafka) as say:
        say_all(say, ticks)
        assert not follower.active
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick >= 0, "another one records", 30)
        print(f"\nrecorder vanished: another writes history {time.monotonic() - began:.1f} s after")
        ended(race, 30)
    check_history(race, ticks)
