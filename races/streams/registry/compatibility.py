"""May this schema follow those? Confluent's levels, decided by Apache's own Avro checker.

JSON Schemas: objects with typed properties, which is what Flink's json-registry format and this project
write. A type may widen, nothing may become required that was not written before. An open schema, one that allows
other properties, reads what a schema with more properties wrote, but it may not gain a property itself: what was
written before may hold anything by that name. A closed one may gain an optional property and lose none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import avro.compatibility
import avro.errors
import avro.schema

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
LEVELS = (
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
)
# Of a comparison. The largest of ours takes 71; unions within unions, as many as fit in a body, 300,000.
MOST_STEPS = 5000
_PARSE_ERRORS = (avro.errors.AvroException, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class InvalidSchema(Exception):
    pass


def canonical(schema_type: str, text: str) -> str:
    """One spelling for what differs in white space only. Raises InvalidSchema."""
    parsed = _loads(text) if schema_type == "JSON" or not text.strip().isidentifier() else text.strip()
    if schema_type == "AVRO":
        _avro(json.dumps(parsed))
    elif not isinstance(parsed, dict | bool):
        raise InvalidSchema("a JSON Schema is an object")
    return json.dumps(parsed, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=256)
def identity(schema_type: str, text: str) -> str:
    """One spelling for all texts of a schema, as Confluent's registry sees it.

    The order of keys, `{"type": "string"}` for `"string"`, and a namespace in the name or beside it make no other
    schema. Docs, defaults and aliases do. Raises InvalidSchema.
    """
    parsed = _loads(text) if text.strip()[:1] in ("{", "[", '"') else text.strip()
    return json.dumps(_with_full_names(parsed, "") if schema_type == "AVRO" else parsed, sort_keys=True)


def _with_full_names(node: Any, namespace: str) -> Any:
    if isinstance(node, list):
        return [_with_full_names(branch, namespace) for branch in node]
    if isinstance(node, str):
        return node if node in PRIMITIVES or "." in node or not namespace else f"{namespace}.{node}"
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    if set(node) == {"type"}:
        return _with_full_names(kind, namespace)
    found = dict(node)
    if kind in ("record", "enum", "fixed", "error") and "name" in node:
        own, _, name = str(node["name"]).rpartition(".")
        namespace = own or str(node.get("namespace", namespace))
        found.pop("namespace", None)
        found["name"] = f"{namespace}.{name}" if namespace else name
    elif isinstance(kind, dict | list):
        found["type"] = _with_full_names(kind, namespace)
    for inside in ("items", "values"):
        if inside in node:
            found[inside] = _with_full_names(node[inside], namespace)
    if isinstance(node.get("fields"), list):
        found["fields"] = [
            {**field, "type": _with_full_names(field.get("type"), namespace)}
            if isinstance(field, dict)
            else field
            for field in node["fields"]
        ]
    return found


def problems(schema_type: str, new: str, olds: Sequence[tuple[str, str]], level: str) -> list[str]:
    """Why `new` may not follow `olds` ((type, text), newest last); empty when it may."""
    if level == "NONE" or not olds:
        return []
    against = olds if level.endswith("_TRANSITIVE") else olds[-1:]
    found: list[str] = []
    for old_type, old in against:
        if old_type != schema_type:
            found.append(f"was {old_type}, is {schema_type}")
            continue
        reads = _avro_reads if schema_type == "AVRO" else _json_reads
        if level.startswith(("BACKWARD", "FULL")):
            found += [f"the new schema can't read old data: {why}" for why in reads(new, old)]
        if level.startswith(("FORWARD", "FULL")):
            found += [f"the old schema can't read new data: {why}" for why in reads(old, new)]
    return found


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSchema(f"not JSON: {error}") from error


def _avro(text: str) -> avro.schema.Schema:
    try:
        return avro.schema.parse(json.dumps(_without_logical_types(json.loads(text))))
    except _PARSE_ERRORS as error:
        raise InvalidSchema(str(error)) from error


def _without_logical_types(node: Any) -> Any:
    """They play no part in compatibility, and the library warns of each one it doesn't know."""
    if isinstance(node, dict):
        return {key: _without_logical_types(value) for key, value in node.items() if key != "logicalType"}
    return [_without_logical_types(value) for value in node] if isinstance(node, list) else node


class _TooMuch(Exception):
    pass


class _Checker(avro.compatibility.ReaderWriterCompatibilityChecker):
    """Every branch of one union is held against every branch of the other, and what is in them again."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._steps = 0

    def get_compatibility(self, *pair: Any) -> avro.compatibility.SchemaCompatibilityResult:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise _TooMuch
        return super().get_compatibility(*pair)


def _avro_reads(reader: str, writer: str) -> list[str]:
    try:
        result = _Checker().get_compatibility(_avro(reader), _avro(writer))
    except _TooMuch:
        return ["there is too much in them to be compared here"]
    if result.compatibility is avro.compatibility.SchemaCompatibilityType.compatible:
        return []
    # of a field without a default the checker's message is the name alone
    said = [
        f"field '{one}' has no default" if one.isidentifier() else one for one in map(str, result.messages)
    ]
    return sorted(said) or ["not compatible"]


def _json_reads(reader: str, writer: str) -> list[str]:
    read, written = _loads(reader), _loads(writer)
    if not isinstance(read, dict) or not isinstance(written, dict):
        return [] if read in (True, written) else ["a schema that forbids all"]
    always_written = set(written.get("required", []))
    found = [f"'{name}' is required now" for name in read.get("required", []) if name not in always_written]
    before, now = written.get("properties", {}), read.get("properties", {})
    for name, spec in now.items():
        if name in before and not _types(before[name]) <= _types(spec):
            found.append(f"'{name}' was {sorted(_types(before[name]))}, is {sorted(_types(spec))}")
        elif name not in before and _is_open(written) and spec not in ({}, True):
            found.append(f"'{name}' is new in an open schema (PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL)")
    if read.get("additionalProperties") is False:
        gone = [name for name in before if name not in now]
        found += [f"'{name}' is gone (PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL)" for name in gone]
        if _is_open(written):
            found.append("it was open and is closed (ADDITIONAL_PROPERTIES_REMOVED)")
    return found


def _is_open(schema: dict[str, Any]) -> bool:
    """Whether a record of this schema may have any other property. Patterns for names make it half open."""
    return schema.get("additionalProperties", True) in ({}, True) and not schema.get("patternProperties")


_ALL_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "object", "array"})


def _types(spec: Any) -> frozenset[str]:
    """The JSON types that a property's schema lets through."""
    if not isinstance(spec, dict):
        return _ALL_TYPES
    branches = spec.get("oneOf") or spec.get("anyOf")
    if branches:
        return frozenset().union(*(_types(branch) for branch in branches))
    kinds = spec.get("type", list(_ALL_TYPES))
    names = {kinds} if isinstance(kinds, str) else set(kinds)
    return frozenset(names | ({"integer"} if "number" in names else set()))
