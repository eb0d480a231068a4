"""A Schema Registry small enough to carry along: Confluent's REST semantics, on a sqlite3 file.

Threads of the lab call `register`, `lookup` and `schema`; everybody else speaks HTTP to `handle`, which a web
view (or a test's http.server) wraps. The error codes are the real registry's, because its clients act on
them.
"""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from races.streams.errors import RegistryRefused, RegistryUnavailable, UnknownSchema
from races.streams.registry.client import VERSIONS, SchemaId, Version
from races.streams.registry.compatibility import LEVELS, identity, problems
from races.streams.registry.request import TYPES, Refusal, Request, parsed
from races.streams.registry.store import GLOBAL, Store
from races.streams.topics import may_be_set

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
BODY_LIMIT = 32_000  # comparing takes the square of the fields; the largest schema of ours has 3 400
Reply = tuple[int, Any]


class Registry:
    def __init__(self, path: Path | str = ":memory:", level: str = "BACKWARD") -> None:
        self._store, self._level = Store(path), level

    def close(self) -> None:
        self._store.close()

    # For the lab's own threads

    def register(self, subject: str, text: str, schema_type: str, level: str | None = None) -> int:
        """The schema's id, a new version where it is new. Raises RegistryRefused, RegistryUnavailable."""
        try:
            if level is not None and may_be_set(self._store.level(subject), level):
                self._store.set_level(subject, level)
            return self._register(subject, schema_type, parsed(schema_type, text))
        except Refusal as refusal:
            raise RegistryRefused(f"{subject}: {refusal.message}") from refusal
        except sqlite3.Error as error:
            raise RegistryUnavailable(f"the registry's file: {error}") from error

    def lookup(self, subject: str, text: str, schema_type: str) -> int:
        """The id it has in this subject. Raises RegistryRefused when it isn't there, RegistryUnavailable."""
        try:
            return int(self._find(subject, schema_type, parsed(schema_type, text))["id"])
        except Refusal as refusal:
            raise RegistryRefused(f"{subject}: {refusal.message}") from refusal
        except sqlite3.Error as error:
            raise RegistryUnavailable(f"the registry's file: {error}") from error

    def schema(self, schema_id: SchemaId) -> tuple[str, str]:
        """(type, text). Raises UnknownSchema, RegistryUnavailable."""
        try:
            found = self._store.schema(schema_id) if isinstance(schema_id, int) else self._by_guid(schema_id)
        except sqlite3.Error as error:
            raise RegistryUnavailable(f"the registry's file: {error}") from error
        if found is None:
            raise UnknownSchema(f"schema id {schema_id} is not in the registry")
        return found["type"], found["text"]

    def versions(self, subject: str) -> list[Version]:
        """Returns the newest versions of a subject, oldest first; none for a subject that is not there."""
        rows = self._store.versions(subject)[-VERSIONS:]
        return [Version(row["version"], row["id"], row["type"], row["text"]) for row in rows]

    # For everybody else

    def handle(self, method: str, path: str, query: Mapping[str, str], body: bytes = b"") -> Reply:
        """One request's HTTP status and JSON-able answer; never raises for what a client sent."""
        parts = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
        try:
            if len(body) > BODY_LIMIT:
                raise Refusal(413, 413, f"The body is longer than {BODY_LIMIT} bytes.")
            return 200, self._route(method, parts)(query, body)
        except Refusal as refusal:
            return refusal.status, {"error_code": refusal.code, "message": refusal.message}
        except sqlite3.Error:
            return 500, {"error_code": 50001, "message": "Error in the backend data store"}

    def _route(self, method: str, parts: list[str]) -> Callable[[Mapping[str, str], bytes], Any]:
        known = False
        for verb, pattern, function in ROUTES:
            wanted = pattern.strip("/").split("/") if pattern.strip("/") else []
            if len(wanted) != len(parts):
                continue
            pairs = list(zip(wanted, parts, strict=True))
            if any(want not in ("*", part) for want, part in pairs):
                continue
            known = True
            if verb == method:
                variable = tuple(part for want, part in pairs if want == "*")
                return lambda query, body: function(self, Request(variable, query, body))
        raise (
            Refusal(405, 405, "HTTP 405 Method Not Allowed")
            if known
            else Refusal(404, 404, "HTTP 404 Not Found")
        )

    def _register(self, subject: str, schema_type: str, text: str) -> int:
        with self._store.transaction():
            there = self._store.versions(subject)
            for row in there:
                if _is_same(row, schema_type, text):
                    return int(row["id"])
            olds = [(row["type"], row["text"]) for row in there]
            why = problems(schema_type, text, olds, self._store.level(subject) or self.global_level())
            if why:
                message = (
                    f'Schema being registered is incompatible with an earlier schema for subject "{subject}"'
                )
                raise Refusal(409, 409, f"{message}, details: {'; '.join(why)}")
            return self._store.add(subject, schema_type, text)

    def _find(self, subject: str, schema_type: str, text: str, deleted: bool = False) -> sqlite3.Row:
        for row in self._existing(subject, deleted):
            if _is_same(row, schema_type, text):
                return row
        raise Refusal(404, 40403, "Schema not found")

    def global_level(self) -> str:
        return self._store.level(GLOBAL) or self._level

    def _existing(self, subject: str, deleted: bool = False) -> list[sqlite3.Row]:
        rows = self._store.versions(subject, deleted)
        if not rows:
            raise Refusal(404, 40401, f"Subject '{subject}' not found.")
        return rows

    def _version(self, subject: str, name: str, deleted: bool = False) -> sqlite3.Row:
        rows = self._existing(subject, deleted)
        if name in ("latest", "-1"):
            return rows[-1]
        if not re.fullmatch(r"[1-9][0-9]{0,8}", name):
            raise Refusal(422, 42202, f"The specified version '{name}' is not a valid version id.")
        for row in rows:
            if row["version"] == int(name):
                return row
        raise Refusal(404, 40402, f"Version {name} not found.")

    def _by_guid(self, wanted: str) -> sqlite3.Row | None:
        return next((row for row in self._store.schemas() if guid(row["type"], row["text"]) == wanted), None)

    def _id(self, text: str) -> tuple[str, str]:
        """(type, text) of a schema id from a path."""
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Refusal(404, 404, "HTTP 404 Not Found")
        found = self._store.schema(int(text))
        if found is None:
            raise Refusal(404, 40403, f"Schema {text} not found")
        return found["type"], found["text"]


def guid(schema_type: str, text: str) -> str:
    """Returns a schema's GUID: the same text has the same one in every registry of this kind."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{schema_type}:{text}"))


def _is_same(row: sqlite3.Row, schema_type: str, text: str) -> bool:
    return row["type"] == schema_type and identity(schema_type, row["text"]) == identity(schema_type, text)


def _described(subject: str, row: sqlite3.Row) -> dict[str, Any]:
    kind = {} if row["type"] == "AVRO" else {"schemaType": row["type"]}
    number = guid(row["type"], row["text"])
    numbers = {"subject": subject, "version": row["version"], "id": row["id"], "guid": number}
    return numbers | kind | {"schema": row["text"]}


def list_subjects(registry: Registry, request: Request) -> list[str]:
    return registry._store.subjects(request.text("subjectPrefix"), request.flag("deleted"))


def check_schema(registry: Registry, request: Request) -> dict[str, Any]:
    (subject,) = request.parts
    return _described(subject, registry._find(subject, *request.schema(), request.flag("deleted")))


def delete_subject(registry: Registry, request: Request) -> list[int]:
    (subject,) = request.parts
    permanent = request.flag("permanent")
    with registry._store.transaction():
        rows = registry._existing(subject, deleted=permanent)
        if permanent and not all(row["deleted"] for row in rows):
            raise Refusal(
                404, 40405, f"Subject '{subject}' was not deleted first before being permanently deleted"
            )
        versions = [row["version"] for row in rows]
        registry._store.delete(subject, versions, permanent)
    return versions


def list_versions(registry: Registry, request: Request) -> list[int]:
    return [row["version"] for row in registry._existing(request.parts[0], request.flag("deleted"))]


def register_schema(registry: Registry, request: Request) -> dict[str, Any]:
    schema_id = registry._register(request.parts[0], *request.schema())
    return {"id": schema_id, "guid": guid(*registry.schema(schema_id))}


def get_version(registry: Registry, request: Request) -> dict[str, Any]:
    subject, version = request.parts
    return _described(subject, registry._version(subject, version, request.flag("deleted")))


def get_version_schema(registry: Registry, request: Request) -> Any:
    subject, version = request.parts
    return json.loads(registry._version(subject, version, request.flag("deleted"))["text"])


def delete_version(registry: Registry, request: Request) -> int:
    subject, name = request.parts
    permanent = request.flag("permanent")
    with registry._store.transaction():
        row = registry._version(subject, name, deleted=permanent)
        if permanent and not row["deleted"]:
            message = (
                f"Subject '{subject}' Version {name} was not deleted first before being permanently deleted"
            )
            raise Refusal(404, 40407, message)
        registry._store.delete(subject, [row["version"]], permanent)
    return int(row["version"])


def get_schema(registry: Registry, request: Request) -> dict[str, str]:
    schema_type, text = registry._id(request.parts[0])
    return {"schema": text} | ({} if schema_type == "AVRO" else {"schemaType": schema_type})


def get_schema_by_guid(registry: Registry, request: Request) -> dict[str, Any]:
    found = registry._by_guid(request.parts[0])
    if found is None:
        raise Refusal(404, 40403, f"Schema {request.parts[0][:40]} not found")
    kind = {} if found["type"] == "AVRO" else {"schemaType": found["type"]}
    return {"id": found["id"], "guid": request.parts[0], **kind, "schema": found["text"]}


def get_raw_schema(registry: Registry, request: Request) -> Any:
    return json.loads(registry._id(request.parts[0])[1])


def get_uses(registry: Registry, request: Request) -> list[dict[str, Any]]:
    registry._id(request.parts[0])
    return [dict(row) for row in registry._store.uses(int(request.parts[0]), request.flag("deleted"))]


def get_subjects_of(registry: Registry, request: Request) -> list[str]:
    return sorted({use["subject"] for use in get_uses(registry, request)})


def get_config(registry: Registry, request: Request) -> dict[str, str]:
    if not request.parts:
        return {"compatibilityLevel": registry.global_level()}
    level = registry._store.level(request.parts[0])
    if level is None and request.flag("defaultToGlobal"):
        level = registry.global_level()
    if level is None:
        message = f"Subject '{request.parts[0]}' does not have subject-level compatibility configured"
        raise Refusal(404, 40408, message)
    return {"compatibilityLevel": level}


def put_config(registry: Registry, request: Request) -> dict[str, str]:
    level = str(request.json().get("compatibility", "")).upper()
    if level not in LEVELS:
        raise Refusal(422, 42203, f"Invalid compatibility level. Valid values are {', '.join(LEVELS)}")
    registry._store.set_level(request.parts[0] if request.parts else GLOBAL, level)
    return {"compatibility": level}


def delete_config(registry: Registry, request: Request) -> dict[str, str]:
    before = get_config(registry, request)
    registry._store.set_level(request.parts[0] if request.parts else GLOBAL, None)
    return before


def compatible(registry: Registry, request: Request) -> dict[str, Any]:
    """With a version: against that one; without: as registering would, against what the level says."""
    subject, level = request.parts[0], registry._store.level(request.parts[0]) or registry.global_level()
    if len(request.parts) == 2:
        rows = [registry._version(request.parts[0], request.parts[1])]
    else:
        rows = registry._store.versions(subject)
    schema_type, text = request.schema()
    why = problems(schema_type, text, [(row["type"], row["text"]) for row in rows], level)
    return {"is_compatible": not why} | ({"messages": why} if request.flag("verbose") else {})


ROUTES: tuple[tuple[str, str, Callable[[Registry, Request], Any]], ...] = (
    ("GET", "/", lambda registry, request: {}),
    ("GET", "/subjects", list_subjects),
    ("POST", "/subjects/*", check_schema),
    ("DELETE", "/subjects/*", delete_subject),
    ("GET", "/subjects/*/versions", list_versions),
    ("POST", "/subjects/*/versions", register_schema),
    ("GET", "/subjects/*/versions/*", get_version),
    ("GET", "/subjects/*/versions/*/schema", get_version_schema),
    ("DELETE", "/subjects/*/versions/*", delete_version),
    ("GET", "/schemas/types", lambda registry, request: list(TYPES)),
    ("GET", "/schemas/ids/*", get_schema),
    ("GET", "/schemas/guids/*", get_schema_by_guid),
    ("GET", "/schemas/ids/*/schema", get_raw_schema),
    ("GET", "/schemas/ids/*/subjects", get_subjects_of),
    ("GET", "/schemas/ids/*/versions", get_uses),
    ("GET", "/config", get_config),
    ("PUT", "/config", put_config),
    ("GET", "/config/*", get_config),
    ("PUT", "/config/*", put_config),
    ("DELETE", "/config/*", delete_config),
    ("GET", "/mode", lambda registry, request: {"mode": "READWRITE"}),
    ("POST", "/compatibility/subjects/*/versions", compatible),
    ("POST", "/compatibility/subjects/*/versions/*", compatible),
)
