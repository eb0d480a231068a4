"""Steps side by side, in one thread: a step yields where it waits, and starts when what it needs is done.

One thread keeps the journal's writes in order, makes Ctrl-C clean and every run repeatable call by call. A step waits
with `wait`, which yields instead of sleeping, so that the others go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from provisioning.clock import Clock
from provisioning.errors import ProvisioningError, WaitTimeout

MINUTE = 60.0
SOON_S = 0.01
FAILED_FOR_GOOD = (
    "It does not come back by itself, and costs nothing. teardown_confluent takes it away, then provision_confluent "
    "makes it anew; if that fails too, the region may be full: another confluent.region."
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a step waits for, and for how many seconds it need not be asked again.

    what: whose state the text is, for a step that waits for several things.
    """

    text: str
    seconds: float
    what: str = ""

    @property
    def said(self) -> str:
        return f"{self.what} {self.text}".strip()


T = TypeVar("T")
Steps = Generator[Waiting, None, T]


@dataclass(frozen=True, slots=True)
class Waiter:
    """what: in words. target: states that end the wait well; failed: those that end it at once.

    Any other state is pending: the service adds new ones. in_a_row: how many times running the target must be
    seen, because several frontends answer and one may be behind; between: seconds from one such look to the next, if
    they are to be further apart. label: for a step that waits for several things.
    says: the service's own words on a value that is still pending or has failed, if it has any.
    """

    what: str
    target: frozenset[str]
    failed: frozenset[str] = frozenset()
    timeout: float = 10 * MINUTE
    interval: float = 5.0
    in_a_row: int = 1
    between: float = 0.0
    label: str = ""
    says: Callable[[Any], str] = lambda value: ""
    again: str = "Running the same command again goes on waiting."
    after_failure: str = ""
    look: str = ""


def wait(look: Callable[[], tuple[str, T]], waiter: Waiter, clock: Clock) -> Steps[T]:
    """look() gives (state, value); returns the value seen with the target state. Raises WaitTimeout."""
    end = clock.monotonic() + waiter.timeout
    streak = 0
    while True:
        state, value = look()
        if state in waiter.failed:
            said = waiter.says(value)
            why = f"\nThe service says: {said}" if said else ""
            raise ProvisioningError(
                f"{waiter.what}: it went to {state}.{why}", waiter.after_failure, waiter.look
            )
        streak = streak + 1 if state in waiter.target else 0
        if streak >= waiter.in_a_row:
            return value
        words = waiter.says(value)
        pause = max(waiter.interval, waiter.between) if streak else waiter.interval
        if streak:
            state += f", {streak} of {waiter.in_a_row} times in a row"
        if clock.monotonic() >= end:
            problem = f"{waiter.what}: still {state} after {round(waiter.timeout / MINUTE, 1):g} minutes."
            if words:
                problem += f"\nThe service says: {words}"
            raise WaitTimeout(problem, waiter.again, waiter.look)
        yield Waiting(f"{state}{words and f': {words}'}", pause, waiter.label)


def drive(steps: Steps[T], clock: Clock) -> T:
    """Runs steps on their own, sleeping where they wait."""
    while True:
        try:
            waiting = next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        clock.sleep(waiting.seconds)


def together(many: list[Steps[T]]) -> Steps[list[T]]:
    """Runs several at once: while one waits, the others go on. Returns their values in the given order."""
    results: dict[int, T] = {}
    waits = dict.fromkeys(range(len(many)), 0.0)
    while waits:
        pause = min(waits.values())
        seen: dict[str, list[str]] = {}  # several in one state share a line
        for index in list(waits):
            waits[index] -= pause
            if waits[index] > 0:
                continue
            try:
                waiting = next(many[index])
            except StopIteration as end:
                results[index] = end.value
                del waits[index]
            else:
                waits[index] = max(waiting.seconds, SOON_S)
                seen.setdefault(waiting.text, []).append(waiting.what)
        if waits:
            said = [f"{', '.join(filter(None, things))} {text}".strip() for text, things in seen.items()]
            yield Waiting("; ".join(said), min(waits.values()))
    return [results[index] for index in range(len(many))]


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
    def leave(self) -> None: ...


def run(steps: list[Step], clock: Clock, progress: Progress) -> list[Row]:
    """Runs the steps, each as soon as what it needs is done. Raises what a step raises, after the row says so."""
    rows = [Row(step) for step in steps]
    try:
        while any(row.state in (WAITING, RUNNING) for row in rows):
            for row in rows:
                _advance(row, rows, clock, progress)
            progress.show(rows, clock.monotonic())
            _sleep(rows, clock, progress)
    finally:
        progress.leave()  # or a terminal would be left without its cursor
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
        row.text, row.wake = waiting.said, clock.monotonic() + max(waiting.seconds, SOON_S)


def _finish(row: Row, text: str, clock: Clock) -> None:
    row.state, row.text, row.ended = DONE, text, clock.monotonic()


def _sleep(rows: list[Row], clock: Clock, progress: Progress) -> None:
    """Sleeps until the first step wakes, while the elapsed times go on ticking."""
    running = [row.wake for row in rows if row.state == RUNNING]
    startable = {row.step.name for row in rows if row.state == DONE}
    if any(row.state == WAITING and startable.issuperset(row.step.needs) for row in rows) or not running:
        return
    until = min(running)
    while (left := until - clock.monotonic()) > 0:
        clock.sleep(min(left, REDRAW_S))
        progress.show(rows, clock.monotonic())
