"""The guide's exercises in Flink SQL: a question, what there is to see, a table for the answer and a solution, one
file each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from races.flink.statements import fill

_HEADING = re.compile(r"^-- (ask|see|table|key): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Exercise:
    """views: statements that make what the query reads. columns: of the table that takes the answer, as SQL writes
    them. key: those that make a row one; empty where rows are only added.
    """

    number: int
    name: str
    ask: str
    see: str
    columns: str
    key: str
    views: tuple[str, ...]
    query: str

    @property
    def topic(self) -> str:
        """The topic that takes the answer, unless the learner names another."""
        return f"exercise-{self.number}"

    @property
    def names(self) -> tuple[str, ...]:
        """The answer's columns by name."""
        return tuple(re.findall(r"`(\w+)`", self.columns))

    @property
    def create_table(self) -> str:
        primary = f", PRIMARY KEY ({self.key}) NOT ENFORCED" if self.key else ""
        return f"CREATE TABLE IF NOT EXISTS `{self.topic}` ({self.columns}{primary})"

    @property
    def insert(self) -> str:
        """The solution, written into the topic."""
        return f"INSERT INTO `{self.topic}`\n{self.query}"


def exercises(names: Mapping[str, str]) -> list[Exercise]:
    """Returns all of them, with these names of topics in their solutions."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        heading = dict(_HEADING.findall(text))
        code = fill("\n".join(line for line in text.splitlines() if not line.startswith("--")), names)
        *views, query = [part.strip() for part in code.split(";") if part.strip()]
        number, _, name = path.stem.partition("_")
        found.append(
            Exercise(
                int(number),
                name.replace("_", " "),
                heading["ask"],
                heading["see"],
                heading["table"],
                heading.get("key", ""),
                tuple(views),
                query,
            )
        )
    return found
