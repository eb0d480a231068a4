"""What a decoded record must look like beyond its types, whoever wrote it.

Avro says "double" and "string"; it doesn't say finite, short or this century. Anybody may write to a topic,
so what passes here can be put on a page, into a database and into a calculation.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from races.streams.errors import BadRecord

TEXT_LIMIT = 300
MESSAGE_LIMIT = 2000
INT_RANGE = (-1, 1_000_000)
TIME_RANGE = (0, 4_102_444_800_000)  # epoch ms, until 2100
DOUBLE_LIMIT = 1_000_000.0
# They turn the text around that stands beside them, on a page as in a terminal; no name needs one.
TURNING = re.compile("[\x80-\x9f\u202a-\u202e\u2066-\u2069]")
JSON_KINDS = {"string": "string", "number": "long", "integer": "long", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str  # string, int, long, double, boolean
    nullable: bool
    required: bool
    default: Any = None

    @property
    def text_limit(self) -> int:
        return MESSAGE_LIMIT if self.name == "message" else TEXT_LIMIT


class Shape:
    """The fields of one of our schemas, able to check a decoded record and to conform a JSON object to it."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self.fields = fields
        self._doubles = tuple(f.name for f in fields if f.kind == "double")
        self._ints = tuple(
            (f.name, *(TIME_RANGE if f.kind == "long" else INT_RANGE))
            for f in fields
            if f.kind in ("int", "long")
        )
        self._texts = tuple((f.name, f.text_limit) for f in fields if f.kind == "string")

    def check(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record itself, without signs that turn text around. Its types are already right. Raises BadRecord."""
        for name in self._doubles:
            number = record[name]
            # written so that NaN, for which every comparison fails, is refused too
            if number is not None and not -DOUBLE_LIMIT < number < DOUBLE_LIMIT:
                raise BadRecord(f"{name} is {number}")
        for name, low, high in self._ints:
            count = record[name]
            if count is not None and not low <= count <= high:
                raise BadRecord(f"{name} is {count}")
        self._check_texts(record)
        return record

    def _check_texts(self, record: dict[str, Any]) -> None:
        # all at once, because that is nearly always all there is to do
        together = "".join([record[name] or "" for name, _ in self._texts])
        if not together.isascii() and TURNING.search(together):
            for name, _ in self._texts:
                record[name] = record[name] and TURNING.sub("", record[name])
        if len(together) <= TEXT_LIMIT and "\0" not in together:
            return
        for name, limit in self._texts:
            text = record[name] or ""
            if len(text) > limit or "\0" in text:
                raise BadRecord(f"{name} has {len(text)} characters or a NUL")

    def conform(self, value: object) -> dict[str, Any]:
        """Exactly our fields from a JSON object; unknown ones are left out. Raises BadRecord."""
        if not isinstance(value, dict):
            raise BadRecord(f"not an object but {type(value).__name__}")
        return self.check({field.name: _conformed(field, value) for field in self.fields})


def _conformed(field: Field, source: dict[str, Any]) -> Any:
    if field.name not in source:
        if field.required:
            raise BadRecord(f"{field.name} is missing")
        return field.default
    value = source[field.name]
    if value is None:
        if not field.nullable:
            raise BadRecord(f"{field.name} is null")
        return None
    return _CONVERT[field.kind](field.name, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadRecord(f"{name} is {type(value).__name__}, not text")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise BadRecord(f"{name} holds half a character")
    return value


def _double(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRecord(f"{name} is {type(value).__name__}, not a number")
    if not abs(value) < 2**63 or not math.isfinite(value):
        raise BadRecord(f"{name} is out of range")
    return float(value)


def _int(name: str, value: object) -> int:
    number = _double(name, value)
    return value if isinstance(value, int) else int(number)


def _boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadRecord(f"{name} is {type(value).__name__}, not true or false")
    return value


_CONVERT: dict[str, Callable[[str, object], Any]] = {
    "string": _text,
    "double": _double,
    "int": _int,
    "long": _int,
    "boolean": _boolean,
}


def avro_shape(schema: str) -> Shape:
    return Shape(tuple(_avro_field(field) for field in json.loads(schema)["fields"]))


def _avro_field(field: dict[str, Any]) -> Field:
    kind, nullable = field["type"], False
    if isinstance(kind, list):
        kind, nullable = next(branch for branch in kind if branch != "null"), True
    if isinstance(kind, dict):
        kind = kind["type"]
    return Field(field["name"], kind, nullable, "default" not in field, field.get("default"))


def json_shape(schema: str) -> Shape:
    document = json.loads(schema)
    return Shape(
        tuple(_json_field(name, spec, document["required"]) for name, spec in document["properties"].items())
    )


def _json_field(name: str, spec: dict[str, Any], required: list[str]) -> Field:
    branches = spec.get("oneOf", [spec])
    kind = next(branch["type"] for branch in branches if branch["type"] != "null")
    return Field(name, JSON_KINDS[kind], len(branches) > 1, name in required, spec.get("default"))
