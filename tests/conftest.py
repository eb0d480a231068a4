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


def wait_for(what: Callable[[], T], why: str, seconds: float = 15.0) -> T:
    """What the call returns once it is true. Fails with `why` when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {why}")
