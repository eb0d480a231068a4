"""All that a topic holds at the moment, whoever's it is: the lab's own topics have a Tail, a learner's has this."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from fastavro.schema import SchemaParseException

from races.streams.config import StreamSettings
from races.streams.consumer import consumer_options
from races.streams.errors import BadRecord, BrokerUnavailable, TopicsMissing, UnknownSchema
from races.streams.framing import key_and_value, schema_id_of
from races.streams.logs import librdkafka_log
from races.streams.registry.client import SchemaClient, SchemaId

ANSWER_S = 10.0
MOST_RECORDS = 500_000


@dataclass(frozen=True, slots=True)
class WholeTopic:
    """records: key and value, decoded, oldest first in each partition; a value is None where the key was deleted.

    unreadable: records that carry no schema of the registry, or do not fit theirs.
    """

    records: list[tuple[Any, Any]]
    unreadable: int = 0

    def newest(self) -> list[dict[str, Any]]:
        """The rows of the table that the topic makes: where records have a key, the newest of each, with the key's
        columns; all of them where they have none.
        """
        rows: dict[str, dict[str, Any]] = {}
        for number, (key, value) in enumerate(self.records):
            columns = key if isinstance(key, dict) else {}
            name = json.dumps(columns, sort_keys=True, default=str) if columns else f"#{number}"
            if isinstance(value, dict):
                rows[name] = columns | value
            else:
                rows.pop(name, None)
        return list(rows.values())


def read_whole(
    settings: StreamSettings, registry: SchemaClient, topic: str, since_ms: int = 0, seconds: float = 60.0
) -> WholeTopic:
    """Reads the topic from its oldest record to what is its newest now. since_ms: leaves out what is older than that
    event time, in epoch milliseconds.

    Raises TopicsMissing, BrokerUnavailable (also where it takes longer), RegistryUnavailable.
    """
    options = consumer_options(settings) | {"auto.offset.reset": "earliest"}
    consumer = Consumer(options, logger=librdkafka_log)
    try:
        begins, ends = _bounds(consumer, topic, since_ms)
        consumer.assign([TopicPartition(topic, number, offset) for number, offset in begins.items()])
        return _read(consumer, registry, topic, ends, seconds)
    except KafkaException as error:
        raise BrokerUnavailable(f"Kafka at {settings.bootstrap}: {error.args[0].str()}") from None
    finally:
        consumer.close()


def _bounds(consumer: Consumer, topic: str, since_ms: int) -> tuple[dict[int, int], dict[int, int]]:
    """The first offset to read and the end of each partition that holds something to read."""
    found = consumer.list_topics(topic, timeout=ANSWER_S).topics[topic]
    if found.error is not None or not found.partitions:
        raise TopicsMissing(f"There is no topic {topic}.")
    times = [TopicPartition(topic, number, since_ms) for number in found.partitions]
    first = {one.partition: one.offset for one in consumer.offsets_for_times(times, timeout=ANSWER_S)}
    begins, ends = dict[int, int](), dict[int, int]()
    for number, begin in first.items():
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=ANSWER_S)
        if 0 <= begin < high:  # below 0: no record is as young as that
            begins[number], ends[number] = max(low, begin), high
    return begins, ends


def _read(
    consumer: Consumer, registry: SchemaClient, topic: str, ends: dict[int, int], seconds: float
) -> WholeTopic:
    schemas: dict[SchemaId, Any] = {}
    records: list[tuple[Any, Any]] = []
    unreadable, until = 0, time.monotonic() + seconds
    while ends:
        if time.monotonic() > until or len(records) > MOST_RECORDS:
            raise BrokerUnavailable(f"{topic} holds more than could be read: {len(records)} records so far")
        for message in consumer.consume(1000, 0.2):
            partition, offset = message.partition(), message.offset()
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if error is None:
                try:
                    key, value = key_and_value(message)
                    records.append((_decode(key, registry, schemas), _decode(value, registry, schemas)))
                except (UnknownSchema, ValueError, TypeError, EOFError, LookupError, SchemaParseException):
                    unreadable += 1
            # the last offsets may be markers of a transaction, which are no records: then the partition's end tells
            if partition in ends and offset is not None and offset + (error is None) >= ends[partition]:
                del ends[partition]
    return WholeTopic(records, unreadable)


def _decode(data: bytes | None, registry: SchemaClient, schemas: dict[SchemaId, Any]) -> Any:
    """Returns the record, or the text of a key without a schema. Raises what a stranger's bytes may raise."""
    if data is None:
        return None
    try:
        schema_id, size = schema_id_of(data)
    except BadRecord:
        return data.decode()
    if schema_id not in schemas:
        kind, text = registry.schema(schema_id)
        schemas[schema_id] = fastavro.parse_schema(json.loads(text)) if kind == "AVRO" else None
    if schemas[schema_id] is None:
        return json.loads(data[size:])
    return fastavro.schemaless_reader(BytesIO(data[size:]), schemas[schema_id], None)
