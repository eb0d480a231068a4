"""Skipping a test where the machine lacks something, and waiting with an end."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from bench.services.waiting import wait_for as wait_for


def lacking(words: str) -> NoReturn:
    """Skips the test. In CI, where nothing may be skipped, it fails instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)
