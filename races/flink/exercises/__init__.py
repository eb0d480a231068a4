"""The guide's exercises in Flink SQL: a question, what there is to see, and a solution, one file each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from races.flink.statements import fill

_HEADING = re.compile(r"^-- (ask|see): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Exercise:
    """views: statements that make what the query reads."""

    number: int
    name: str
    ask: str
    see: str
    views: tuple[str, ...]
    query: str


def exercises(names: Mapping[str, str]) -> list[Exercise]:
    """All of them, with these names of topics in their solutions."""
    return [_read(path, names) for path in sorted(Path(__file__).parent.glob("*.sql"))]


def _read(path: Path, names: Mapping[str, str]) -> Exercise:
    text = path.read_text(encoding="utf-8")
    heading = dict(_HEADING.findall(text))
    code = fill("\n".join(line for line in text.splitlines() if not line.startswith("--")), names)
    *views, query = [part.strip() for part in code.split(";") if part.strip()]
    number, _, name = path.stem.partition("_")
    return Exercise(int(number), name.replace("_", " "), heading["ask"], heading["see"], tuple(views), query)
