"""The arenas of glibc's malloc, in a process of its own: what is asked for stays for all of its life."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

ASK = "from races.lib.memory import limit_arenas; print(limit_arenas())"
FREE = """
from pathlib import Path
from races.lib.memory import release_free_memory
def held(): return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
blocks = [bytes(20_000) for _ in range(4000)]
last = bytes(20_000)  # malloc gives back what is free behind it by itself
del blocks
before = held()
print(release_free_memory() and before - held() > 40_000_000)
"""


def _asked(ask: str = ASK, **environ: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", ask]
    return subprocess.run(
        command, env=kept | environ, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has such arenas")
def test_glibc_is_asked_for_few_arenas() -> None:
    assert _asked() == "True"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_what_is_free_goes_back_to_the_system() -> None:
    assert _asked(FREE) == "True"


def test_who_sets_them_for_the_process_is_obeyed() -> None:
    assert _asked(MALLOC_ARENA_MAX="8") == "False"
