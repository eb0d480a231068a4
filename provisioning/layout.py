"""Lines that fit a terminal of 80 columns. An address that is longer stands whole, alone on its line."""

from __future__ import annotations

import shutil
import textwrap


def line_width() -> int:
    return max(40, min(80, shutil.get_terminal_size((80, 24)).columns))


def wrap(line: str) -> str:
    width = line_width()
    if len(line) <= width:
        return line
    return textwrap.fill(line, width, break_on_hyphens=False, break_long_words=False)


def hanging(head: str, text: str) -> list[str]:
    """Lays out an item of a list. What does not fit stands below, as far to the right."""
    indent = " " * len(head)
    width = max(20, line_width() - len(head))
    lines = textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False) or [""]
    return [f"{indent if number else head}{line}".rstrip() for number, line in enumerate(lines)]
