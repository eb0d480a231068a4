"""What a worker waits for: it says so in calm words, loses nothing, and goes on by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections
from django.test import Client

from bench.services.registry_http import Served, serve
from races.analytics.engine import RaceAnalytics
from races.lab.components import make_components
from races.lib.clock import Clocks
from races.models import Race, RecorderOffset
from races.recorder import lost_endings, recorder
from races.recorder.lost_endings import ATTEMPTS, GIVEN_UP, SILENT_S, LostEndings
from races.sim import Race as Simulation
from races.sim import load_season
from races.streams import connection
from races.streams.config import StreamSettings, embedded_settings
from races.streams.connection import Connection
from races.streams.embedded import EmbeddedKafka
from races.streams.producer import Publisher, PublisherState
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES
from races.worker import analytics_runner, backfill, preparation
from races.worker.preparation import prepare, settings_of
from races.worker.records import entry_list, tick_records
from races.worker.running_race import RunningRace
from races.worker.tick_scheduler import MAX_INFLIGHT, TickScheduler
from tests.fakes.expected import check_history, expected_ticks
from tests.fakes.history import history
from tests.fakes.lab import Records, ended, health, running, short_race
from tests.fakes.published import check_whole, over
from tests.fakes.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "broker transport failure: " * 12


class Away:
    """A publisher whose broker is away, with more to say of it than a column holds."""

    def __init__(self) -> None:
        self.away, self.seconds = True, 0

    @property
    def state(self) -> PublisherState:
        self.seconds += 1
        return PublisherState(not self.away, f"waiting: broker away since {self.seconds} s ({LONG})", 10)

    def send(self, *record: Any) -> None: ...


def held_at(now: list[float]) -> RunningRace:
    race = short_race()
    prepared = prepare(race, "", Clocks(lambda: now[0]), None)
    assert prepared is not None
    return prepared[0]


def test_words_for_a_broker_that_is_away() -> None:
    now, publisher = [100.0], Away()
    held = held_at(now)
    scheduler = TickScheduler(publisher, lambda: now[0], lambda: True)  # type: ignore[arg-type]
    said = set()
    for _ in range(MAX_INFLIGHT + 20):
        scheduler.publish(held)
        now[0] += 0.2
        said.add(held.waiting_for)
    assert said == {"", "Kafka: the broker does not answer"}
    publisher.away, held.published = False, held.next_tick - 1
    scheduler.publish(held)
    assert scheduler.wants_wait
    assert held.waiting_for == "", "nothing is waited for any more but the wait's own writing"


def test_words_of_any_length_fit_their_columns() -> None:
    race = short_race()
    seen = (race.lease_owner, race.lease_counter)
    Race.objects.seen_as(race.pk, seen).explain_wait("x\0" * 900)
    race.refresh_from_db()
    assert race.waiting_for == "x" * 200
    Race.objects.seen_as(race.pk, ("somebody", 7)).explain_wait("not ours to say")
    Race.objects.held_by("", race.pk).fail("y" * 900)
    race.refresh_from_db()
    assert (race.waiting_for, race.status_reason) == ("", "y" * 500)


def break_connection() -> None:
    """This thread's connection ends, as when the database's server restarts."""
    connections["default"].ensure_connection()
    if database.vendor == "postgresql":
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connections["default"].connection.close()


def test_preparation_reconnects(
    kafka: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken: list[Race] = []

    def breaking(race: Race, *arguments: Any) -> Any:
        if not broken:
            broken.append(race)
            race.refresh_from_db()
            break_connection()
        return prepare(race, *arguments)

    monkeypatch.setattr(preparation, "prepare", breaking)
    with caplog.at_level(logging.WARNING), running(make_components(kafka)):
        assert ended(short_race()).status == Race.Status.FINISHED
    assert "waits for the database" in caplog.text


@pytest.fixture
def registry() -> Iterator[Served]:
    with serve(Registry()) as served:
        yield served


@pytest.fixture
def streams(registry: Served) -> Iterator[StreamSettings]:
    """The settings of a configured Kafka: the registry answers over HTTP only."""
    with EmbeddedKafka(DEFAULT_NAMES.values()) as cluster:
        yield StreamSettings(
            embedded=False,
            librdkafka={"bootstrap.servers": cluster.bootstrap},
            registry_url=registry.url,
            topics=dict(DEFAULT_NAMES),
        )


@contextmanager
def process(streams: StreamSettings) -> Iterator[Connection]:
    """What a new process has: nothing of the registry remembered."""
    found = connection.connect(streams)
    connection.use(found)
    yield found
    connection.use(None)


@pytest.mark.full
def test_restart_while_the_registry_is_down(streams: StreamSettings, registry: Served) -> None:
    race = short_race(laps=2)
    with process(streams) as kafka, running(make_components(kafka)):
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 10, "the race is on")
    Race.objects.filter(pk=race.pk).update(recorded_tick=-1)
    race.chunks.all().delete()
    race.control.all().delete()
    race.lap_set.all().delete()
    race.commentary.all().delete()
    RecorderOffset.objects.all().delete()  # all of it is to be read again
    registry.down = True
    with process(streams) as kafka, running(make_components(kafka)) as components:
        wait_for(lambda: "registry" in Race.objects.get(pk=race.pk).waiting_for, "the race says why")
        wait_for(lambda: "registry" in components.recorder.error, "the recorder says why")
        assert not RecorderOffset.objects.filter(next_offset__gt=0).exists()
        assert components.recorder.bad.total() == 0
        wait_for(lambda: "503" in health()[1]["registry"].get("error", ""), "it is told")
        status, body = health()
        assert (status, body["recorder"]["ok"]) == (503, False)
        assert "registry" in body["recorder"]["error"]
        assert Client().get("/livez").status_code == 200
        registry.down, back = False, time.monotonic()
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 20, "it goes on")
        print(
            f"\nregistry down at a restart: 20 ticks in the history {time.monotonic() - back:.1f} s after it was up"
        )
        wait_for(lambda: health()[1]["registry"]["ok"] and health()[1]["recorder"]["ok"], "that is told too")
        race = ended(race, 60)
        assert components.analytics is not None
        assert components.analytics.error == ""
    check_history(race, expected_ticks(race))
    with process(streams) as kafka:
        check_whole(race, Records(kafka, "positions").read(over))


def test_analytics_wait_for_a_schema(streams: StreamSettings, registry: Served) -> None:
    race = short_race()
    with process(streams) as kafka:
        components = make_components(kafka)
        assert components.analytics is not None
        decode = kafka.codec.decode
        refused: list[str] = []

        def away(role: str, data: bytes | None, ask: bool = True) -> Any:
            if role == "positions" and len(refused) < 3:
                refused.append(role)
                return connection.connect(replace(streams, registry_url="http://127.0.0.1:1")).codec.decode(
                    role, data, ask
                )
            return decode(role, data, ask)

        components.analytics._codec.decode = away  # type: ignore[method-assign]
        with running(components):
            race = ended(race, 60)
        assert len(refused) == 3
        assert components.analytics.bad_records == 0
    assert not race.results.filter(average_speed_kmh=None).exists()


def test_race_goes_on_without_engine_topics(
    streams: StreamSettings,
) -> None:
    race = short_race(laps=2)
    Race.objects.filter(pk=race.pk).update(anomaly_detection=True)
    with process(streams) as kafka, running(make_components(kafka)):
        wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 10, "the race is on")
    without = replace(streams, unused=frozenset({"car_metrics", "car_metrics_anomalies"}))
    with process(without) as kafka, running(make_components(kafka)):
        race = ended(race, 60)
    assert race.status == Race.Status.FINISHED
    with process(streams) as kafka:
        check_whole(race, Records(kafka, "positions").read(over))


def test_a_publisher_knows_which_topics_the_lab_has(streams: StreamSettings) -> None:
    with process(replace(streams, unused=frozenset({"car_metrics"}))) as kafka:
        publisher: Publisher = kafka.publisher()
        assert publisher.writes("positions")
        assert not publisher.writes("car_metrics")
        publisher.close(0)


def test_records_wait_for_the_backfill(kafka: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same holds where it was too much to keep: then the past reaches further."""
    monkeypatch.setattr(analytics_runner, "BACKLOG", 60)
    race = short_race()
    with running(make_components(kafka)):
        wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 10, "some of it is published")
    slow, real = [False], backfill.Backfill.work

    def late(one: backfill.Backfill, ticks: int) -> bool:
        """Is done only after the race has gone on for a second."""
        slow[0] = slow[0] or one._race.next_tick > one._published + 6
        return real(one, ticks) if slow[0] else False

    monkeypatch.setattr(backfill.Backfill, "work", late)
    with running(make_components(kafka)):
        race = ended(race)
    assert race.status == Race.Status.FINISHED
    lines, averages = derived_of(race)
    assert dict(race.commentary.values_list("identity", "message")) == lines
    assert dict(race.results.values_list("driver_name", "average_speed_kmh")) == averages


def derived_of(race: Race) -> tuple[dict[str, str], dict[str, float]]:
    """Commentary by id and average speeds, straight from the simulation."""
    sim, engine = Simulation(settings_of(race)), RaceAnalytics(str(race.pk))
    field = entry_list(str(race.pk), race.laps, load_season())
    lines, averages = {}, {}
    while not sim.over:
        tick = sim.advance()
        for record in tick_records(field, tick, race.event_ms(tick.tick), metrics=False):
            for found in engine.feed(record.role, record.value, record.key):
                if found.role == "commentary":
                    lines[found.value["id"]] = found.value["message"]
                elif isinstance(found.key, dict):
                    averages[found.key["driver_name"]] = found.value["avg_speed"]
    return lines, averages


def test_lost_end_is_published_again(kafka: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_endings, "SILENT_S", 1.0)
    monkeypatch.setattr(recorder, "LOOK_S", 0.1)
    race = short_race()
    with running(make_components(kafka)) as components:
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 10, "some of it is recorded")
        components.recorder.stop()
        wait_for(lambda: Race.objects.get(pk=race.pk).published_over, "all of it is published")
    with EmbeddedKafka(DEFAULT_NAMES.values()) as empty:
        another = connection.connect(embedded_settings(empty.bootstrap), Registry())
        with running(make_components(another)):
            race = ended(race)
    assert (race.status, race.missing_ticks) == (Race.Status.FINISHED, 0)
    assert history(race)["frames"] == list(range(race.recorded_tick + 1))


def test_a_race_whose_end_never_comes_is_given_up_with_words() -> None:
    now = [0.0]
    race, watch = short_race(), LostEndings(lambda: now[0])
    for _ in range(ATTEMPTS + 1):
        Race.objects.filter(pk=race.pk).update(published_over=True, published_tick=50, lease_owner="")
        watch.check(False, {})
        now[0] += SILENT_S + 1
        watch.check(False, {})
        watch.check(True, {race.pk: now[0]})
        now[0] += SILENT_S - 1
        watch.check(True, {})
        assert Race.objects.get(pk=race.pk).published_over, "not before it was silent for long"
        now[0] += 2
        watch.check(True, {})
        race.refresh_from_db()
    assert (race.status, race.status_reason) == (Race.Status.FAILED, GIVEN_UP)
