"""The page of the stream: records as they come, rates by the second, and nothing at all while nobody looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from django.test import Client

from races.live import stream_watch
from races.live.stream_watch import IDLE_S, StreamWatch
from races.streams import connection
from races.streams.connection import Connection
from tests.fakes.lab import short_race
from tests.fakes.waiting import wait_for
from tests.live.synthetic import RACE_ID, info, tick


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(kafka: Connection, clock: Clock) -> Iterator[StreamWatch]:
    found = StreamWatch(lambda: kafka, clock)
    yield found
    clock.now += 2 * IDLE_S
    wait_for(lambda: not found.running, "the watch ends")


def publish(kafka: Connection, number: int) -> None:
    publisher = kafka.publisher()
    for record in tick(number, info()):
        publisher.send("positions", RACE_ID, record, record["timestamp"])
    publisher.close()


def kept(watch: StreamWatch, find: str = "") -> int:
    return watch.look(RACE_ID, "positions", find, "embedded").kept


def reads(watch: StreamWatch) -> None:
    wait_for(lambda: not watch.look(RACE_ID, "positions", "", "embedded").state, "the watch reads")


def test_what_was_before_and_what_comes_is_shown(kafka: Connection, watch: StreamWatch) -> None:
    publish(kafka, 40)
    reads(watch)
    wait_for(lambda: kept(watch) == 22, "the records from before")
    publish(kafka, 41)
    wait_for(lambda: kept(watch) == 44, "the records that come")
    now = watch.look(RACE_ID, "positions", "", "embedded")
    assert '"tick": 41' in now.rows[0].text
    assert [row.offset for row in now.rows] == sorted((row.offset for row in now.rows), reverse=True)
    assert watch.look("another", "positions", "", "embedded").kept == 0


def test_the_list_holds_the_newest_two_hundred(kafka: Connection, watch: StreamWatch) -> None:
    for number in range(40, 50):
        publish(kafka, number)
    reads(watch)
    publish(kafka, 50)
    wait_for(lambda: kept(watch) >= 220, "more records than the list holds")
    rows = watch.look(RACE_ID, "positions", "", "embedded").rows
    assert len(rows) == 200
    assert '"tick": 50' in rows[0].text
    assert '"tick": 41' in rows[-1].text
    assert not any(row.text.endswith("…") for row in rows), "each is whole, and so is its copy"


def test_a_filter_finds_text(kafka: Connection, watch: StreamWatch) -> None:
    publish(kafka, 40)
    reads(watch)
    wait_for(lambda: kept(watch) == 22, "the records")
    for find in ("NOR", "nor", "Norris"):
        rows = watch.look(RACE_ID, "positions", find, "embedded").rows
        assert [row for row in rows if '"NOR"' in row.text] == list(rows)
        assert len(rows) == 1
    assert watch.look(RACE_ID, "positions", "nobody", "embedded").rows == ()


def test_rates_are_by_the_second(kafka: Connection, watch: StreamWatch, clock: Clock) -> None:
    reads(watch)
    clock.now += 1  # the second in which it begins is not a whole one
    publish(kafka, 40)
    wait_for(lambda: kept(watch) == 22, "the records")
    clock.now += 1
    now = watch.look(RACE_ID, "positions", "", "embedded")
    assert now.topics["positions"].seconds[-1] == 22
    assert sum(now.topics["race_control"].seconds) == 0
    assert now.jobs[0].into == 22
    assert now.topics["positions"].points == "59,1.0"
    clock.now += 1
    now = watch.look(RACE_ID, "positions", "", "embedded")
    assert now.jobs[0].into == 11
    assert now.topics["positions"].points == "58,1.0 59,20.0"


def test_it_ends_when_nobody_looks(kafka: Connection, watch: StreamWatch, clock: Clock) -> None:
    assert not watch.running
    watch.look(RACE_ID, "positions", "", "embedded")
    assert watch.running
    clock.now += IDLE_S + 1
    wait_for(lambda: not watch.running, "the watch ends")
    assert "stream watch" not in [thread.name for thread in threading.enumerate()]


def test_hostile_records_stand_in_the_list(kafka: Connection, watch: StreamWatch) -> None:
    producer = Producer(dict(kafka.settings.librdkafka))
    for data in (b"<script>alert(1)</script>", b"", b"\x00\x00\x00\xff\xff\x01"):
        producer.produce(kafka.settings.topic("positions"), data, key=RACE_ID.encode())
    producer.flush(10)
    reads(watch)
    wait_for(lambda: kept(watch) == 3, "the records")
    rows = watch.look(RACE_ID, "positions", "", "embedded").rows
    assert all(row.bad for row in rows)
    assert all("cannot be decoded" in row.text for row in rows)


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_records_and_schemas(
    kafka: Connection, watch: StreamWatch, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_watch, "_watch", watch)
    race = short_race()
    kafka.codec.prepare()
    publisher = kafka.publisher()
    for record in tick(40, info()):
        markup = {"race_id": str(race.pk), "driver_name": "<script>x</script>"}
        publisher.send("positions", str(race.pk), record | markup, record["timestamp"])
    publisher.close()

    def page() -> str:
        return client.get(f"/races/{race.pk}/stream/", {"topic": "positions"}).content.decode()

    wait_for(lambda: "&lt;script&gt;x" in page(), "the records stand on the page")
    text = page()
    assert "<script>x" not in text
    assert "Version 1, id" in text
    for name in ("f1-driver-positions", "f1-commentary", "simulation", "feed"):
        assert name in text
    part = client.get(f"/races/{race.pk}/stream/now/", {"topic": "positions", "find": "NOR"}).content.decode()
    assert "<html" not in part
    assert part.count("/record/positions/") == 1


@pytest.mark.django_db
def test_without_a_kafka_the_page_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_configured", None)
    connection.use(None)
    race = short_race()
    answer = client.get(f"/races/{race.pk}/stream/")
    assert answer.status_code == 200
    assert "No Kafka here" in answer.content.decode()
