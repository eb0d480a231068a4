"""A producer that has given up raises at whoever asks it next: another one takes over, and no thread ends of it."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from races import connection
from races.streams.config import embedded_settings
from races.streams.embedded import EmbeddedKafka
from races.streams.producer import Publisher
from races.streams.registry import Registry
from races.streams.topics import DEFAULT_NAMES
from tests.conftest import wait_for

FATAL = KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "out of order", fatal=True)


class GivenUp:
    """As much of a producer as is asked once it has met a fatal error."""

    def poll(self, seconds: float) -> int:
        raise KafkaException(FATAL)

    flush = poll

    def purge(self) -> None: ...


def test_a_fatal_error_that_is_raised_ends_its_producer_and_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with EmbeddedKafka(DEFAULT_NAMES.values()) as cluster:
        kafka = connection.connect(embedded_settings(cluster.bootstrap), Registry())
        publisher = Publisher(kafka.settings, kafka.codec)
        monkeypatch.setattr(publisher, "_producer", GivenUp())
        wait_for(lambda: not isinstance(publisher._producer, GivenUp), "another producer takes over", 10)
        assert publisher._thread.is_alive()
        assert publisher.close() == 0
