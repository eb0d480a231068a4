"""A producer that has given up raises at whoever asks it next: another one takes over, and no thread ends of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException

from races.streams import connection, producer
from races.streams.config import embedded_settings
from races.streams.embedded import EmbeddedKafka
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES
from tests.fakes.waiting import wait_for

FATAL = KafkaException(KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "out of order", fatal=True))


class Broken:
    """A stand-in for as much of a producer as is used once it has met an error."""

    def __init__(self, error: Exception) -> None:
        self._error, self.asked = error, 0

    def poll(self, seconds: float) -> int:
        self.asked += 1
        raise self._error

    flush = poll

    def purge(self) -> None: ...


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with EmbeddedKafka(DEFAULT_NAMES.values()) as cluster:
        kafka = connection.connect(embedded_settings(cluster.bootstrap), Registry())
        found = Publisher(kafka.settings, kafka.codec)
        yield found
        assert found.close() == 0


def test_fatal_error_ends_only_its_producer(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "_producer", Broken(FATAL))
    wait_for(lambda: not isinstance(publisher._producer, Broken), "another producer takes over", 10)
    assert publisher._thread.is_alive()


def test_what_nobody_foresaw_ends_no_thread_either(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "RETRY_S", 0.05)
    whole, broken = publisher._producer, Broken(RuntimeError("unforeseen"))
    publisher._producer = broken  # type: ignore[assignment]
    wait_for(lambda: broken.asked > 2, "it is asked again")
    publisher._producer = whole
    assert publisher._thread.is_alive()
