"""What goes wrong around a race, and how it comes out: whole, told meanwhile, without a hand."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from django.db import connection as database
from django.test import Client

from races import connection
from races.connection import Connection
from races.live.history import last_frame
from races.models import BoardChunk, Race
from races.recorder import writing
from races.recorder.chunks import unpack_frames
from races.recorder.recorder import Recorder
from races.registry_ping import RegistryPing
from races.roles import Roles, make_roles
from races.sim import Race as Simulation
from races.sim import load_season
from races.streams.config import StreamSettings
from races.streams.embedded import EmbeddedKafka
from races.streams.registry import Registry
from races.streams.topics import DEFAULT_NAMES, TOPICS
from races.worker.prepare import settings_of
from races.worker.records import field_of, tick_records
from races.worker.worker import Clocks
from tests.conftest import wait_for
from tests.races.conftest import Records, ended, recording, running, short_race
from tests.races.test_worker import check_whole, over
from tests.streams.registry_http import serve

pytestmark = pytest.mark.django_db(transaction=True)
STARTED = 1_780_000_000_000
Tick = list[tuple[str, dict[str, Any]]]  # role and record, all of one race


def frames(race: Race) -> list[int]:
    return [f["tick"] for c in BoardChunk.objects.filter(race=race) for f in unpack_frames(bytes(c.data))]


def simulated() -> tuple[Race, list[Tick]]:
    """A race that runs for the database, and its records, which no worker publishes."""
    race = short_race()
    Race.objects.filter(pk=race.pk).update(status=Race.Status.RUNNING, started_ms=STARTED)
    sim, names = Simulation(settings_of(race)), field_of(str(race.pk), race.laps, load_season())
    ticks = []
    while not sim.over:
        tick = sim.advance()
        found = tick_records(names, tick, STARTED + tick.tick * 200, metrics=False)
        ticks.append([(one.role, one.value) for one in found])
    return race, ticks


@contextmanager
def publishing(kafka: Connection) -> Iterator[Any]:
    """say(role, record, value bytes or None for our own schema)."""
    producer = Producer(dict(kafka.settings.librdkafka))

    def say(role: str, record: dict[str, Any], data: bytes | None = None) -> None:
        value = kafka.codec.encode(role, record) if data is None else data
        topic = kafka.settings.topic(role)
        while True:
            try:
                producer.produce(topic, value, key=record["race_id"], timestamp=record["timestamp"])
                return
            except BufferError:
                producer.poll(0.05)

    yield say
    producer.flush(10)


def check_history(race: Race, ticks: list[Tick]) -> None:
    race.refresh_from_db()
    assert race.status == Race.Status.FINISHED
    last = sorted((r for role, r in ticks[-1] if role == "positions"), key=lambda r: r["position"])
    assert list(race.results.order_by("position").values_list("driver_code", flat=True)) == [
        record["driver_code"] for record in last
    ]
    events = {record["event"] for tick in ticks for role, record in tick if role == "race_control"}
    assert set(race.control.values_list("event", flat=True)) == events


def test_duplicated_and_reordered_records_make_the_same_history(kafka: Connection) -> None:
    race, ticks = simulated()
    chance = random.Random(1)
    with recording(kafka), publishing(kafka) as say:
        for number, tick in enumerate(ticks):
            again = ticks[chance.randrange(max(0, number - 20), number + 1)] if number % 3 == 0 else []
            mixed = [*tick, *tick[:5], *again]
            chance.shuffle(mixed)
            for role, record in mixed:
                say(role, record)
        ended(race)
    check_history(race, ticks)
    assert frames(race) == list(range(len(ticks)))
    assert race.missing_ticks == 0


def test_missing_and_late_records_are_counted_and_the_race_ends_right(kafka: Connection) -> None:
    race, ticks = simulated()
    lost, late = 30, 41
    with recording(kafka), publishing(kafka) as say:
        held_back: Tick = []
        for number, tick in enumerate(ticks):
            if number == late:
                held_back = tick
                continue
            for role, record in tick[1:] if number == lost else tick:
                say(role, record)
            if number == late + 5:
                for role, record in held_back:
                    say(role, record)
        ended(race)
    race.refresh_from_db()
    got = frames(race)
    assert len(got) == len(set(got))
    absent = set(range(len(ticks))) - set(got)
    assert lost in absent
    assert absent <= {lost, late}
    assert race.missing_ticks == len(absent)
    assert last_frame(race) is not None
    assert race.results.count() == 22


def framed(registry: Registry, schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    """By fastavro, as a writer of another version would."""
    subject = f"other-{len(schema['fields'])}"
    number = registry.register(subject, json.dumps(schema), "AVRO")
    out = io.BytesIO(struct.pack(">bI", 0, number))
    out.seek(5)
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def test_records_of_an_older_and_a_newer_schema_are_the_same_race(kafka: Connection) -> None:
    race, ticks = simulated()
    ours = json.loads(TOPICS["positions"].value_schema)
    without = {"overtake_mode", "stints", "tyre_age"}
    older = ours | {"fields": [f for f in ours["fields"] if f["name"] not in without]}
    newer = ours | {"fields": [*ours["fields"], {"name": "drag_n", "type": "double", "default": 0.0}]}
    assert kafka.embedded_registry is not None
    with recording(kafka) as recorder, publishing(kafka) as say:
        for number, tick in enumerate(ticks):
            for role, record in tick:
                other = (None, older, newer)[number // 10 % 3] if role == "positions" else None
                value = record | {"drag_n": 812.5}
                say(role, record, other and framed(kafka.embedded_registry, other, value))
        ended(race)
        assert not recorder.bad
    check_history(race, ticks)
    assert frames(race) == list(range(len(ticks)))


def test_a_database_that_is_locked_holds_the_race_and_loses_nothing(kafka: Connection, roles: Roles) -> None:
    race = short_race(laps=2)
    wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 10, "the race is on")
    with closing(sqlite3.connect(database.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(10)  # longer than a lease
        other.execute("ROLLBACK")
    freed = time.monotonic()
    before = Race.objects.get(pk=race.pk).published_tick
    wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > before, "it goes on")
    print(f"\ndatabase locked for 10 s: publishing again {time.monotonic() - freed:.1f} s after")
    race = ended(race)
    assert race.status == Race.Status.FINISHED
    assert frames(race) == list(range(race.recorded_tick + 1))
    assert race.missing_ticks == 0
    check_whole(race, Records(kafka, "positions").read(over))


def test_a_full_disk_stops_history_until_there_is_room(
    kafka: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, real = threading.Event(), writing.flush
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

    monkeypatch.setattr(writing, "flush", flush)
    with database.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that other tests left free would be room
    with running(make_roles(kafka)) as roles:
        race = short_race(laps=3)
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 10, "it records")
        full.set()
        wait_for(lambda: "does not take history" in roles.recorder.error, "the disk is full")
        assert "full" in refused[0]
        full.clear()
        freed = time.monotonic()
        wait_for(lambda: not roles.recorder.error, "it records again")
        print(f"\ndisk full: recording again {time.monotonic() - freed:.1f} s after there was room")
        race = ended(race)
    assert frames(race) == list(range(race.recorded_tick + 1))
    assert race.missing_ticks == 0


@pytest.mark.parametrize("step_s", [-60, 60])
def test_a_clock_that_steps_changes_no_record_that_was_published(kafka: Connection, step_s: int) -> None:
    race = short_race(laps=2)
    with running(make_roles(kafka)):
        wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 20, "the race is on")
    after = make_roles(kafka)
    after.worker.clocks = Clocks(wall=lambda: time.time() + step_s)
    with running(after):
        race = ended(race)
    assert race.status == Race.Status.FINISHED
    assert bool(race.waits) == (step_s > 0)
    check_whole(race, Records(kafka, "positions").read(over))
    assert frames(race) == list(range(race.recorded_tick + 1))


def test_a_worker_that_was_suspended_publishes_nothing_of_a_race_that_another_has(kafka: Connection) -> None:
    race = short_race(laps=2)
    asleep = threading.Event()
    first = make_roles(kafka)
    heartbeat = first.worker._heartbeat
    first.worker._heartbeat = lambda: None if asleep.is_set() else heartbeat()  # type: ignore[method-assign]
    first.worker._save = lambda held: True  # type: ignore[method-assign]
    with running(first):
        wait_for(lambda: first.worker.conductor.held, "the first worker holds the race")
        wait_for(lambda: next(iter(first.worker.conductor.held.values())).next_tick > 5, "it publishes")
        asleep.set()
        del first.worker._save
        with running(make_roles(kafka)) as second:
            wait_for(lambda: second.worker.conductor.held, "the second took it", 20)
            asleep.clear()
            wait_for(lambda: not first.worker.conductor.held, "the first lets go")
            race = ended(race)
    assert race.status == Race.Status.FINISHED
    check_whole(race, Records(kafka, "positions").read(over))


def test_a_registry_that_is_down_at_the_start_is_waited_for_and_told() -> None:
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
        with running(make_roles(kafka)):
            race = short_race()
            wait_for(lambda: "registry" in Race.objects.get(pk=race.pk).waiting_for, "it is told")
            answer = Client().get("/healthz")
            assert answer.status_code == 503
            assert "503" in answer.json()["registry"]["error"]
            assert Client().get("/livez").status_code == 200
            registry.down, back = False, time.monotonic()
            wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 0, "the race starts", 30)
            print(f"\nregistry down at the start: racing {time.monotonic() - back:.1f} s after it was up")
            assert ended(race).status == Race.Status.FINISHED
        wait_for(lambda: Client().get("/healthz").json()["registry"]["ok"], "it is told that it is well")


def test_a_registry_that_goes_in_mid_race_is_noticed_within_seconds_and_asked_seldom() -> None:
    now = [0.0]
    ping = RegistryPing(lambda: now[0])
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


def test_the_recorders_lease_passes_on_when_its_holder_vanishes(kafka: Connection) -> None:
    race, ticks = simulated()
    vanished = Recorder(lambda start, incarnation: kafka.tail(["positions"], start, incarnation), kafka.codec)
    assert vanished._lease.hold()
    with recording(kafka) as follower, publishing(kafka) as say:
        for tick in ticks:
            for role, record in tick:
                say(role, record)
        assert not follower.active
        ended(race, 30)
    check_history(race, ticks)
    assert frames(race) == list(range(len(ticks)))
