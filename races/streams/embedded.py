"""The Kafka that librdkafka carries inside: real protocol, no install, gone with its process.

It is a window, not a store: 5 MiB a partition, four partitions a topic. This process reaches it at `bootstrap`. Others
go through a proxy, since the cluster ends its process on a malformed request.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from confluent_kafka import Producer

from races.streams.logs import QUIET, librdkafka_log
from races.streams.proxy.answers import Address
from races.streams.proxy.server import KafkaProxy

START_TIMEOUT_S = 10.0
WINDOW_BYTES = 5 * 1024 * 1024  # that librdkafka keeps of each partition


class EmbeddedKafka:
    def __init__(self, topics: Iterable[str] = ()) -> None:
        self._owner: Producer | None = Producer({"test.mock.num.brokers": 1, **QUIET}, logger=librdkafka_log)
        brokers = self._owner.list_topics(timeout=START_TIMEOUT_S).brokers.values()
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self._proxy: KafkaProxy | None = None
        for topic in topics:
            self.create(topic)

    def create(self, topic: str) -> None:
        """Asking for a topic makes it. Made before anybody subscribes, or a consumer may wait for it for
        ever.
        """
        if self._owner is None:
            raise RuntimeError("the embedded Kafka is closed")
        self._owner.list_topics(topic, timeout=START_TIMEOUT_S)

    def listen(self, host: str, port: int = 0) -> Address:
        """Opens the cluster to other processes, and returns where. Raises OSError where the address is taken."""
        proxy = KafkaProxy(int(self.bootstrap.rpartition(":")[2]))
        address = proxy.start(host, port)
        self._proxy = proxy
        return address

    def close(self) -> None:
        """Ends the cluster; its records are gone and its clients find no broker."""
        if self._proxy is not None:
            self._proxy.close()
        self._owner = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()
