"""The same contract on a real Apache Kafka, so that the embedded cluster cannot drift from it."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.services.kafka import RealKafka
from races.streams.admin import ensure_topics
from races.streams.config import StreamSettings, with_topics
from races.streams.consumer import Tail
from races.streams.logs import QUIET
from tests.streams.contract import StreamsContract, fresh_names, raw_producer
from tests.streams.reader_contract import ReaderContract
from tests.streams.records import read

pytestmark = pytest.mark.integration


class TestApacheKafka(ReaderContract, StreamsContract):
    @pytest.fixture
    def broker(self, real_kafka: RealKafka) -> StreamSettings:
        return real_kafka.settings()

    def make_topics(self, settings: StreamSettings) -> None:
        ensure_topics(settings)


def test_a_broker_that_writes_its_own_times_is_named(
    real_kafka: RealKafka, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever made the topics first decides whose times count; the lab's would be lost without a word."""
    settings = with_topics(real_kafka.settings(), fresh_names())
    name = settings.topic("positions")
    stamped = NewTopic(name, 1, config={"message.timestamp.type": "LogAppendTime"})
    AdminClient({**QUIET, **settings.librdkafka}).create_topics([stamped])[name].result(20)
    producer = raw_producer(settings)
    for number in range(3):
        producer.produce(name, str(number), timestamp=1)
    producer.flush(20)
    tail = Tail(settings, ["positions"])
    with caplog.at_level("WARNING"):
        assert all(message.timestamp_ms > 1 for message in read(tail, 3))
    tail.close()
    assert caplog.text.count("LogAppendTime") == 1
