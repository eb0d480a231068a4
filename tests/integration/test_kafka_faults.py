"""A broker that restarts, dies, hangs or comes back empty, under a publisher and a tail that go on meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.services.kafka import RealKafka
from races.streams.admin import ensure_topics
from races.streams.codec import Codec
from races.streams.config import StreamSettings, with_topics
from races.streams.consumer import Tail
from races.streams.errors import BrokerUnavailable
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from tests.streams.contract import fresh_names
from tests.streams.records import NOW_MS, POSITION, eventually

pytestmark = pytest.mark.integration
TICK_S = 0.02
AWAY_S = 4.0


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKafka]:
    kafka = RealKafka(tmp_path_factory.mktemp("faulty-kafka"))
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.stop()


class Traffic:
    """One race's ticks in, the same ticks out, and what both sides said about themselves meanwhile."""

    def __init__(self, settings: StreamSettings) -> None:
        self.codec = Codec(settings, Registry())
        self.publisher, self.tail = Publisher(settings, self.codec), Tail(settings, ["positions"])
        self.sent = 0
        self.read: list[int] = []
        self.said: set[str] = set()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._read)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        while not self._stop.wait(TICK_S):
            self.publisher.send("positions", "r1", POSITION | {"tick": self.sent}, NOW_MS + self.sent)
            self.sent += 1
            self._note("publisher", self.publisher.state.text)

    def _read(self) -> None:
        while not self._stop.is_set():
            self.read += [
                int(self.codec.decode("positions", m.value)["tick"]) for m in self.tail.poll(1000, 0.05)
            ]
            self._note("tail", self.tail.state.text)

    def _note(self, who: str, text: str) -> None:
        self.said.add(f"{who} {text.split('(')[0].rstrip('0123456789 s')}")

    def flows(self) -> None:
        """What is sent from now on is read."""
        mark = self.sent + 10
        eventually("records flow", lambda: bool(self.read) and self.read[-1] >= mark, 30)

    def end(self) -> None:
        self._threads[0].join(0)
        assert self.publisher.flush(20) == 0
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        left = self.publisher.close(10)
        self.read += [int(self.codec.decode("positions", m.value)["tick"]) for m in self.tail.poll(5000, 1.0)]
        self.tail.close()
        assert left == 0


@pytest.fixture
def traffic(own_kafka: RealKafka) -> Iterator[Traffic]:
    settings = with_topics(own_kafka.settings(), fresh_names())
    ensure_topics(settings)
    traffic = Traffic(settings)
    traffic.flows()
    yield traffic
    traffic._stop.set()


def measured(name: str, back: Callable[[], None], traffic: Traffic) -> None:
    back()
    start = time.monotonic()
    traffic.flows()
    print(f"{name}: records flow {time.monotonic() - start:.1f} s after the broker is back")


def test_restarted_broker_loses_nothing(own_kafka: RealKafka, traffic: Traffic) -> None:
    own_kafka.stop()
    time.sleep(AWAY_S)
    measured("restart", own_kafka.start, traffic)
    traffic.end()
    assert traffic.read == list(range(traffic.sent))
    assert {"publisher waiting: broker away since", "tail waiting: broker away"} <= traffic.said


def test_killed_broker_loses_nothing(own_kafka: RealKafka, traffic: Traffic) -> None:
    own_kafka.kill()
    time.sleep(AWAY_S)
    measured("kill -9", own_kafka.start, traffic)
    traffic.end()
    # a killed broker may have forgotten that it has the last one, which then comes twice: readers expect that
    assert list(dict.fromkeys(traffic.read)) == list(range(traffic.sent))


def test_hanging_broker_is_waited_for(own_kafka: RealKafka, traffic: Traffic) -> None:
    own_kafka.freeze()
    eventually("the publisher tells", lambda: "broker away" in traffic.publisher.state.text)
    time.sleep(AWAY_S)
    measured("hang", own_kafka.thaw, traffic)
    traffic.end()
    assert traffic.read == list(range(traffic.sent))


def test_empty_broker_gets_topics_again(own_kafka: RealKafka, traffic: Traffic) -> None:
    own_kafka.stop()
    own_kafka.wipe()
    gone = traffic.sent
    measured("wiped", own_kafka.start, traffic)
    traffic.end()
    after = [tick for tick in traffic.read if tick > gone]
    assert after == list(range(gone + 1, traffic.sent))
    assert sorted(set(traffic.read)) == list(range(traffic.sent))
    assert traffic.tail.state.restarts >= 1


def test_unresolvable_broker_is_named(tmp_path: Path) -> None:
    """The commonest first mistake with Docker: the broker advertises a name that only its own network knows."""
    name = "kafka-in-docker.invalid:29092"
    kafka = RealKafka(tmp_path, {"advertised.listeners": f"PLAINTEXT://{name}"})
    try:
        kafka.start()
        with pytest.raises(BrokerUnavailable, match=r"Failed to resolve 'kafka-in-docker\.invalid:29092'"):
            ensure_topics(kafka.settings(), 3)
        tail = Tail(kafka.settings(), ["positions"])
        eventually("it is named", lambda: tail.poll(1, 0.1) == [] and name in tail.state.text)
        tail.close()
    finally:
        kafka.stop()
