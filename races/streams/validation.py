"""Validation of records: what their values must be, whoever wrote them. BadRecord for the rest.

Anybody may write to a topic. Avro says "double" and "string"; it does not say finite, short or in this century. What
passes here can be put on a page, into a database and into a calculation. Whether a record can be true of its race is
decided elsewhere, by the plausibility rules.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from races.streams.errors import BadRecord
from races.streams.fast_avro import Field

TEXT_LIMIT = 300
MESSAGE_LIMIT = 2000
INT_RANGE = (-1, 1_000_000)
TIME_RANGE = (0, 4_102_444_800_000)  # epoch ms, until 2100
DOUBLE_LIMIT = 1_000_000.0
# These characters reverse the text beside them, on a page as in a terminal. No name needs one.
BIDI_CONTROLS = re.compile("[\x80-\x9f\u202a-\u202e\u2066-\u2069]")
JSON_KINDS = {
    "string": "string",
    "number": "long",
    "integer": "long",
    "boolean": "boolean",
    "array": "strings",
}
LIST_LIMIT, CODE_LIMIT = 30, 20  # entries, more than a grid has cars, and characters in each


class RecordSchema:
    """The fields of one of our schemas. It checks decoded records, and makes records of JSON objects."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self.fields = fields
        self._doubles = tuple(f.name for f in fields if f.kind == "double")
        self._ints = tuple(
            (f.name, *(TIME_RANGE if f.kind == "long" else INT_RANGE))
            for f in fields
            if f.kind in ("int", "long")
        )
        self._texts = tuple(
            (f.name, MESSAGE_LIMIT if f.name == "message" else TEXT_LIMIT)
            for f in fields
            if f.kind == "string"
        )

    def check(self, record: dict[str, Any]) -> dict[str, Any]:
        """Returns the record without bidirectional controls. Its types are right already. Raises BadRecord."""
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
        if not together.isascii() and BIDI_CONTROLS.search(together):
            for name, _ in self._texts:
                record[name] = record[name] and BIDI_CONTROLS.sub("", record[name])
        if len(together) <= TEXT_LIMIT and "\0" not in together:
            return
        for name, limit in self._texts:
            text = record[name] or ""
            if len(text) > limit or "\0" in text:
                raise BadRecord(f"{name} has {len(text)} characters or a NUL")

    def conform(self, value: object) -> dict[str, Any]:
        """Makes a record with exactly our fields of a JSON object. Raises BadRecord."""
        if not isinstance(value, dict):
            raise BadRecord(f"not an object but {type(value).__name__}")
        record = {}
        for field in self.fields:
            if field.name not in value:
                if field.required:
                    raise BadRecord(f"{field.name} is missing")
                record[field.name] = field.default
            elif value[field.name] is None:
                if not field.nullable:
                    raise BadRecord(f"{field.name} is null")
                record[field.name] = None
            else:
                record[field.name] = _CONVERT[field.kind](field.name, value[field.name])
        return self.check(record)


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


def _strings(name: str, value: object) -> list[str]:
    texts = [_text(name, one) for one in value] if isinstance(value, list) else None
    if texts is None or len(texts) > LIST_LIMIT or any(len(one) > CODE_LIMIT for one in texts):
        raise BadRecord(f"{name} is no list of at most {LIST_LIMIT} codes")
    return [one for one in texts if one.isprintable()]


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
    "strings": _strings,
}


def avro_schema(schema: str) -> RecordSchema:
    fields = []
    for field in json.loads(schema)["fields"]:
        kind, nullable = field["type"], isinstance(field["type"], list)
        if nullable:
            kind = next(branch for branch in kind if branch != "null")
        if isinstance(kind, dict):
            kind = kind["type"]
        fields.append(Field(field["name"], kind, nullable, "default" not in field, field.get("default")))
    return RecordSchema(tuple(fields))


def json_schema(schema: str) -> RecordSchema:
    document, fields = json.loads(schema), []
    for name, spec in document["properties"].items():
        branches = spec.get("oneOf", [spec])
        kind = JSON_KINDS[next(branch["type"] for branch in branches if branch["type"] != "null")]
        required = name in document["required"]
        fields.append(Field(name, kind, len(branches) > 1, required, spec.get("default")))
    return RecordSchema(tuple(fields))
