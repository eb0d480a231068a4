"""The Kafka that librdkafka carries inside: real protocol, no install, gone with its process.

It is a window, not a store: 5 MiB a partition, four partitions a topic. Others reach it at `bootstrap`.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from confluent_kafka import Producer

from races.streams.logs import QUIET, librdkafka_log

START_TIMEOUT_S = 10.0
WINDOW_BYTES = 5 * 1024 * 1024  # that librdkafka keeps of each partition


class EmbeddedKafka:
    def __init__(self, topics: Iterable[str] = ()) -> None:
        self._owner: Producer | None = Producer({"test.mock.num.brokers": 1, **QUIET}, logger=librdkafka_log)
        brokers = self._owner.list_topics(timeout=START_TIMEOUT_S).brokers.values()
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        for topic in topics:
            self.create(topic)

    def create(self, topic: str) -> None:
        """Asking for a topic makes it. Made before anybody subscribes, or a consumer may wait for it for
        ever.
        """
        if self._owner is None:
            raise RuntimeError("the embedded Kafka is closed")
        self._owner.list_topics(topic, timeout=START_TIMEOUT_S)

    def close(self) -> None:
        """Ends the cluster; its records are gone and its clients find no broker."""
        self._owner = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()
