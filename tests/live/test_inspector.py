"""Looking inside: the record behind a number, read again from Kafka by its place, holds that number."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from races.analytics.engine import RaceAnalytics
from races.live.feed import Feed
from races.live.inspector import Inspector, NoRecord
from races.live.rendering.header import RaceStatus
from races.models import Race
from races.models.creation import Choice, create_race
from races.recorder.reader import live_board, wall_ms
from races.sim import TICK_MS, RaceSettings, load_season
from races.sim import Race as Simulation
from races.streams.connection import Connection
from races.streams.topics import ROLES
from races.worker.records import entry_list, tick_records
from tests.fakes.waiting import wait_for
from tests.live.dom import Page, parse

pytestmark = pytest.mark.django_db(transaction=True)
TICKS = 93  # into the fourth lap; its last figures that change once a second are some ticks old


@pytest.fixture
def race() -> Race:
    race = create_race(Choice("NOR", circuit="spielberg", laps=9, pace=30, seed=5))
    Race.objects.filter(pk=race.pk).update(
        started_ms=wall_ms() - TICKS * TICK_MS, status="running", anomaly_detection=True
    )
    race.refresh_from_db()
    return race


def publish(kafka: Connection, race: Race, ticks: int) -> None:
    """Writes a race's first ticks, and what the analytics make of them, as the worker does."""
    publisher = kafka.publisher()
    analytics = RaceAnalytics(str(race.pk), anomaly=True)
    field = entry_list(str(race.pk), race.laps, load_season())
    simulation = Simulation(RaceSettings(race.circuit, race.laps, race.pace, race.seed))
    for _ in range(ticks):
        tick = simulation.advance()
        at = race.event_ms(tick.tick)
        for record in tick_records(field, tick, at, True):
            publisher.send(record.role, record.key, record.value, at)
            for derived in analytics.feed(record.role, record.value, record.key):
                publisher.send(derived.role, derived.key, derived.value, derived.timestamp)
    publisher.close()


@pytest.fixture
def shown(kafka: Connection, race: Race) -> Iterator[tuple[Page, int]]:
    """The race's page after its last published tick, and that tick."""
    feed = Feed(lambda *message: None)
    board = live_board(race)
    assert board is not None
    kafka.codec.prepare()
    feed.watch(str(race.pk), board, RaceStatus("running"), anomaly_on=True)
    thread = threading.Thread(target=feed.run, args=(kafka.tail(ROLES, "beginning"), kafka.codec))
    thread.start()
    try:
        publish(kafka, race, TICKS)

        def whole() -> bool:
            frame = feed.frame(str(race.pk))
            return bool(frame and frame["tick"] == TICKS - 1 and feed.lag().records == 0)

        wait_for(whole, "the page shows the last tick")
        yield Page(feed.snapshot(str(race.pk))[0]), TICKS - 1
    finally:
        feed.stop()
        thread.join(10)


def seconds(text: str) -> float | None:
    """What a time on the page says, in seconds; a dash is none."""
    if text in ("–", "Leader", "Winner", ""):
        return None
    minutes, _, rest = text.removeprefix("+").rpartition(":")
    return int(minutes or 0) * 60 + float(rest)


def time_of(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda record: record[name]


HOLDS: dict[str, tuple[Callable[[str], Any], Callable[[dict[str, Any]], Any]]] = {
    "pos": (int, time_of("position")),
    "won": (
        lambda text: {"▲": 1, "▼": -1, "·": 0}[text[0]] * int(text[1:] or 0),
        lambda record: record["grid"] - record["position"],
    ),
    "gap": (seconds, lambda record: None if record["position"] == 1 else record["gap_s"]),
    "int": (seconds, lambda record: None if record["position"] == 1 else record["interval_s"]),
    "last": (seconds, time_of("last_lap_s")),
    "best": (seconds, time_of("best_lap_s")),
    "s1": (seconds, time_of("sector_1_s")),
    "s2": (seconds, time_of("sector_2_s")),
    "s3": (seconds, time_of("sector_3_s")),
    "tyre": (lambda text: text, lambda record: f"{record['tyre'][0]}{record['tyre_age']}"),
    "speed": (float, lambda record: round(record["avg_speed"], 1)),
}


def test_thirty_random_cells_hold_their_numbers(
    kafka: Connection, race: Race, shown: tuple[Page, int]
) -> None:
    """Each record is found by its cell, then read again by partition and offset: 30 of 30 hold the shown value."""
    page, tick = shown
    chance = random.Random(22)
    codes = [car["code"] for car in race.frozen["cars"]]
    out = {code for code in codes if page.element(f"speed-{code}").text() == "OUT"}  # a word, and no record's
    cells = chance.sample([(name, code) for name in HOLDS for code in codes if code not in out], 30)
    inspector, held = Inspector(kafka, "embedded"), 0
    for name, code in cells:
        text = page.element(f"{name}-{code}").text()
        found = inspector.behind(race, f"{name}-{code}", tick, text)
        again = kafka.reader().at(found.role, found.partition, found.offset)
        assert again is not None
        record = kafka.codec.decode(found.role, again.message.value)
        read, value = HOLDS[name]
        assert read(text) == value(record), (name, code, text)
        assert any(marked for *_, marked in found.fields)
        held += 1
    assert held == 30


def test_lines_and_alarms_have_their_records(kafka: Connection, race: Race, shown: tuple[Page, int]) -> None:
    page, tick = shown
    inspector = Inspector(kafka, "embedded")
    for name in ("commentary", "control"):
        for line in page.element(name).nodes():
            if line.tag != "li":
                continue
            cell, at = str(line.attributes["data-cell"]), int(str(line.attributes["data-at"]))
            found = inspector.behind(race, cell, at)
            message = {field: value for field, value, _ in found.fields}["message"]
            said = next(node for node in line.nodes() if node.tag == "span").text()
            assert message == f'"{said}"'.replace("&#x27;", "'")
    engine = inspector.behind(race, "engine-NOR", tick)
    assert engine.topic == kafka.settings.topic("car_metrics_anomalies")
    assert f"{race.pk}:NOR" in engine.key


def test_the_drawer_tells_place_schema_and_bytes(
    kafka: Connection, race: Race, shown: tuple[Page, int], client: Client
) -> None:
    _, tick = shown
    answer = client.get(f"/races/{race.pk}/record/", {"cell": "pos-NOR", "tick": str(tick), "part": "1"})
    assert answer.status_code == 200
    text = answer.content.decode()
    parse(text)
    for word in ("topic", "partition", "offset", "key", "schema", "event time", "bytes"):
        assert word in text
    assert str(race.pk) in text
    found = Inspector(kafka, "embedded").behind(race, "pos-NOR", tick)
    assert found.framing == f"00 {found.schema_id or 0:08x}"[:3] + bytes.fromhex(
        f"{found.schema_id:08x}"
    ).hex(" ")
    direct = client.get(f"/races/{race.pk}/record/positions/{found.partition}/{found.offset}/")
    assert direct.status_code == 200
    assert "One record" in direct.content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"cell": "rtt"}, "No record is behind that"),
        ({"cell": "pos-ZZZ"}, "holds no such record"),
        ({"cell": "<script>-NOR"}, "No record is behind that"),
        ({"cell": "pos-NOR", "tick": "9" * 15}, "holds no such record"),
        ({"cell": "commentary:<b>", "tick": "1"}, "holds no such record"),
    ],
)
def test_what_has_no_record_says_so(
    kafka: Connection, race: Race, client: Client, query: dict[str, str], words: str
) -> None:
    answer = client.get(f"/races/{race.pk}/record/", query | {"part": "1"})
    assert answer.status_code == 404
    assert words in answer.content.decode()
    assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize("place", ["0/999999", "77/0", f"{2**40}/{2**50}"])
def test_a_place_without_a_record_says_so(kafka: Connection, race: Race, client: Client, place: str) -> None:
    answer = client.get(f"/races/{race.pk}/record/positions/{place}/")
    assert answer.status_code == 404
    assert "has no record at" in answer.content.decode()


HOSTILE = {
    "no framing": b"hello",
    "no such schema": b"\x00\x00\x00\xff\xff" + b"\x02",
    "cut": b"\x00\x00\x00\x00\x01\x08",
    "markup": b"\x00\x00\x00\x00\x01<script>alert(1)</script>",
    "empty": b"",
    "large": b"\x01" * 50_000,
}


def test_hostile_records_are_shown_as_they_are(kafka: Connection, race: Race, client: Client) -> None:
    from confluent_kafka import Producer

    producer = Producer(dict(kafka.settings.librdkafka))
    topic = kafka.settings.topic("positions")
    for data in [*HOSTILE.values(), None]:
        producer.produce(topic, data, key=b"<img src=x>", partition=0)
    producer.flush(10)
    for offset, data in enumerate([*HOSTILE.values(), None]):
        answer = client.get(f"/races/{race.pk}/record/positions/0/{offset}/")
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "This record cannot be decoded" in text
        assert f"{len(data or b'')} bytes" in text
        assert "<script>alert" not in text
        assert "<img src=x>" not in text
        assert "&lt;img src=x&gt;" in text
        assert len(text) < 30_000


def test_a_gone_record_is_an_error_with_words(kafka: Connection, race: Race) -> None:
    with pytest.raises(NoRecord, match="0@5"):
        Inspector(kafka, "embedded").at(race, "positions", 0, 5)
