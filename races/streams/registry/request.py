"""One request to the registry: the parts of its path, its query and its body; and the answers that are errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from races.streams.registry.compatibility import InvalidSchema, canonical

TYPES = ("AVRO", "JSON")


class Refusal(Exception):
    """An answer that is an error: HTTP status, the registry's own code, words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Request:
    """What a route's function gets: the path's parts, the query, the JSON body."""

    def __init__(self, parts: tuple[str, ...], query: Mapping[str, str], body: bytes) -> None:
        self.parts, self._query, self._body = parts, query, body

    def flag(self, name: str) -> bool:
        return self._query.get(name, "false").lower() == "true"

    def text(self, name: str) -> str:
        return self._query.get(name, "")

    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self._body or b"{}")
        except (ValueError, RecursionError) as error:
            raise Refusal(400, 400, f"The body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Refusal(400, 400, "The body must be a JSON object.")
        return value

    def schema(self) -> tuple[str, str]:
        """(type, canonical text) of the schema in the body."""
        body = self.json()
        schema_type, text = body.get("schemaType") or "AVRO", body.get("schema")
        if schema_type not in TYPES or body.get("references"):
            raise Refusal(422, 42201, f"Only {' and '.join(TYPES)} schemas without references are kept here.")
        if not isinstance(text, str):
            raise Refusal(422, 42201, "Empty schema")
        return schema_type, parsed(schema_type, text)


def parsed(schema_type: str, text: str) -> str:
    try:
        return canonical(schema_type, text)
    except InvalidSchema as error:
        raise Refusal(422, 42201, f"Invalid schema: {error}") from error
