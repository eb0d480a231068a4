"""Records as the codec hands them to its readers: every field of the schema is there and of its type."""

from __future__ import annotations

from functools import cache
from typing import Any

from races.streams.shapes import Shape, avro_shape, json_shape
from races.streams.topics import TOPICS


@cache
def _shape(role: str) -> Shape:
    topic = TOPICS[role]
    return (json_shape if topic.value_format == "json" else avro_shape)(topic.value_schema)


def typed(role: str, record: object) -> dict[str, Any]:
    """The record with its defaults. Raises BadRecord, as the codec does."""
    return _shape(role).conform(record)
