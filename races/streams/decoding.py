"""Decoding of records: framed bytes in, a record of our own schema out, BadRecord for the rest.

A record comes with the schema that it was written with, and anybody may register one. So a schema is looked through
before a decoder is made of it, and no bytes can keep the decoder busy.
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
from races.streams.validation import RecordSchema

Decode = Callable[[bytes], dict[str, Any]]
HEADER_SIZE = 5
DEPTH_LIMIT = 40
NODE_LIMIT = 2000  # a few names that use each other twice would make a million types
SCHEMA_LIMIT = 100_000
FIXED_LIMIT = 1024
MINIMUM_BYTES = {"null": 0} | dict.fromkeys(
    ("boolean", "int", "long", "float", "double", "bytes", "string", "enum"), 1
)


class OwnSchema(Protocol):
    """The schema that this lab itself writes with; text is its source, parsed is fastavro's form."""

    is_json: bool
    text: str
    parsed: Any
    schema: RecordSchema


def parse_own(text: str) -> Any:
    """Parses a schema for fastavro, without logical types: a timestamp stays a number."""
    return fastavro.parse_schema(_plain(json.loads(text)))


def make_decode(schema_type: str, text: str, own: OwnSchema) -> Decode:
    """Makes the function that decodes what was written with this schema. It never raises: for a schema that cannot be
    read, the function raises BadRecord for each record.
    """
    if schema_type == "JSON":
        return lambda data: _read_json(data, own.schema)
    if own.is_json:
        return _refuse("written as Avro where JSON is read")
    try:
        # a record's schema gives one writer, a union one for each branch: None for what is no record
        if len(text) > SCHEMA_LIMIT:
            raise BadRecord("is too long")
        schema = _plain(json.loads(text))
        if not isinstance(schema, list):
            branches = _record_writer(schema, {}, own)
        else:
            known: dict[str, Any] = {}
            parsed = [_record_writer(branch, known, own) if _is_record(branch) else None for branch in schema]
            if not any(parsed):
                raise BadRecord("is not a record's")
            branches = parsed
    except (BadRecord, SchemaParseException, ValueError, TypeError, KeyError, RecursionError) as error:
        return _refuse(f"its schema: {error}")
    if isinstance(branches, list):
        return lambda data: _read_union(data, branches, own)
    if branches["fields"] == own.parsed["fields"]:
        decode = make_decoder(own.schema.fields)
        return lambda data: _read_own(data, decode, own.schema)
    return lambda data: _read_avro(data, HEADER_SIZE, branches, own)


def _refuse(why: str) -> Decode:
    def decode(data: bytes) -> dict[str, Any]:
        raise BadRecord(why)

    return decode


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "record"


def _record_writer(schema: Any, known: dict[str, Any], own: OwnSchema) -> Any:
    if not _is_record(schema):
        raise BadRecord("is not a record's")
    alone = _Inlined(known).of(schema, "", 0)
    _least_bytes(alone)
    # Names don't matter here: Flink calls the same record by its table's name
    return fastavro.parse_schema(alone | {"name": own.parsed["name"]})


class _Inlined:
    """Copies a schema so that each named type stands where it is used, under a name of its own.

    Avro defines an enum, a record or a fixed once and names it afterwards. `known` has the types of other branches of a
    union. Raises BadRecord for a type that contains itself, and for a schema that grows beyond NODE_LIMIT.
    """

    def __init__(self, known: dict[str, Any]) -> None:
        self._known, self._open, self._nodes = known, set[str](), 0

    def of(self, node: Any, namespace: str, depth: int) -> Any:
        self._nodes += 1
        if depth > DEPTH_LIMIT or self._nodes > NODE_LIMIT:
            raise BadRecord("is nested too deeply")
        if isinstance(node, list):
            return [self.of(branch, namespace, depth + 1) for branch in node]
        if isinstance(node, str):
            return self._named(node, namespace, depth)
        if not isinstance(node, dict):
            raise BadRecord(f"has a type that is not followed: {str(node)[:60]}")
        kind = node["type"]
        if kind in ("record", "enum", "fixed"):
            return self._definition(node, namespace, depth)
        if kind in ("array", "map"):
            inside = "items" if kind == "array" else "values"
            return {"type": kind, inside: self.of(node[inside], namespace, depth + 1)}
        return self.of(kind, namespace, depth + 1)

    def _named(self, name: str, namespace: str, depth: int) -> Any:
        if name in MINIMUM_BYTES and name != "enum":
            return name
        full = name if "." in name else f"{namespace}.{name}"
        full = full if full in self._known else name
        if full not in self._known or full in self._open:
            raise BadRecord(f"has a type that is not followed: {name[:60]}")
        node, inside = self._known[full]
        return self._definition(node, inside, depth)

    def _definition(self, node: dict[str, Any], namespace: str, depth: int) -> Any:
        name = str(node["name"])
        namespace = name.rpartition(".")[0] or str(node.get("namespace", namespace))
        full = name if "." in name else f"{namespace}.{name}"
        self._known[full] = node, namespace
        copy = {**node, "name": f"n{self._nodes}"}
        copy.pop("namespace", None)
        if node["type"] == "record":
            self._open.add(full)
            copy["fields"] = [
                {**field, "type": self.of(field["type"], namespace, depth + 1)} for field in node["fields"]
            ]
            self._open.discard(full)
        return copy


def _least_bytes(node: Any) -> int:
    """Returns the fewest bytes that a value of this type takes.

    Raises BadRecord for types that could keep a decoder busy for ever on a few bytes: lists of items without bytes.
    """
    if isinstance(node, list):
        return 1 + min(_least_bytes(branch) for branch in node)
    if isinstance(node, str):
        return MINIMUM_BYTES[node]
    kind = node["type"]
    if kind == "record":
        return sum(_least_bytes(field["type"]) for field in node["fields"])
    if kind == "enum":
        return 1
    if kind == "fixed" and 0 <= node["size"] <= FIXED_LIMIT:
        return int(node["size"])
    if kind in ("array", "map") and _least_bytes(node["items" if kind == "array" else "values"]):
        return 1
    raise BadRecord(f"has a type that is not followed: {str(kind)[:60]}")


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key not in ("logicalType", "doc")}
    return [_plain(value) for value in node] if isinstance(node, list) else node


def _read_own(
    data: bytes, decode: Callable[[bytes, int], dict[str, Any]], schema: RecordSchema
) -> dict[str, Any]:
    try:
        return schema.check(decode(data, HEADER_SIZE))
    except (ValueError, IndexError, struct.error) as error:
        raise BadRecord(_describe(error)) from error


def _read_union(data: bytes, branches: list[Any], own: OwnSchema) -> dict[str, Any]:
    branch, start = _long(data, HEADER_SIZE)
    if not 0 <= branch < len(branches) or branches[branch] is None:
        raise BadRecord(f"branch {branch} of a union, which holds no record")
    return _read_avro(data, start, branches[branch], own)


def _long(data: bytes, at: int) -> tuple[int, int]:
    """Avro's zigzag number at a place, and the place behind it. Raises BadRecord."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte, at = data[at], at + 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
    raise BadRecord("the bytes end too early")


class _Bounded(BytesIO):
    """Raises EOFError where there are fewer bytes than asked for.

    fastavro skips fields that we do not have without looking whether their bytes are there: a list of 2**60 numbers in
    a record of twenty bytes would keep it busy for years.
    """

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        if size is not None and len(piece) < size:
            raise EOFError("the bytes end too early")
        return piece


def _read_avro(data: bytes, start: int, writer: Any, own: OwnSchema) -> dict[str, Any]:
    source = _Bounded(data)
    source.seek(start)
    try:
        record = fastavro.schemaless_reader(source, writer, own.parsed)
    except Exception as error:  # what the bytes provoke in the library is not a closed list
        raise BadRecord(_describe(error)) from error
    if source.tell() != len(data):
        raise BadRecord(f"{len(data) - source.tell()} bytes too many")
    return own.schema.check(record)  # type: ignore[arg-type]


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200] or 'the bytes end too early'}"


def _read_json(data: bytes, schema: RecordSchema) -> dict[str, Any]:
    try:
        value = json.loads(data[HEADER_SIZE:].decode())
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"not JSON: {str(error)[:200]}") from error
    return schema.conform(value)
