"""What all tests share: a clean process-wide connection and live service, and an embedded lab."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import settings as hypothesis_settings

from bench.services.java import ProgramMissing
from races.streams import connection
from tests.fakes.lab import components_fixture as components_fixture
from tests.fakes.lab import kafka_fixture as kafka_fixture
from tests.fakes.migrated import migrated as migrated
from tests.fakes.waiting import lacking

gc.disable()  # until all tests are collected: none of that is garbage, and the search takes a quarter of the time

# A machine that is busy makes an example slow, and nothing is wrong then.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in a script's background, Python does not listen to Ctrl-C, which some tests press.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    gc.enable()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    try:
        return (yield)
    except ProgramMissing as missing:
        lacking(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    try:
        return (yield)
    except ProgramMissing as missing:
        lacking(str(missing))


@pytest.fixture(autouse=True, scope="session")
def quick_password_hasher() -> Iterator[None]:
    """Django's own takes a quarter of a second for each guess at a password, as it should outside of tests."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


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
