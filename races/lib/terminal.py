"""What the commands print: text, tables and progress by rich, with secrets taken out beforehand.

A terminal gets colours, unless NO_COLOR or --no-color says otherwise. A pipe gets plain lines, which are never cut. A
sign that the stream's encoding lacks is spelled otherwise by the stream itself, as races/lib/spelling.py arranges.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 10_000  # a pipe has no edge at which a line would have to be cut


class Terminal:
    """The output of one command. Each text goes through `redact` before it is laid out and can be cut in two."""

    def __init__(self, out: TextIO, redact: Callable[[str], str], coloured: bool | None = None) -> None:
        """coloured: what --no-color or --force-color said; None leaves it to the stream and to NO_COLOR."""
        self._redact = redact
        self.is_live = out.isatty() and os.environ.get("TERM") != "dumb"
        self.console = Console(
            file=out,
            force_terminal=True if coloured else None,
            no_color=None if coloured is None else not coloured,
            width=None if out.isatty() else PIPE_WIDTH,
            markup=False,
            highlight=False,
            emoji=False,
        )

    def text(self, words: str, style: str = "") -> Text:
        """The words without secrets. What looks like markup or an escape sequence in them is only text."""
        return Text(self._redact(words), style)

    def say(self, words: str, style: str = "", bright: str = "") -> None:
        """Prints lines as they are, however long they are. `bright` is a part of them that stands out in green."""
        if self.console.is_terminal:
            text = self.text(words, style)
            if bright:  # no word at all would be found everywhere
                text.highlight_words([bright], "bold green")
            self.console.print(text, soft_wrap=True)
        else:
            self.console.file.write(f"{self._redact(words)}\n")
        self.console.file.flush()

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        right: Sequence[str] = (),
        style: Callable[[Sequence[object]], str] = lambda row: "",
    ) -> None:
        """Prints a table. `right` names the columns of figures, `style` gives a row its colour."""
        shown = Table(box=None, pad_edge=False, header_style="dim")
        for column in columns:
            shown.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
        for row in rows:
            shown.add_row(*(self.text(str(cell)) for cell in row), style=style(row))
        self.console.print(shown)

    @contextmanager
    def progress(self, total: float, what: str) -> Iterator[Bar]:
        """Draws a bar with words behind it, on a terminal only."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[words]}", markup=False),
        )
        with Progress(*columns, console=self.console, disable=not self.is_live) as bars:
            yield Bar(bars, bars.add_task(self._redact(what), total=total, words=""), self._redact)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a terminal."""

    bars: Progress
    task: TaskID
    redact: Callable[[str], str]

    def show(self, done: float, words: str) -> None:
        self.bars.update(self.task, completed=done, words=self.redact(words))
