"""No broker at all: everything starts, says what it waits for, and stops on request."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from races.streams.admin import ensure_topics
from races.streams.codec import Codec
from races.streams.config import StreamSettings, embedded_settings
from races.streams.consumer import Tail
from races.streams.embedded import EmbeddedKafka
from races.streams.errors import BrokerUnavailable, Closed
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from tests.streams.records import NOW_MS, POSITION, eventually, read

NOBODY = "127.0.0.1:1"


@pytest.fixture
def nowhere() -> StreamSettings:
    return replace(embedded_settings(NOBODY), embedded=False)


def publisher_with_room_for(records: int, settings: StreamSettings) -> Publisher:
    room = {**settings.librdkafka, "queue.buffering.max.messages": str(records)}
    return Publisher(replace(settings, librdkafka=room), Codec(settings, Registry()))


def test_a_tail_waits_and_says_so(nowhere: StreamSettings) -> None:
    tail = Tail(nowhere, ["positions"])
    assert not tail.state.ok
    assert tail.poll(10, 0.01) == []
    assert "broker away" in tail.state.text
    assert tail.lag().records == 0
    tail.close()


def test_a_missing_topic_may_be_one_that_the_key_hides() -> None:
    """A real Kafka hides a topic from a key that may not see it: whoever wrote the key knows which it is."""
    with EmbeddedKafka() as kafka:
        settings = embedded_settings(kafka.bootstrap)
        said = dict[bool, str]()
        users: list[dict[str, str]] = [{}, {"sasl.username": "key"}]
        for user in users:  # without SASL librdkafka asks for none
            tail = Tail(replace(settings, librdkafka={**settings.librdkafka, **user}), ["positions"])
            while "no topic" not in tail.state.text:
                assert tail.poll(1, 0.1) == []
            said[bool(user)] = tail.state.text
            tail.close()
    assert said[True] == said[False] + ", or none that this key may see"


def test_a_publisher_says_that_the_broker_is_away(nowhere: StreamSettings) -> None:
    publisher = publisher_with_room_for(100, nowhere)
    assert publisher.state.ok
    publisher.send("positions", "r1", POSITION, NOW_MS)
    eventually("the state tells", lambda: "broker away since" in publisher.state.text)
    assert publisher.state.waiting == 1
    assert publisher.close(0.1) == 1


def test_a_full_queue_waits_with_a_state_until_it_is_closed(nowhere: StreamSettings) -> None:
    publisher = publisher_with_room_for(3, nowhere)
    ended: list[Exception] = []

    def send_five() -> None:
        try:
            for tick in range(5):
                publisher.send("positions", "r1", POSITION | {"tick": tick}, NOW_MS)
        except Closed as error:
            ended.append(error)

    sender = threading.Thread(target=send_five)
    sender.start()
    eventually("the queue is full", lambda: "local queue full" in publisher.state.text)
    assert not publisher.state.ok
    start = time.monotonic()
    publisher.close(0.1)
    sender.join(2)
    assert len(ended) == 1
    assert time.monotonic() - start < 2
    with pytest.raises(Closed):
        publisher.send("positions", "r1", POSITION, NOW_MS)


def test_making_topics_without_a_broker_names_its_address(nowhere: StreamSettings) -> None:
    with pytest.raises(BrokerUnavailable, match=NOBODY):
        ensure_topics(nowhere, 0.3)


def test_a_tail_notices_that_the_embedded_kafka_is_gone() -> None:
    kafka = EmbeddedKafka(["f1-driver-positions"])
    settings = embedded_settings(kafka.bootstrap)
    tail = Tail(settings, ["positions"])
    eventually("it reads", lambda: tail.poll(1, 0.01) == [] and tail.state.ok)
    kafka.close()
    eventually("it says that the broker is away", lambda: "broker away" in text_after_poll(tail))
    tail.close()


def text_after_poll(tail: Tail) -> str:
    tail.poll(1, 0.01)
    return tail.state.text


def test_records_lost_by_the_window_are_a_gap() -> None:
    """A partition of the embedded cluster keeps its newest 5 MiB."""
    with EmbeddedKafka(["f1-driver-positions"]) as kafka:
        settings = embedded_settings(kafka.bootstrap)
        codec = Codec(settings, Registry())
        publisher = Publisher(settings, codec)
        publisher.send("positions", "r1", POSITION | {"tick": 0}, NOW_MS)
        publisher.flush(10)
        slow = Tail(
            replace(settings, librdkafka={**settings.librdkafka, "queued.max.messages.kbytes": "64"}),
            ["positions"],
        )
        read(slow, 1)
        long_stints = POSITION | {"stints": "M1 " * 90}
        for tick in range(1, 14_000):
            publisher.send("positions", "r1", long_stints | {"tick": tick}, NOW_MS)
        assert publisher.flush(20) == 0
        ticks: list[int] = []
        end = time.monotonic() + 20
        while ticks[-1:] != [13_999] and time.monotonic() < end:
            ticks += [
                int(codec.decode("positions", message.value)["tick"]) for message in slow.poll(1000, 0.1)
            ]
        assert slow.state.gaps == 13_999 - len(ticks) > 0
        assert ticks == sorted(set(ticks))
        slow.close()
        publisher.close()
