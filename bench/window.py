"""What the embedded broker holds for its readers: up to 5 MiB a partition, however long it runs. A topic with few
records fills its window slowly, which is no leak; so it is counted."""

from __future__ import annotations

from contextlib import suppress

from confluent_kafka import Consumer, KafkaException, TopicPartition

SIZED = 500  # records of a topic whose size stands for all
TIMEOUT_S = 5.0


class Window:
    def __init__(self, bootstrap: str) -> None:
        options = {"bootstrap.servers": bootstrap, "group.id": "window", "enable.auto.commit": False}
        self._consumer = Consumer(options)
        topics = self._consumer.list_topics(timeout=TIMEOUT_S).topics
        self._places = [(name, part) for name, topic in topics.items() for part in topic.partitions]
        self._size: dict[str, float] = {}

    def held_mb(self) -> float:
        """Keys and values only: what keeping them costs comes on top."""
        return sum(self._held(*place) for place in self._places) / 2**20

    def close(self) -> None:
        self._consumer.close()

    def _held(self, topic: str, partition: int) -> float:
        with suppress(KafkaException):
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), TIMEOUT_S)
            return (high - low) * self._mean_size(topic, partition, low, high)
        return 0.0

    def _mean_size(self, topic: str, partition: int, low: int, high: int) -> float:
        if topic not in self._size and high - low >= SIZED:
            self._consumer.assign([TopicPartition(topic, partition, high - SIZED)])
            found = [m for m in self._consumer.consume(SIZED, TIMEOUT_S) if m.error() is None]
            self._consumer.unassign()
            if found:
                sizes = [len(m.key() or b"") + len(m.value() or b"") for m in found]
                self._size[topic] = sum(sizes) / len(found)
        return self._size.get(topic, 0.0)
