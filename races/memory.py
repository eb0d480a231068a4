"""How this process keeps the memory that its libraries ask for."""

from __future__ import annotations

import ctypes
import os
import platform

M_ARENA_MAX, ARENAS = -8, 2  # glibc's malloc.h


def few_arenas() -> bool:
    """glibc gives threads arenas of their own, up to eight a processor, and what one frees no other uses: with
    Kafka's and Twisted's threads that was 30 MB after five minutes, and growing. True where it was asked for two.
    """
    if platform.libc_ver()[0] != "glibc" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS))
