"""What all tests share: a clean process-wide connection and live service, and waiting with an end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import pytest

from races import connection

T = TypeVar("T")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in a script's background, Python does not listen to Ctrl-C, which some tests press.
    signal.signal(signal.SIGINT, signal.default_int_handler)
pytest.register_assert_rewrite(  # so that they tell what differs, as tests do
    "tests.told", "tests.races.stories", "tests.races.lab", "tests.integration.checks"
)


@pytest.fixture(autouse=True)
def no_leftover_connection() -> Iterator[None]:
    yield
    connection.use(None)


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Called with its kind for each hostile input; the sums are printed when all tests have ended."""
    sums: dict[str, list[Any]] = {}

    def one(what: str) -> None:
        if what not in sums:
            sums[what] = [what, 0]
            record_property("cases", sums[what])  # the list itself: it is read when the test is over
        sums[what][1] += 1

    return one


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many cases a sweep ran: record_property("cases", (what, how many)). Workers send it along."""
    counted: dict[str, int] = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "cases":
                counted[value[0]] = counted.get(value[0], 0) + value[1]
    for what, cases in counted.items():
        terminalreporter.write_line(f"{what}: {cases} cases")


def lacking(words: str) -> NoReturn:
    """Skips where the machine has no such thing; in CI nothing is skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


def wait_for(what: Callable[[], T], why: str, seconds: float = 15.0) -> T:
    """What the call returns once it is true. Fails with `why` when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {why}")
