"""One waiter. It yields instead of sleeping, so that the runner lets other steps go on meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

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
    """What a step waits for, and for how many seconds it need not be asked again."""

    text: str
    seconds: float


T = TypeVar("T")
Steps = Generator[Waiting, None, T]


def _nothing(value: object) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Until:
    """what: in words. target: states that end the wait well; failed: those that end it at once.

    Any other state is pending: the service adds new ones. in_a_row: how many times running the target must be
    seen, because several frontends answer and one may be behind. label: for a step that waits for several things.
    says: the service's own words on a value that is still pending or has failed, if it has any.
    """

    what: str
    target: frozenset[str]
    failed: frozenset[str] = frozenset()
    timeout: float = 10 * MINUTE
    interval: float = 5.0
    in_a_row: int = 1
    label: str = ""
    says: Callable[[Any], str] = _nothing
    again: str = "Running the same command again goes on waiting."
    after_failure: str = ""
    look: str = ""


def wait(look: Callable[[], tuple[str, T]], until: Until, clock: Clock) -> Steps[T]:
    """look() gives (state, value); returns the value seen with the target state. Raises WaitTimeout."""
    end = clock.monotonic() + until.timeout
    streak = 0
    while True:
        state, value = look()
        if state in until.failed:
            said = until.says(value)
            why = f"\nThe service says: {said}" if said else ""
            raise ProvisioningError(
                f"{until.what}: it went to {state}.{why}", until.after_failure, until.look
            )
        streak = streak + 1 if state in until.target else 0
        if streak >= until.in_a_row:
            return value
        words = until.says(value)
        if streak:
            state += f", {streak} of {until.in_a_row} times in a row"
        if clock.monotonic() >= end:
            raise _too_late(until, state, words)
        yield Waiting(f"{until.label} {state}{words and f': {words}'}".strip(), until.interval)


def _too_late(until: Until, state: str, words: str) -> WaitTimeout:
    problem = f"{until.what}: still {state} after {round(until.timeout / MINUTE, 1):g} minutes."
    if words:
        problem += f"\nThe service says: {words}"
    return WaitTimeout(problem, until.again, until.look)


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
    """Several at once: while one waits, the others go on. Their values in the given order."""
    results: dict[int, T] = {}
    waits = dict.fromkeys(range(len(many)), 0.0)
    while waits:
        pause = min(waits.values())
        texts = []
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
                texts.append(waiting.text)
        if waits:
            yield Waiting("; ".join(texts), min(waits.values()))
    return [results[index] for index in range(len(many))]
