"""The Kafkas and Schema Registries that the stand-in carries, so that a lab on its endpoints really runs."""

import json
from typing import Any, Protocol

from races.streams.embedded import EmbeddedKafka
from races.streams.registry.service import Registry


class Broker(Protocol):
    """The embedded Kafka can't delete a topic: its records stay until the stand-in ends."""

    bootstrap: str

    def create(self, topic: str) -> None: ...

    def close(self) -> None: ...


class NoBroker:
    """An address where nobody answers, for tests that send no records."""

    bootstrap = "127.0.0.1:9"

    def create(self, topic: str) -> None:
        pass

    def close(self) -> None:
        pass


def new_broker(kafka: bool) -> Broker:
    return EmbeddedKafka() if kafka else NoBroker()


class Subjects:
    """One environment's Schema Registry: its REST interface on a database in memory."""

    def __init__(self) -> None:
        self.registry = Registry(":memory:")

    def handle(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Answers a call. `path` is as it came, its parts still quoted."""
        return self.registry.handle(method, path, query, b"" if body is None else json.dumps(body).encode())

    def names(self, deleted: bool = False) -> list[str]:
        _, names = self.handle("GET", "/subjects", {"deleted": "true"} if deleted else {}, None)
        return sorted(names)

    def close(self) -> None:
        self.registry.close()
