"""The settings of this package: which Kafka and which schema registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from races.streams.redaction import redact, secrets_of
from races.streams.topics import DEFAULT_NAMES

DEFAULT_GROUP = "f1-leaderboard-consumer"


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """librdkafka holds bootstrap.servers and security; registry_auth is "key:secret". Neither is ever
    printed.

    With the embedded cluster registry_url may be empty: its threads use the Registry object itself.
    own_registry: the lab's registry stands beside a Kafka that is not its own; registry_url is where it serves it.
    auto_register False: schemas are looked up, and one that is missing is an error for a person.
    """

    embedded: bool
    librdkafka: Mapping[str, str] = field(repr=False)
    registry_url: str = ""
    registry_auth: str | None = field(default=None, repr=False)
    registry_ca: str = ""  # a file of certificates; empty: those that the system trusts
    topics: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_NAMES))
    group: str = DEFAULT_GROUP
    own_registry: bool = False
    auto_register: bool = True
    unused: frozenset[str] = frozenset()  # roles that this lab neither writes nor reads: no topic, no schema
    advertised: str = ""  # where others reach an embedded cluster

    @property
    def bootstrap(self) -> str:
        """Returns the address for people and other programs."""
        return self.advertised or self.librdkafka["bootstrap.servers"]

    def public(self, text: str) -> str:
        """A broker's or a registry's words, or an address, without our names and keys."""
        return redact(text, secrets_of(self.librdkafka, self.registry_auth))

    def topic(self, role: str) -> str:
        return self.topics[role]

    def role(self, topic: str) -> str:
        """The role that a topic name plays. Raises KeyError."""
        return {name: role for role, name in self.topics.items()}[topic]


def embedded_settings(
    bootstrap: str, topics: Mapping[str, str] | None = None, registry_url: str = "", advertised: str = ""
) -> StreamSettings:
    return StreamSettings(
        embedded=True,
        librdkafka={"bootstrap.servers": bootstrap},
        registry_url=registry_url,
        topics=dict(topics or DEFAULT_NAMES),
        advertised=advertised,
    )


def with_topics(settings: StreamSettings, topics: Mapping[str, str]) -> StreamSettings:
    return replace(settings, topics=dict(topics))
