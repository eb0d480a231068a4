"""The web process: as many open files as thousands of sockets need, whatever its shell allows at first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

resource = pytest.importorskip("resource")
ASK = "import resource, f1site.asgi; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"


def limits(soft: int, hard: int) -> list[int]:
    """The limits of a web process that was started with these."""
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


def test_the_limit_of_open_files_is_raised() -> None:
    assert limits(1024, 3000) == [3000, 3000]


def test_a_higher_limit_stays() -> None:
    assert limits(3000, 3000) == [3000, 3000]
