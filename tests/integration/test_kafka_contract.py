"""The same contract on a real Apache Kafka, so that the embedded cluster cannot drift from it."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from bench.services.kafka import RealKafka
from bench.services.registry_http import Served
from races.streams.admin import ensure_topics
from races.streams.config import StreamSettings, with_topics
from races.streams.consumer import Tail
from races.streams.logs import QUIET
from races.streams.topics import TOPICS
from races.streams.whole_topic import read_whole
from tests.streams.contract import StreamsContract, fresh_names, raw_producer
from tests.streams.reader_contract import ReaderContract
from tests.streams.records import KEYS, VALUES, read

pytestmark = pytest.mark.integration


class TestApacheKafka(ReaderContract, StreamsContract):
    @pytest.fixture
    def broker(self, real_kafka: RealKafka) -> StreamSettings:
        return real_kafka.settings()

    def make_topics(self, settings: StreamSettings) -> None:
        ensure_topics(settings)


def test_guids_in_headers_are_read_whole(real_kafka: RealKafka, registry: Served) -> None:
    """Confluent's serializers in header mode, for key and value, beside a record whose GUID nobody knows."""
    settings = with_topics(real_kafka.settings(), fresh_names())
    ensure_topics(settings)
    name, topic = settings.topic("avg_speed"), TOPICS["avg_speed"]
    headers: list[tuple[str, str | bytes | None]] = []
    with SchemaRegistryClient({"url": registry.url}) as confluent:
        key, value = (
            AvroSerializer(confluent, schema, conf={"schema.id.serializer": header_schema_id_serializer})(
                record, SerializationContext(name, field, headers)
            )
            for schema, record, field in (
                (topic.key_schema, KEYS["avg_speed"], MessageField.KEY),
                (topic.value_schema, VALUES["avg_speed"], MessageField.VALUE),
            )
        )
    producer = raw_producer(settings)
    producer.produce(name, value, key, headers=headers)
    producer.produce(name, b"\1" + b"x" * 20, key, headers=headers[:1])
    producer.flush(20)
    found = read_whole(settings, registry.registry, name)
    assert found.records == [(KEYS["avg_speed"], VALUES["avg_speed"])]
    assert found.unreadable == 1


def test_a_broker_that_writes_its_own_times_is_named(
    real_kafka: RealKafka, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever made the topics first decides whose times count; the lab's would be lost without a word."""
    settings = with_topics(real_kafka.settings(), fresh_names())
    name = settings.topic("positions")
    stamped = NewTopic(name, 1, config={"message.timestamp.type": "LogAppendTime"})
    admin = AdminClient({**QUIET, **settings.librdkafka})  # kept, as it ends with its last reference
    admin.create_topics([stamped])[name].result(20)
    producer = raw_producer(settings)
    for number in range(3):
        producer.produce(name, str(number), timestamp=1)
    producer.flush(20)
    tail = Tail(settings, ["positions"])
    with caplog.at_level("WARNING"):
        assert all(message.timestamp_ms > 1 for message in read(tail, 3))
    tail.close()
    assert caplog.text.count("LogAppendTime") == 1
