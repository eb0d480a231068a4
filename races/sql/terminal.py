"""Results, changelogs and errors as lines of a terminal."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Sequence
from typing import Any

from races.flink.gateway import Change, Column, StatementRefused
from races.sql.catalogue import backquotes
from races.sql.explain import Node
from races.sql.statements import position

NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")
LONGEST_CELL = 60
MARK = "^"


def heading(columns: Sequence[Column], with_kind: bool) -> str:
    cells = [_padded(column.name, column) for column in columns]
    return "  ".join(["op", *cells] if with_kind else cells).rstrip()


def line(change: Change, columns: Sequence[Column], with_kind: bool) -> str:
    """One change. with_kind: +I, -U, +U or -D in front."""
    cells = [_padded(text(value, one.type), one) for value, one in zip(change.fields, columns, strict=False)]
    return "  ".join([change.kind, *cells] if with_kind else cells).rstrip()


def text(value: Any, kind: str = "") -> str:
    """A value as SQL shows it, on one line; control characters of a record do nothing to a terminal."""
    if value is None:
        return "NULL"
    if isinstance(value, str) and "BINARY" in kind:
        with contextlib.suppress(ValueError):
            value = base64.b64decode(value, validate=True).decode()
    if isinstance(value, str) and kind.startswith("TIMESTAMP"):
        value = value.replace("T", " ").removesuffix("Z")
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    printable = "".join(sign if sign.isprintable() else "·" for sign in words)
    return printable if len(printable) <= LONGEST_CELL else f"{printable[: LONGEST_CELL - 1]}…"


def marked(sql: str, error: StatementRefused) -> str:
    """The error in one line, and under it the line of the statement that it is about."""
    said = str(error) + backquotes(str(error))
    if not error.line:
        return said
    begin = position(sql, 0, error.line, error.column)
    start = sql.rfind("\n", 0, begin) + 1
    end = sql.find("\n", begin)
    shown = sql[start : len(sql) if end < 0 else end]
    width = error.end_column - error.column + 1 if error.end_line == error.line else 1
    return f"{said}\n{shown}\n{' ' * (begin - start)}{MARK * max(1, width)}"


def tree(nodes: Sequence[Node], depth: int = 0) -> str:
    """A plan, its result first."""
    lines = []
    for node in nodes:
        lead = "   " * (depth - 1) + ("+- " if depth else "")
        lines.append(f"{lead}{node.name}{f'  {node.detail}' if node.detail else ''}")
        if node.inputs:
            lines.append(tree(node.inputs, depth + 1))
    return "\n".join(lines)


def _padded(shown: str, column: Column) -> str:
    is_number = any(kind in column.type for kind in NUMBERS)
    width = max(len(column.name), 10 if is_number else 23 if column.type.startswith("TIMESTAMP") else 14)
    return shown.rjust(width) if is_number else shown.ljust(width)
