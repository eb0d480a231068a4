"""This process's way to Kafka and the schema registry: the configured one, or the embedded one of runlab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from races.streams.codec import Codec
from races.streams.config import StreamSettings
from races.streams.consumer import PROMPT_MS, Offsets, Tail
from races.streams.errors import RegistryRefused, RegistryUnavailable
from races.streams.producer import LINGER_MS, Publisher
from races.streams.record_reader import RecordReader
from races.streams.registry.client import HttpRegistry, Version
from races.streams.registry.service import Registry
from races.streams.topics import subject


class NoKafka(Exception):
    """Neither a kafka: section nor a lab in this process."""


@dataclass(frozen=True, slots=True)
class Connection:
    """embedded_registry: the object that serves /registry/, where the registry is the lab's own."""

    settings: StreamSettings
    codec: Codec
    embedded_registry: Registry | None = None
    client: HttpRegistry | None = None  # the way to a registry with an address

    def close(self) -> None:
        if self.client is not None:
            self.client.close()

    def publisher(self, linger_ms: int = LINGER_MS) -> Publisher:
        return Publisher(self.settings, self.codec, linger_ms=linger_ms)

    def tail(
        self,
        roles: Sequence[str],
        start: str | Offsets = "end",
        incarnation: str | None = None,
        patience_ms: int = PROMPT_MS,
    ) -> Tail:
        return Tail(self.settings, roles, start, incarnation, patience_ms=patience_ms)

    def reader(self) -> RecordReader:
        return RecordReader(self.settings)

    def versions(self, role: str, part: str) -> list[Version]:
        """Returns the newest versions of the schema of a role's key or value. Raises RegistryUnavailable."""
        registry = self.embedded_registry or self.client
        return registry.versions(subject(self.settings.topic(role), part)) if registry else []

    def registry_error(self) -> str:
        """Why the registry cannot be used just now; empty when it can."""
        try:
            self.codec.prepare()
        except (RegistryUnavailable, RegistryRefused) as error:
            return str(error)
        return ""


_current: Connection | None = None
_configured: Callable[[], StreamSettings | None] | None = None
_own_registry: Callable[[], Registry] | None = None


def connect(kafka: StreamSettings, registry: Registry | None = None) -> Connection:
    if registry is not None:
        return Connection(kafka, Codec(kafka, registry), registry)
    client = HttpRegistry(kafka.registry_url, kafka.registry_auth, kafka.registry_ca)
    return Connection(kafka, Codec(kafka, client), None, client)


def use(connection: Connection | None) -> None:
    """Makes it this process's connection, and closes the one before; None forgets it."""
    global _current
    if _current is not None and _current is not connection:
        _current.close()
    _current = connection


def configure(settings: Callable[[], StreamSettings | None], own_registry: Callable[[], Registry]) -> None:
    """Where the settings of a configured Kafka come from, and the lab's own registry where they want it beside that
    Kafka; both are asked when a connection is first needed.
    """
    global _configured, _own_registry
    _configured, _own_registry = settings, own_registry


def current() -> Connection:
    """Raises NoKafka."""
    if _current is not None:
        return _current
    kafka = _configured() if _configured else None
    if kafka is None:
        raise NoKafka(
            "No Kafka here: config.yaml has no kafka: section, and the embedded one lives in `manage.py runlab`"
        )
    registry = _own_registry() if kafka.own_registry and _own_registry else None
    connection = connect(kafka, registry)
    use(connection)
    return connection
