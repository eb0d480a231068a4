"""What the codec needs of a registry, and the client for one that is reached over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from races.streams.config import StreamSettings
from races.streams.errors import RegistryRefused, RegistryUnavailable, UnknownSchema
from races.streams.redaction import redact, secrets_of
from races.streams.registry.references import with_references
from races.streams.topics import may_be_set

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

log = logging.getLogger(__name__)
T = TypeVar("T")
SchemaId = int | str  # a number, or a GUID as text
TIMEOUT_S = 5.0
VERSIONS = 10  # of a subject that are asked for, the newest
REFERENCES, REFERENCE_DEPTH = 20, 4
REFUSED = frozenset({401, 403, 404, 405, 409, 422})


class Version(NamedTuple):
    """One version of a subject's schema."""

    version: int
    schema_id: int
    type: str
    text: str


class SchemaClient(Protocol):
    """Registry has it; HttpRegistry has it. All three may raise RegistryUnavailable."""

    def register(self, subject: str, text: str, schema_type: str, level: str | None = None) -> int: ...

    def lookup(self, subject: str, text: str, schema_type: str) -> int: ...

    def schema(self, schema_id: SchemaId) -> tuple[str, str]: ...


class HttpRegistry:
    """Confluent's own client, with its many errors brought down to the three that a caller can act on."""

    def __init__(self, url: str, auth: str | None = None, ca: str = "") -> None:
        from confluent_kafka.schema_registry import (
            SchemaRegistryClient,
        )  # 0.4 s, which the embedded lab need not pay

        options: dict[str, Any] = {"url": url, "timeout": TIMEOUT_S, "max.retries": 1, "retries.wait.ms": 100}
        if auth:
            options["basic.auth.user.info"] = auth
        if ca:
            options["ssl.ca.location"] = ca
        self._secrets = secrets_of({}, auth)
        self._client: SchemaRegistryClient = SchemaRegistryClient(options)

    def close(self) -> None:
        self._client.close()

    def register(self, subject: str, text: str, schema_type: str, level: str | None = None) -> int:
        """The schema's id, after registering it where it is missing.

        `level` is set where the subject has none of its own, or one that earlier versions of the lab gave it. A
        registry or a key that forbids that keeps its level, and one that forbids to register is enough where the
        schema is there already.
        """
        from confluent_kafka.schema_registry import Schema

        if level is not None:
            self._set_level(subject, level)
        try:
            return self._ask(lambda: int(self._client.register_schema(subject, Schema(text, schema_type))))
        except RegistryRefused as refusal:
            try:
                return self.lookup(subject, text, schema_type)
            except RegistryRefused:  # what it said first says why
                raise refusal from None

    def _set_level(self, subject: str, level: str) -> None:
        from confluent_kafka.schema_registry import ConfigCompatibilityLevel, ServerConfig
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        standing: str | None = None
        try:
            found = self._client.get_config(subject)
            own = found.compatibility_level or found.compatibility
            standing = own.value if own else None
        except SchemaRegistryError as error:
            if error.http_status_code != 404:
                return
        except Exception as error:
            raise RegistryUnavailable(self._words(error)) from error
        if may_be_set(standing, level):
            wanted = ServerConfig(compatibility=ConfigCompatibilityLevel(level))
            try:
                self._ask(lambda: self._client.set_config(subject, wanted))
            except RegistryRefused as refusal:
                log.info("The level of %s stays as it is: %s", subject, refusal)

    def lookup(self, subject: str, text: str, schema_type: str) -> int:
        from confluent_kafka.schema_registry import Schema

        schema = Schema(text, schema_type)
        return self._ask(lambda: int(str(self._client.lookup_schema(subject, schema).schema_id)))

    def schema(self, schema_id: SchemaId) -> tuple[str, str]:
        """Returns type and text; an Avro schema's references stand in the text where they are used first."""

        def ask() -> tuple[str, str]:
            if isinstance(schema_id, str):
                found = self._client.get_schema_by_guid(schema_id)
            else:
                found = self._client.get_schema(schema_id)
            kind, text = str(found.schema_type or "AVRO"), str(found.schema_str or "")
            return kind, with_references(text, self._referenced(found)) if kind == "AVRO" else text

        try:
            # a key that is not accepted says nothing about the record: it waits for a person, and is not skipped
            return self._ask(ask, REFUSED - {401})
        except RegistryRefused as refusal:
            raise UnknownSchema(f"schema id {schema_id}: {refusal}") from refusal

    def _referenced(self, schema: Schema, depth: int = 0) -> dict[str, str]:
        """Returns the texts of what a schema refers to, by name, and of what those refer to; at most so many."""
        found: dict[str, str] = {}
        for reference in schema.references or []:
            if depth < REFERENCE_DEPTH and len(found) < REFERENCES:
                subject, version = str(reference.subject), int(reference.version or 0)
                there = self._client.get_version(subject, version).schema
                found |= {str(reference.name): str(there.schema_str or "")} | self._referenced(
                    there, depth + 1
                )
        return found

    def versions(self, subject: str) -> list[Version]:
        """Returns the newest versions of a subject, oldest first; none for a subject that is not there."""
        try:
            numbers = self._ask(lambda: sorted(self._client.get_versions(subject))[-VERSIONS:])
            found = [self._ask(partial(self._client.get_version, subject, number)) for number in numbers]
        except RegistryRefused:
            return []
        return [
            Version(
                int(one.version or 0),
                int(one.schema_id or 0),
                str(one.schema.schema_type or "AVRO") if one.schema else "AVRO",
                str(one.schema.schema_str or "") if one.schema else "",
            )
            for one in found
        ]

    def _ask(self, ask: Callable[[], T], refused: frozenset[int] = REFUSED) -> T:
        """ask: the call, and the reading of its answer, which may be anybody's."""
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        try:
            return ask()
        except SchemaRegistryError as error:
            if error.http_status_code in refused:
                raise RegistryRefused(self._words(error)) from error
            raise RegistryUnavailable(self._words(error)) from error
        except Exception as error:  # the HTTP library below is not part of the client's promise
            raise RegistryUnavailable(self._words(error)) from error

    def _words(self, error: Exception) -> str:
        text = redact(" ".join(str(error).split()), self._secrets)
        return f"{type(error).__name__}: {text[:300]}"


def http_client(settings: StreamSettings) -> HttpRegistry:
    """The client of a registry with an address. The embedded lab's own threads use its Registry instead."""
    return HttpRegistry(settings.registry_url, settings.registry_auth, settings.registry_ca)
