"""Rows that every database takes, whatever a record says.

Anybody may write to a topic, and the codec only looks after types. A row that is refused (SQLite's checks,
PostgreSQL's lengths and ranges) would be refused again for ever, with the history of all races waiting behind it.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Model

RANGES = BaseDatabaseOperations.integer_field_ranges
Row = TypeVar("Row", bound=Model)


def fitted(row: Row) -> Row:
    """The same row, texts cut and numbers clamped to what their columns hold."""
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, str):
            setattr(row, field.attname, value[: field.max_length])
        elif type(value) is int and field.get_internal_type() in RANGES:
            low, high = RANGES[field.get_internal_type()]
            setattr(row, field.attname, min(max(value, low), high))
    return row
