"""Steps side by side, in one thread: a step gives way where it waits, and starts when what it needs is done.

One thread keeps the journal's writes in order, makes Ctrl-C clean and every run repeatable call by call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from provisioning.clock import Clock
from provisioning.waiting import SOON_S, Steps

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
REDRAW_S = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """run gives the step's outcome in words, at once or as Steps."""

    name: str
    title: str
    run: Callable[[], Steps[str] | str]
    needs: tuple[str, ...] = ()


@dataclass(slots=True)
class Row:
    """What progress shows of a step. text: what is waited for, or the outcome."""

    step: Step
    state: str = WAITING
    text: str = ""
    started: float = 0.0
    ended: float = 0.0
    wake: float = 0.0
    going: Steps[str] | None = field(default=None, repr=False)


class Progress(Protocol):
    def show(self, rows: list[Row], now: float) -> None: ...


def run(steps: list[Step], clock: Clock, progress: Progress) -> list[Row]:
    """Raises what a step raises, after the row says so."""
    rows = [Row(step) for step in steps]
    while any(row.state in (WAITING, RUNNING) for row in rows):
        for row in rows:
            _advance(row, rows, clock, progress)
        progress.show(rows, clock.monotonic())
        _sleep(rows, clock, progress)
    return rows


def _advance(row: Row, rows: list[Row], clock: Clock, progress: Progress) -> None:
    done = {other.step.name for other in rows if other.state == DONE}
    if row.state == WAITING and done.issuperset(row.step.needs):
        row.state, row.started = RUNNING, clock.monotonic()
        progress.show(rows, clock.monotonic())
    if row.state == RUNNING and row.wake <= clock.monotonic():
        try:
            _resume(row, clock)
        except Exception:  # a Ctrl-C is no failure of the step
            row.state, row.ended = FAILED, clock.monotonic()
            progress.show(rows, clock.monotonic())
            raise


def _resume(row: Row, clock: Clock) -> None:
    if row.going is None:
        started = row.step.run()
        if isinstance(started, str):
            _finish(row, started, clock)
            return
        row.going = started
    try:
        waiting = next(row.going)
    except StopIteration as end:
        _finish(row, str(end.value), clock)
    else:
        row.text, row.wake = waiting.text, clock.monotonic() + max(waiting.seconds, SOON_S)


def _finish(row: Row, text: str, clock: Clock) -> None:
    row.state, row.text, row.ended = DONE, text, clock.monotonic()


def _sleep(rows: list[Row], clock: Clock, progress: Progress) -> None:
    """Until the first step wakes, while the elapsed times go on ticking."""
    running = [row.wake for row in rows if row.state == RUNNING]
    startable = {row.step.name for row in rows if row.state == DONE}
    if any(row.state == WAITING and startable.issuperset(row.step.needs) for row in rows) or not running:
        return
    until = min(running)
    while (left := until - clock.monotonic()) > 0:
        clock.sleep(min(left, REDRAW_S))
        progress.show(rows, clock.monotonic())
