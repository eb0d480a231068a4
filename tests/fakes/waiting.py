"""Waiting with an end, and skipping where the machine lacks something."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

import pytest

T = TypeVar("T")


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
