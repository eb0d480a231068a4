"""Cells of a spreadsheet."""

from __future__ import annotations

from typing import Any

CELL_ESCAPES = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """A value for a spreadsheet, which must not take a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(CELL_ESCAPES) else value
