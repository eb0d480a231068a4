"""Flink's EXPLAIN as a tree. Apache Flink draws it with `+- ` and `:- `; Confluent Cloud by two spaces and `+- `."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_SECTION = re.compile(r"^== (.+) ==$")
_LINE = re.compile(r"^(?P<lead>(?: |:(?!-))*)(?P<branch>[+:]- )?(?P<words>\S.*)$")
_OPERATOR = re.compile(r"^(?P<name>[\w$ ]+?)(?:\((?P<detail>.*)\))?(?P<number> ?\[\d+\])?$", re.DOTALL)
PREFERRED = ("Optimized Execution Plan", "Physical Plan", "Optimized Physical Plan")


@dataclass
class Node:
    """One operator. detail: what it does, as Flink words it. inputs: what it reads from."""

    name: str
    detail: str
    inputs: list[Node] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "detail": self.detail,
            "inputs": [node.as_dict() for node in self.inputs],
        }


def sections(text: str) -> dict[str, str]:
    """The plan's parts by their headings, in the order in which they stand."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if heading := _SECTION.match(line.strip()):
            name = heading[1]
            found[name] = ""
        elif name:
            found[name] += line + "\n"
    return {name: body.strip("\n") for name, body in found.items()}


def best_section(found: dict[str, str]) -> str:
    """The heading of the plan that is closest to what will run; empty when there is none."""
    return next((name for name in PREFERRED if found.get(name)), "")


def trees(plan: str) -> list[Node]:
    """The operators of one section, each tree from its result down to its sources. A line that is no operator joins
    the one before."""
    roots: list[Node] = []
    path: list[tuple[int, Node]] = []  # from the root to the newest node, with the columns that they begin in
    for found in filter(None, map(_LINE.match, plan.splitlines())):
        if path and not found["branch"] and found["lead"]:
            path[-1][1].detail += f" {found['words']}"
            continue
        column = found.start("words")
        path = [(before, node) for before, node in path if before < column]
        words = found["words"].strip()
        operator = _OPERATOR.match(words)
        node = Node(operator["name"].strip(), operator["detail"] or "") if operator else Node(words, "")
        (path[-1][1].inputs if path else roots).append(node)
        path.append((column, node))
    return roots
