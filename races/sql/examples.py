"""Examples for the workspace: statements in files, with a title and a line about what to see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from races.flink.statements import fill

FOLDER = Path(__file__).parent / "example_statements"
_HEADING = re.compile(r"^-- (title|about): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """sql: one statement or several, each with its semicolon."""

    name: str
    title: str
    about: str
    sql: str


def examples(names: Mapping[str, str]) -> list[Example]:
    """The examples in their order. names: role to topic name. KeyError: a role is missing."""
    found = []
    for path in sorted(FOLDER.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        heading = dict(_HEADING.findall(text))
        sql = "\n".join(line for line in text.splitlines() if not _HEADING.match(line))
        found.append(Example(path.stem, heading["title"], heading["about"], fill(sql, names).strip()))
    return found
