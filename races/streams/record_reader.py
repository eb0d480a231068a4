"""Single records out of Kafka: one by its partition and offset, or those of a span of time.

For people who look inside, not for readers that follow a topic: each use makes a consumer of its own and ends it. It
asks for nothing beyond a consumer's interface, so it works on the embedded, a real and a cloud Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException, TopicPartition

from races.streams.config import StreamSettings
from races.streams.consumer import Message, consumer_options
from races.streams.errors import BrokerUnavailable
from races.streams.framing import key_and_value
from races.streams.logs import librdkafka_log

ASK_S = 3.0
READ_S = 5.0  # the longest that somebody waits for a record
WINDOW = 6000  # records of a partition of the embedded cluster, which does not find offsets by time
BATCH = 1000


class StoredRecord(NamedTuple):
    """A record as Kafka holds it. appended_ms: as the broker stamped it, None where the writer did."""

    message: Message
    appended_ms: int | None


class RecordReader:
    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings

    def at(self, role: str, partition: int, offset: int) -> StoredRecord | None:
        """Reads one record. None where the partition has none there: compacted, expired, or not written yet.

        Raises BrokerUnavailable.
        """
        topic = self._settings.topic(role)
        with self._consumer() as consumer:
            known = _partitions(consumer, topic)
            if partition not in known:
                return None
            low, high = _marks(consumer, topic, partition)
            if not low <= offset < high:
                return None
            consumer.assign([TopicPartition(topic, partition, offset)])
            found = next(_read(consumer, role, 1), None)
        return found if found and found.message.offset == offset else None

    def between(
        self,
        role: str,
        since_ms: int,
        until_ms: int,
        wanted: Callable[[Message], bool],
        partitions: Sequence[int] = (),
    ) -> list[StoredRecord]:
        """Reads the records of a span of time that are wanted, in the order of their timestamps.

        partitions: where they can be, all of them by default. Raises BrokerUnavailable.
        """
        topic = self._settings.topic(role)
        with self._consumer() as consumer:
            known = partitions or _partitions(consumer, topic)
            starts = self._starts(consumer, topic, since_ms, known)
            if not starts:
                return []
            consumer.assign(starts)
            read = _read(consumer, role, len(starts))
            found = [
                record
                for record in read
                if since_ms <= record.message.timestamp_ms <= until_ms and wanted(record.message)
            ]
        return sorted(found, key=lambda record: (record.message.timestamp_ms, record.message.offset))

    def newest(self, role: str, count: int) -> list[StoredRecord]:
        """Reads about as many of a topic's newest records, in the order of time. Raises BrokerUnavailable."""
        topic = self._settings.topic(role)
        with self._consumer() as consumer:
            starts = []
            for partition in _partitions(consumer, topic):
                low, high = _marks(consumer, topic, partition)
                if high > low:
                    starts.append(TopicPartition(topic, partition, max(low, high - count)))
            if not starts:
                return []
            consumer.assign(starts)
            found = list(_read(consumer, role, len(starts)))
        return sorted(found, key=lambda record: (record.message.timestamp_ms, record.message.offset))[-count:]

    def _starts(
        self, consumer: Consumer, topic: str, since_ms: int, partitions: Sequence[int]
    ) -> list[TopicPartition]:
        """Returns where to begin in each partition that has records of this time."""
        if not self._settings.embedded:
            asked = [TopicPartition(topic, partition, since_ms) for partition in partitions]
            try:
                return [place for place in consumer.offsets_for_times(asked, ASK_S) if place.offset >= 0]
            except KafkaException as error:
                raise BrokerUnavailable(
                    f"Kafka did not say which records of {topic} are of that time"
                ) from error
        starts = []
        for partition in partitions:
            low, high = _marks(consumer, topic, partition)
            if high > low:
                starts.append(TopicPartition(topic, partition, max(low, high - WINDOW)))
        return starts

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        consumer = Consumer(consumer_options(self._settings), logger=librdkafka_log)
        try:
            yield consumer
        finally:
            consumer.close()


def _partitions(consumer: Consumer, topic: str) -> list[int]:
    try:
        found = consumer.list_topics(topic, timeout=ASK_S).topics[topic]
    except (KafkaException, KeyError) as error:
        raise BrokerUnavailable(f"Kafka does not answer for {topic}") from error
    return sorted(found.partitions) if found.error is None else []


def _marks(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    try:
        marks = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ASK_S)
    except KafkaException as error:
        raise BrokerUnavailable(f"Kafka does not say what {topic} holds") from error
    if marks is None:
        raise BrokerUnavailable(f"Kafka does not say what {topic} holds")
    return marks


def _read(consumer: Consumer, role: str, partitions: int) -> Iterator[StoredRecord]:
    """Yields what the assigned partitions hold up to their ends. Raises BrokerUnavailable where that takes too long."""
    until, open_ends = time.monotonic() + READ_S, partitions
    while open_ends > 0:
        left = until - time.monotonic()
        if left <= 0:
            raise BrokerUnavailable("Kafka did not hand the records over in time")
        first = consumer.poll(min(left, 0.5))
        for raw in [] if first is None else [first, *consumer.consume(BATCH, 0)]:
            error = raw.error()
            if error is None:
                kind, at = raw.timestamp()
                message = Message(role, raw.partition() or 0, raw.offset() or 0, *key_and_value(raw), at)
                yield StoredRecord(message, at if kind == TIMESTAMP_LOG_APPEND_TIME else None)
            elif error.code() == KafkaError._PARTITION_EOF:
                open_ends -= 1
