"""The guide's exercises for a SQL workspace on Confluent Cloud: one statement a file, with its question and its state.

The heading has the fields of the lab's own statements, and three more: what the statement asks, what there is to see,
and how finished the service calls what it uses, with the date at which that was looked up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from races.flink.statements import Statement, fill, read

AGENT = "race_engineer"
_ABOUT = re.compile(r"^-- (ask|see|state): (.+)$", re.MULTILINE)
_HEADING = re.compile(r"^-- (?:name|kind|group|property): .+\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Exercise:
    """text is the file as a workspace takes it, with its comments and without the machine's heading."""

    statement: Statement
    ask: str
    see: str
    state: str
    text: str


def exercises(names: Mapping[str, str]) -> list[Exercise]:
    """All exercises in their order. names: topics by role, and the model. Raises KeyError where one is missing."""
    named, found = {**names, "agent": AGENT}, []
    for path in sorted(Path(__file__).parent.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        about = dict(_ABOUT.findall(text))
        shown = fill(_HEADING.sub("", text).strip(), named)
        found.append(Exercise(read(text, named), about["ask"], about["see"], about["state"], shown))
    return found
