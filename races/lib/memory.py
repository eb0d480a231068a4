"""How this process keeps the memory that its libraries ask for: glibc's malloc, where that is the one."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache

M_ARENA_MAX, ARENAS = -8, 2  # glibc's malloc.h


def few_arenas() -> bool:
    """glibc gives threads arenas of their own, up to eight a processor, and what one frees no other uses: with
    Kafka's and Twisted's threads that was 30 MB after five minutes, and growing. True where it was asked for two.
    """
    if not _glibc() or "MALLOC_ARENA_MAX" in os.environ:
        return False
    return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS))


def give_back() -> bool:
    """Pages that malloc holds and nobody uses go back to the system: after a busy minute it would keep them for ever.
    True where there were some.
    """
    return _glibc() and bool(ctypes.CDLL(None).malloc_trim(0))


@cache
def _glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
