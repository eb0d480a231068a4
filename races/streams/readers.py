"""One function for each writer's schema: framed bytes in, a record of our own shape out, BadRecord for the
rest.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any, Protocol

import fastavro
from fastavro.schema import SchemaParseException

from races.streams.errors import BadRecord
from races.streams.fast_avro import make_decoder
from races.streams.shapes import Shape

Reader = Callable[[bytes], dict[str, Any]]
HEADER_SIZE = 5
DEPTH_LIMIT = 8
SCHEMA_LIMIT = 100_000
FIXED_LIMIT = 1024
ATOMS = {
    "null": 0,
    "boolean": 1,
    "int": 1,
    "long": 1,
    "float": 4,
    "double": 8,
    "bytes": 1,
    "string": 1,
    "enum": 1,
}


class OwnSchema(Protocol):
    is_json: bool
    text: str
    parsed: Any
    shape: Shape


def parse_own(text: str) -> Any:
    """fastavro's form, without logical types: a timestamp is its number, not a datetime."""
    return fastavro.parse_schema(_plain(json.loads(text)))


def make_reader(schema_type: str, text: str, own: OwnSchema) -> Reader:
    """Raises nothing: a schema that can't be followed makes a reader that says so for each record."""
    if schema_type == "JSON":
        return lambda data: _read_json(data, own.shape)
    if own.is_json:
        return _refuse("written as Avro where JSON is read")
    try:
        writer = _writer(text, own)
    except (BadRecord, SchemaParseException, ValueError, TypeError, KeyError, RecursionError) as error:
        return _refuse(f"its schema: {error}")
    if writer["fields"] == own.parsed["fields"]:
        decode = make_decoder(own.shape.fields)
        return lambda data: _read_own(data, decode, own.shape)
    return lambda data: _read_avro(data, writer, own.parsed, own.shape)


def _refuse(why: str) -> Reader:
    def reader(data: bytes) -> dict[str, Any]:
        raise BadRecord(why)

    return reader


def _writer(text: str, own: OwnSchema) -> Any:
    if len(text) > SCHEMA_LIMIT:
        raise BadRecord("is too long")
    schema = _plain(json.loads(text))
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise BadRecord("is not a record's")
    _least_bytes(schema)
    # Names don't matter here: Flink calls the same record by its table's name
    schema |= {"name": own.parsed["name"]}
    schema.pop("namespace", None)
    return fastavro.parse_schema(schema)


def _least_bytes(node: Any, depth: int = 0) -> int:
    """The fewest bytes a value of this type takes. Raises BadRecord for what could keep a decoder busy for
    ever on a few bytes: lists of items without bytes, and types that hold themselves (they are written as a
    name).
    """
    if depth > DEPTH_LIMIT:
        raise BadRecord("is nested too deeply")
    if isinstance(node, list):
        return 1 + min(_least_bytes(branch, depth + 1) for branch in node)
    kind = node.get("type") if isinstance(node, dict) else node
    if isinstance(kind, dict | list):
        return _least_bytes(kind, depth + 1)
    if kind in ATOMS:
        return ATOMS[kind]
    if kind == "record":
        return sum(_least_bytes(field["type"], depth + 1) for field in node["fields"])
    if kind == "fixed" and 0 <= node["size"] <= FIXED_LIMIT:
        return int(node["size"])
    if kind in ("array", "map") and _least_bytes(node["items" if kind == "array" else "values"], depth + 1):
        return 1
    raise BadRecord(f"has a type that is not followed: {str(kind)[:60]}")


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key not in ("logicalType", "doc")}
    return [_plain(value) for value in node] if isinstance(node, list) else node


def _read_own(data: bytes, decode: Callable[[bytes, int], dict[str, Any]], shape: Shape) -> dict[str, Any]:
    try:
        return shape.check(decode(data, HEADER_SIZE))
    except (ValueError, IndexError, struct.error) as error:
        raise BadRecord(_told(error)) from error


def _read_avro(data: bytes, writer: Any, ours: Any, shape: Shape) -> dict[str, Any]:
    source = BytesIO(data)
    source.seek(HEADER_SIZE)
    try:
        record = fastavro.schemaless_reader(source, writer, ours)
    except Exception as error:  # what the bytes provoke in the library is not a closed list
        raise BadRecord(_told(error)) from error
    if source.tell() != len(data):
        raise BadRecord(f"{len(data) - source.tell()} bytes too many")
    return shape.check(record)  # type: ignore[arg-type]


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200] or 'the bytes end too early'}"


def _read_json(data: bytes, shape: Shape) -> dict[str, Any]:
    try:
        value = json.loads(data[HEADER_SIZE:].decode())
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"not JSON: {str(error)[:200]}") from error
    return shape.conform(value)
