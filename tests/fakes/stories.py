"""What can go wrong with a race's records and with the clock, told for whichever Kafka: the embedded one or a real
one. After each story every tick is in the history once and as it was published, the board and the classification
are the last tick's, and /healthz has told the truth meanwhile. Nobody lends a hand.
"""

from __future__ import annotations

import io
import json
import random
import struct
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

import fastavro
import pytest
from confluent_kafka import Producer
from django.test import Client
from django.utils import timezone

from races.board.frames import Frame
from races.lab.components import make_components
from races.lib.clock import Clocks
from races.live import service
from races.live.service import LiveService, status_of
from races.models import Race
from races.recorder.reader import live_board, wall_ms
from races.streams.connection import Connection
from races.streams.logs import QUIET
from races.streams.registry.service import Registry
from races.streams.topics import ROLES, TOPICS, subject
from tests.fakes.expected import Tick, check_history, expected_ticks, of_frame, of_records, order
from tests.fakes.lab import Records, ended, health, running, short_race
from tests.fakes.published import check_whole, over
from tests.fakes.waiting import wait_for
from tests.live.dom import Page

NEWER = {"name": "drag_n", "type": "double", "default": 0.0}
NOT_YET = {
    "overtake_mode": False,
    "stints": "",
    "tyre_age": 0,
}  # a reader's defaults for what the older one lacks


class Say(Protocol):
    def __call__(self, role: str, record: dict[str, Any], data: bytes | None = None) -> None: ...


def simulated(laps: int = 9, began_s: int = 60, **choice: Any) -> tuple[Race, list[Tick]]:
    """A race that began some time ago for all that the database knows, and its records, which no worker publishes.
    The first 31 of the 90 ticks that it has by default stand on the grid.
    """
    race = short_race(laps=laps, **choice)
    Race.objects.filter(pk=race.pk).update(
        status=Race.Status.RUNNING, started_ms=wall_ms() - began_s * 1000, published_over=True
    )
    race.refresh_from_db()
    return race, expected_ticks(race)


@contextmanager
def publishing(kafka: Connection) -> Iterator[Say]:
    """say(role, record, value bytes or None for our own schema)."""
    producer = Producer({**QUIET, **kafka.settings.librdkafka})

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


@contextmanager
def lab(kafka: Connection) -> Iterator[LiveService]:
    """Worker, analytics, recorder and what a web process reads, in threads; from when /healthz is content."""
    live, components = (
        LiveService(),
        make_components(kafka, Clocks(wall=lambda: time.time())),
    )  # the stepped clock
    reading = threading.Thread(target=live.feed.run, args=(kafka.tail(ROLES), kafka.codec))
    with pytest.MonkeyPatch.context() as patch, running(components):
        patch.setattr(service, "_service", live)
        reading.start()
        try:
            wait_for(lambda: health()[0] == 200, "all is well")
            yield live
        finally:
            live.feed.stop()
            reading.join(10)


def watched(live: LiveService, race: Race) -> None:
    """Watches a race as somebody does who opens its page."""
    board = live_board(race)
    assert board is not None
    live.feed.watch(str(race.pk), board, status_of(race), anomaly_on=False)


def say_all(say: Say, ticks: Collection[Tick]) -> None:
    for tick in ticks:
        for role, record in tick:
            say(role, record)


def phase_of(frame: Frame | None) -> str:
    return frame["phase"] if frame else ""


def check_shown(race: Race, last: Tick, live: LiveService) -> None:
    """The page and the API show the last tick, in its order."""
    race_id = str(race.pk)
    wait_for(lambda: phase_of(live.frame(race_id)) == "over", "the page shows the end")
    frame = live.frame(race_id)
    assert frame is not None
    assert of_frame(frame) == of_records(last)
    rows: list[Any] = Page(live.feed.snapshot(race_id)[0]).element("rows").children
    assert [row.attributes["data-c"] for row in rows] == order(last)
    answer = Client().get(f"/api/races/{race_id}/").json()
    assert [car["driver_code"] for car in answer["classification"]] == order(last)
    assert answer["missing_ticks"] == race.missing_ticks


def all_well() -> None:
    """/healthz says so, and of no record that it was passed over or gone before it was read."""
    status, body = health()
    assert status == 200, body
    assert body["feed"]["gaps"] == 0
    assert {**body["feed"]["skipped_records"], **body["recorder"]["skipped_records"]} == {}


def recorded(race: Race, tick: int, what: str) -> None:
    """Waits for that tick in the history, and prints how long."""
    began = time.monotonic()
    wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick >= tick, f"history goes on after {what}")
    print(f"\n{what}: 20 further ticks in the history {time.monotonic() - began:.1f} s after")


def duplicated_and_reordered(kafka: Connection) -> None:
    """Three ticks at a time in any order, some records of them twice, and an earlier tick once more."""
    race, ticks = simulated()
    chance = random.Random(1)
    with lab(kafka) as live, publishing(kafka) as say:
        watched(live, race)
        for number in range(0, len(ticks), 3):
            mixed = [one for tick in ticks[number : number + 3] for one in tick]
            mixed += chance.sample(mixed, 15) + ticks[chance.randrange(max(0, number - 20), number + 1)]
            chance.shuffle(mixed)
            say_all(say, [mixed])
            all_well()
        ended(race)
        check_history(race, ticks)
        check_shown(race, ticks[-1], live)
        all_well()


def late_and_missing(kafka: Connection) -> None:
    """One car's record of a tick never comes; later a whole tick comes after the five that follow it."""
    race, ticks = simulated()
    lost, late = 35, 60
    with lab(kafka) as live, publishing(kafka) as say:
        watched(live, race)
        say_all(say, [*ticks[:lost], ticks[lost][1:], *ticks[lost + 1 : lost + 21]])
        recorded(race, lost + 20, "a record that never comes")
        all_well()
        say_all(say, [*ticks[lost + 21 : late], *ticks[late + 1 : late + 6], ticks[late]])
        say_all(say, ticks[late + 6 : late + 21])
        recorded(race, late + 20, "a tick that came a second late")
        all_well()
        say_all(say, ticks[late + 21 :])
        ended(race)
        check_history(race, ticks, missing={lost})
        check_shown(race, ticks[-1], live)
    report = Client().get(race.get_absolute_url()).content.decode()
    assert "Not recorded: 1 tick of this race" in report


def framed(registry: Registry, name: str, schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    """By fastavro, as a writer of another version would; name: of the schema's subject."""
    number = registry.register(name, json.dumps(schema), "AVRO")
    out = io.BytesIO(struct.pack(">bI", 0, number))
    out.seek(5)
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def other_schemas(kafka: Connection, registry: Registry) -> None:
    """Ten ticks as we write them, ten of an older lab, ten of a newer one, and so on."""
    race, ticks = simulated()
    ours = json.loads(TOPICS["positions"].value_schema)
    older = ours | {"fields": [field for field in ours["fields"] if field["name"] not in NOT_YET]}
    newer = ours | {"fields": [*ours["fields"], NEWER]}
    name = subject(kafka.settings.topic("positions"), "value")
    kafka.codec.prepare()  # ours is the first, and theirs are held against it
    read: list[Tick] = []
    with lab(kafka) as live, publishing(kafka) as say:
        watched(live, race)
        for number, tick in enumerate(ticks):
            schema = (None, older, newer)[number // 10 % 3]
            read.append([])
            for role, record in tick:
                other = schema if role == "positions" else None
                say(role, record, other and framed(registry, name, other, record | {"drag_n": 812.5}))
                read[-1].append((role, record | NOT_YET if other is older else record))
            if number % 5 == 0:
                all_well()
        ended(race)
        check_history(race, read)
        check_shown(race, read[-1], live)
        all_well()
    assert registry.handle("GET", f"/subjects/{name}/versions", {}) == (200, [1, 2, 3])


@contextmanager
def wall_clock() -> Iterator[Any]:
    """step(seconds) puts this process's wall clock forward or back; the monotonic one goes on as it does."""
    wall, now, by = time.time, timezone.now, [0.0]

    def step(seconds: float) -> None:
        by[0] += seconds

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: wall() + by[0])
        patch.setattr(timezone, "now", lambda: now() + timedelta(seconds=by[0]))
        yield step


def waited_s(race: Race) -> float:
    return float(sum(ms for _, ms in Race.objects.get(pk=race.pk).waits) / 1000)


def stepped_clock(kafka: Connection, step_s: int) -> None:
    """In mid-race, under a worker that goes on, and then under another that knows the stepped clock only."""
    race = short_race(laps=5)
    with wall_clock() as step:
        with lab(kafka) as live:
            wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 10, "the race is on")
            watched(live, race)
            step(step_s)
            recorded(race, Race.objects.get(pk=race.pk).recorded_tick + 20, f"clock stepped by {step_s} s")
            all_well()
            assert waited_s(race) < 30
        with lab(kafka) as live:
            watched(live, race)
            recorded(race, Race.objects.get(pk=race.pk).recorded_tick + 20, "and another worker")
            all_well()
            ended(race)
            assert (waited_s(race) > 30) == (step_s > 0)
            check_history(race, expected_ticks(race))
            check_shown(race, expected_ticks(race)[-1], live)
    check_whole(race, Records(kafka, "positions").read(over))
