"""What all tests share: a clean process-wide connection and live service, and waiting with an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from races import connection

T = TypeVar("T")


@pytest.fixture(autouse=True)
def no_leftover_connection() -> Iterator[None]:
    yield
    connection.use(None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many cases a sweep ran: record_property("cases", (what, how many)). Workers send it along."""
    counted: dict[str, int] = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "cases":
                counted[value[0]] = counted.get(value[0], 0) + value[1]
    for what, cases in counted.items():
        terminalreporter.write_line(f"{what}: {cases} cases")


def wait_for(what: Callable[[], T], why: str, seconds: float = 15.0) -> T:
    """What the call returns once it is true. Fails with `why` when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {why}")
