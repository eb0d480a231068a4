"""Fills the embedded broker as hours of races would: it holds 5 MiB a partition, and topics with few records take that
long. What it holds by then is bounded, and is there before memory is judged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import cycle

from confluent_kafka import Consumer, Message, Producer, TopicPartition

TIMEOUT_S, LIMIT_S = 5.0, 120.0
SAMPLES = 2000  # records of a topic that are sent again and again
TOGETHER = (
    22  # records of one instant: they share a batch, of which the broker keeps a good deal beside the records
)
SAMPLE_S, PATIENCE = 3.0, 1000


class Window:
    """Fills a broker whose races have all ended, so that their readers know each record already."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        options = {"bootstrap.servers": bootstrap, "group.id": "window", "enable.auto.commit": False}
        self._consumer = Consumer(options)
        topics = self._consumer.list_topics(timeout=TIMEOUT_S).topics
        self._places = {
            name: [TopicPartition(name, part, 0) for part in t.partitions] for name, t in topics.items()
        }

    def fill(self) -> dict[str, int]:
        """Records sent, by topic; topics without any stay empty. Raises TimeoutError."""
        sent = {topic: self._fill(topic) for topic in self._places}
        self._consumer.close()
        return sent

    def _fill(self, topic: str) -> int:
        samples = self._samples(topic)
        sent = 0
        if samples:
            producer = self._producer(samples)
            for place in self._places[topic]:
                sent += self._overflow(producer, place, cycle(samples))
        return sent

    def _samples(self, topic: str) -> list[Message]:
        self._consumer.assign(self._places[topic])
        found = self._consumer.consume(SAMPLES, SAMPLE_S)
        return [message for message in found if message.error() is None]

    def _producer(self, samples: list[Message]) -> Producer:
        """Batches as the lab writes them: those of one instant together."""
        instants = len({message.timestamp()[1] for message in samples})
        together = TOGETHER if len(samples) > 4 * instants else 1
        options = {"bootstrap.servers": self._bootstrap, "batch.num.messages": together, "linger.ms": 0}
        return Producer(options)

    def _overflow(self, producer: Producer, place: TopicPartition, samples: Iterator[Message]) -> int:
        """Sends records until the oldest one is gone, and returns how many."""
        sent, until = 0, time.monotonic() + LIMIT_S
        while self._consumer.get_watermark_offsets(place, TIMEOUT_S)[0] == 0:
            if time.monotonic() > until:
                raise TimeoutError(f"{place.topic} {place.partition} does not fill")
            for _ in range(PATIENCE):
                message = next(samples)
                producer.produce(place.topic, message.value(), message.key(), place.partition,
                                 timestamp=message.timestamp()[1])  # fmt: skip
            sent += PATIENCE
            producer.flush()
        return sent
