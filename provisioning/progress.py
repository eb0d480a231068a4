"""What a person sees while it works: a live table on a terminal, plain lines in a pipe."""

from __future__ import annotations

from math import inf

from rich.console import Group
from rich.live import Live

from provisioning.layout import hanging
from provisioning.steps import DONE, FAILED, RUNNING, WAITING, Row
from races.lib.terminal import Terminal

SIGNS = {WAITING: "·", RUNNING: "▸", DONE: "✓", FAILED: "✗"}
PLAIN_SIGNS = {WAITING: ".", RUNNING: ">", DONE: "+", FAILED: "x"}
COLOURS = {WAITING: "dim", RUNNING: "cyan", DONE: "green", FAILED: "red"}
WAITS_EVERY_S = 30.0  # a pipe hears again of a long wait


def seconds(elapsed: float) -> str:
    """Gives a duration in words: 7.4 s, 1:05 min."""
    if elapsed < 60:
        return f"{elapsed:.1f} s"
    return f"{int(elapsed // 60)}:{int(elapsed % 60):02d} min"


def line(row: Row, now: float, width: int, signs: dict[str, str], after: str = "") -> str:
    """Gives one row without colours, cut to the terminal's width. after: what it waits for before it starts."""
    elapsed = ""
    if row.state != WAITING:
        elapsed = seconds((row.ended or now) - row.started)
    text = row.text if row.state != WAITING else f"after: {after}" if after else "starts now"
    whole = f" {signs[row.state]} {row.step.title:<28} {elapsed:>9}  {text}"
    return whole if len(whole) <= width else whole[: width - 1] + "…"


class Table:
    """Redraws in place. A low terminal shows what is at work only."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._live: Live | None = None
        self._signs = SIGNS if terminal.console.encoding.startswith("utf") else PLAIN_SIGNS

    def show(self, rows: list[Row], now: float) -> None:
        size = self._terminal.console.size
        lines = []
        for row in rows:
            if len(rows) < size.height or row.state in (RUNNING, FAILED):
                needed = [r.step.title for r in rows if r.step.name in row.step.needs and r.state != DONE]
                text = line(row, now, max(40, size.width), self._signs, ", ".join(needed))
                lines.append(self._terminal.text(text, COLOURS[row.state]))
        if self._live is None:
            self._live = Live(console=self._terminal.console, auto_refresh=False, redirect_stdout=False)
            self._live.start()
        self._live.update(Group(*lines), refresh=True)

    def leave(self) -> None:
        """What comes next is written below; the table is drawn anew after it."""
        if self._live is not None:
            self._live.stop()
            self._live = None


class Lines:
    """Prints a line when a step begins to wait, when what it waits for changes, and when it ends."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._said: dict[str, dict[tuple[str, str], float]] = {}
        self._start = inf  # the first show sets it

    def show(self, rows: list[Row], now: float) -> None:
        self._start = min(self._start, now)
        for row in rows:
            if row.state != WAITING and (row.text or row.state != RUNNING):
                self._say(row, now)

    def _say(self, row: Row, now: float) -> None:
        said = self._said.setdefault(row.step.name, {})
        when = said.get((row.state, row.text))
        if when is not None and (row.state != RUNNING or now - when < WAITS_EVERY_S):
            return
        said[row.state, row.text] = now
        took = seconds((row.ended or now) - row.started)
        words = {RUNNING: row.text, DONE: f"done in {took}: {row.text}", FAILED: f"failed after {took}"}
        head = f"[{now - self._start:6.1f} s] "
        for line in hanging(head, self._terminal.text(f"{row.step.title}: {words[row.state]}").plain):
            self._terminal.say(line)

    def leave(self) -> None:
        pass


class Silent:
    def show(self, rows: list[Row], now: float) -> None:
        pass

    def leave(self) -> None:
        pass


Shown = Table | Lines | Silent


def progress_on(terminal: Terminal) -> Shown:
    return Table(terminal) if terminal.is_live else Lines(terminal)
