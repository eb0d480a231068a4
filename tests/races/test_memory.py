"""The arenas of glibc's malloc, in a process of its own: what is asked for stays for all of its life."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

ASK = "from races.memory import few_arenas; print(few_arenas())"


def _asked(**environ: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", ASK]
    return subprocess.run(
        command, env=kept | environ, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has such arenas")
def test_glibc_is_asked_for_few_arenas() -> None:
    assert _asked() == "True"


def test_who_sets_them_for_the_process_is_obeyed() -> None:
    assert _asked(MALLOC_ARENA_MAX="8") == "False"
