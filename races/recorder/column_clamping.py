"""Rows that every database takes, whatever a record says.

Anybody may write to a topic, and the codec only looks after types. A row that is refused (SQLite's checks,
PostgreSQL's lengths and ranges) would be refused again for ever, with the history of all races waiting behind it.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Model

RANGES = BaseDatabaseOperations.integer_field_ranges
Row = TypeVar("Row", bound=Model)


def fitted(row: Row) -> Row:
    """The same row, texts cut and numbers clamped to what their columns hold."""
    for field in row._meta.concrete_fields:
        setattr(row, field.attname, _fit(field, getattr(row, field.attname)))
    return row


def fit(model: type[Model], column: str, value: Any) -> Any:
    """One value, for an update that makes no row."""
    return _fit(model._meta.get_field(column), value)


def _fit(field: Any, value: Any) -> Any:
    if isinstance(value, str):
        return value[: field.max_length]
    if type(value) is int and field.get_internal_type() in RANGES:
        low, high = RANGES[field.get_internal_type()]
        return min(max(value, low), high)
    return value
