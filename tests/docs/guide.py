"""The lab guide as data: its fenced blocks, each with what its annotation says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "lab"
BLOCK = re.compile(r"(?:<!-- (?P<note>[^>]*?) -->\n+)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
RUNNABLE = ("bash", "python")


@dataclass(frozen=True, slots=True)
class Block:
    """how: run, run: race, run: standin, statement: its name, own flink (: model), which tests/integration runs, or
    cannot run here: why; empty for other text.
    """

    file: str
    line: int
    language: str
    how: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def pages() -> list[Path]:
    return sorted(GUIDE.glob("*.md"))


def blocks(*paths: Path) -> list[Block]:
    found = []
    for path in paths or pages():
        text = path.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("language")) + 1
            how = match["note"] or ""
            found.append(Block(path.name, line, match["language"], how, match["text"]))
    return found


def commands(block: Block) -> list[list[str]]:
    """Each shell command of a block as words, continued lines joined, variables in front left out."""
    joined = block.text.replace("\\\n", " ")
    return [line.split() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
