"""Schemas that are right and not ours: our fields are read; what cannot be decoded safely is refused at once."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import fastavro
import pytest

from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.errors import BadRecord
from races.streams.framing import HEADER
from races.streams.registry.service import Registry
from races.streams.topics import TOPICS
from tests.streams.records import POSITION

OURS = json.loads(TOPICS["positions"].value_schema)
TYRE = {"type": "enum", "name": "Tyre", "namespace": "f1.types", "symbols": ["SOFT", "HARD"]}
CAR = {"type": "record", "name": "Neighbour", "fields": [{"name": "code", "type": "string"}]}
STINT = {"type": "record", "name": "Stint", "namespace": "f1", "fields": [{"name": "on", "type": TYRE}]}
EVENT = {"type": "record", "name": "Event", "fields": [{"name": "what", "type": TYRE}]}


@pytest.fixture
def registry() -> Registry:
    return Registry(level="NONE")


@pytest.fixture
def codec(registry: Registry) -> Codec:
    return Codec(embedded_settings("unused"), registry)


def with_fields(*fields: dict[str, Any]) -> dict[str, Any]:
    """Our schema with more fields, by another name."""
    return {
        "type": "record",
        "name": "Theirs",
        "namespace": "org.example",
        "fields": [*OURS["fields"], *fields],
    }


def written(registry: Registry, schema: Any, value: Any) -> bytes:
    text, out = json.dumps(schema), io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(text)), value)
    return HEADER.pack(0, registry.register("theirs", text, "AVRO", "NONE")) + out.getvalue()


def nested(levels: int) -> Any:
    """A record in a record, so many levels deep."""
    schema: Any = "int"
    for level in range(levels):
        schema = {"type": "record", "name": f"L{level}", "fields": [{"name": "in", "type": schema}]}
    return schema


def value_of(levels: int) -> Any:
    value: Any = 5
    for _ in range(levels):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        (
            [{"name": "old", "type": TYRE}, {"name": "new", "type": "f1.types.Tyre"}],
            {"old": "SOFT", "new": "HARD"},
        ),
        (
            [{"name": "ahead", "type": CAR}, {"name": "behind", "type": "Neighbour"}],
            {"ahead": {"code": "VER"}, "behind": {"code": "PIA"}},
        ),
        (
            [
                {"name": "stint", "type": STINT},
                {"name": "all", "type": {"type": "array", "items": "f1.Stint"}},
            ],
            {"stint": {"on": "SOFT"}, "all": [{"on": "HARD"}, {"on": "SOFT"}]},
        ),
        ([{"name": "deep", "type": nested(12)}], {"deep": value_of(12)}),
        ([{"name": "maybe", "type": ["null", {"type": "map", "values": TYRE}]}], {"maybe": {"a": "SOFT"}}),
    ],
    ids=["enum twice", "record twice", "enum in a record twice", "twelve levels", "map of enums"],
)
def test_added_fields_are_left_out(
    codec: Codec, registry: Registry, fields: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    assert codec.decode("positions", written(registry, with_fields(*fields), POSITION | more)) == POSITION


@pytest.mark.parametrize("position", [0, 1])
def test_optional_record_is_read(codec: Codec, registry: Registry, position: int) -> None:
    """Connect writes an optional struct as a union with null."""
    union: list[Any] = ["null"]
    union.insert(position, with_fields())
    assert codec.decode("positions", written(registry, union, POSITION)) == POSITION
    with pytest.raises(BadRecord, match="holds no record"):
        codec.decode("positions", written(registry, union, None))


def test_several_events_in_one_topic(codec: Codec, registry: Registry) -> None:
    """Ours is read, also with a type that another branch defines; another event is refused."""
    union = [EVENT, with_fields({"name": "tyre_class", "type": "f1.types.Tyre"}), "string"]
    ours = ("org.example.Theirs", POSITION | {"tyre_class": "HARD"})
    assert codec.decode("positions", written(registry, union, ours)) == POSITION
    for other in (("Event", {"what": "SOFT"}), "text"):
        with pytest.raises(BadRecord):
            codec.decode("positions", written(registry, union, other))


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x80" * 20, b"\x06", b"\x01", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
)
def test_broken_union_is_refused(codec: Codec, registry: Registry, data: bytes) -> None:
    schema_id = registry.register("theirs", json.dumps(["null", with_fields()]), "AVRO", "NONE")
    with pytest.raises(BadRecord):
        codec.decode("positions", HEADER.pack(0, schema_id) + data)


def bomb(levels: int) -> dict[str, Any]:
    """Each type uses the one before ten times: a few names that stand for ten to the power of the levels."""
    fields: list[dict[str, Any]] = [{"name": "t0", "type": TYRE}]
    for level in range(1, levels):
        before = "f1.types.Tyre" if level == 1 else f"B{level - 1}"
        inside = [{"name": f"f{number}", "type": before} for number in range(10)]
        fields.append(
            {"name": f"t{level}", "type": {"type": "record", "name": f"B{level}", "fields": inside}}
        )
    return with_fields(*fields)


EMPTY = {"type": "record", "name": "Empty", "fields": []}
LIST = {
    "type": "record",
    "name": "List",
    "fields": [{"name": "next", "type": ["null", "List"]}],
}


@pytest.mark.parametrize(
    "schema",
    [
        bomb(9),
        with_fields({"name": "list", "type": LIST}),
        with_fields(
            {
                "name": "none",
                "type": {"type": "array", "items": {"type": "record", "name": "E", "fields": []}},
            }
        ),
        with_fields({"name": "deep", "type": nested(200)}),
        ["null", "string"],
        [],
        "string",
    ],
    ids=["bomb", "a list", "items without bytes", "too deep", "no record", "empty union", "text"],
)
def test_schema_is_refused_at_once(schema: Any) -> None:
    """Types that would keep a decoder busy: counted as a bad record, with the reason."""
    codec = Codec(embedded_settings("unused"), Knowing(json.dumps(schema)))
    began = time.monotonic()
    with pytest.raises(BadRecord, match="its schema: "):
        codec.decode("positions", HEADER.pack(0, 1) + b"\2" * 60)
    assert time.monotonic() - began < 2


class Knowing:
    """A registry with one schema, whatever it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def register(self, subject: str, text: str, schema_type: str, level: str | None = None) -> int:
        return 1

    def lookup(self, subject: str, text: str, schema_type: str) -> int:
        return 1

    def schema(self, schema_id: int | str) -> tuple[str, str]:
        return "AVRO", self._text


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "items",
    ["boolean", "float", "double", {"type": "fixed", "name": "Three", "size": 3}, CAR, ["null", "int"]],
)
def test_endless_list_ends_at_once(codec: Codec, registry: Registry, items: Any) -> None:
    """A count of 2**60 items in a field that is skipped, and hardly any bytes behind it."""
    fields = {"name": "endless", "type": {"type": "array", "items": items}}
    schema = {"type": "record", "name": "Theirs", "fields": [fields, *OURS["fields"]]}
    schema_id = registry.register("theirs", json.dumps(schema), "AVRO", "NONE")
    count = b"\x80\x80\x80\x80\x80\x80\x80\x80\x20"
    with pytest.raises(BadRecord):
        codec.decode("positions", HEADER.pack(0, schema_id) + count + b"\x02" * 8)
