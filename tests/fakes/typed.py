"""Records as the codec hands them to its readers: every field of the schema is there and of its type."""

from __future__ import annotations

from functools import cache
from typing import Any

from races.streams.topics import TOPICS
from races.streams.validation import RecordSchema, avro_schema, json_schema


@cache
def _shape(role: str) -> RecordSchema:
    topic = TOPICS[role]
    return (json_schema if topic.value_format == "json" else avro_schema)(topic.value_schema)


def typed(role: str, record: object) -> dict[str, Any]:
    """The record with its defaults. Raises BadRecord, as the codec does."""
    return _shape(role).conform(record)
