"""A web process has room for thousands of sockets, whatever its shell allows at first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

resource = pytest.importorskip("resource")
ASK = "import resource, f1site.asgi; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"


def limits(soft: int, hard: int) -> list[int]:
    """Of a process that was started with these and then became a web process."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "f1site.settings"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in done.stdout.split()]


def test_more_is_asked_for_than_a_shell_allows() -> None:
    assert limits(1024, 3000) == [3000, 3000]


def test_what_is_allowed_already_stays() -> None:
    assert limits(3000, 3000) == [3000, 3000]
