"""Memory tuning: glibc's malloc, and when Python collects garbage.

By default Python looks through all objects whenever enough new ones were made. With thousands of live sockets that
delays every broadcast. Nearly everything here is freed by reference counting, sockets included; only each of Django's
requests stays in a cycle with its response. So young objects are collected often, all objects rarely, and objects
that exist from the start never.
"""

from __future__ import annotations

import ctypes
import gc
import os
import platform
from collections.abc import Callable
from functools import cache

M_ARENA_MAX, ARENAS = -8, 2  # glibc's malloc.h
THRESHOLDS = 50_000, 50, 1000  # for gc.set_threshold
ALL_EVERY_S, YOUNG_EVERY_S = 300.0, 30.0
YOUNG = 1  # generations 0 and 1


def limit_arenas() -> bool:
    """Asks glibc for two malloc arenas. Returns True where glibc was asked.

    By default each thread gets an arena, up to eight a processor, and no thread uses what another one freed. With
    Kafka's and Twisted's threads that was 30 MB after five minutes, and it grew.
    """
    if not _glibc() or "MALLOC_ARENA_MAX" in os.environ:
        return False
    return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS))


def release_free_memory() -> bool:
    """Returns pages that malloc holds and nobody uses to the system. Returns True where there were some."""
    return _glibc() and bool(ctypes.CDLL(None).malloc_trim(0))


@cache
def _glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"


def _collect_young() -> None:
    gc.collect(YOUNG)
    release_free_memory()


class GarbageCollection:
    """Collects garbage on a schedule. `run_due` is called about once a second."""

    def __init__(
        self,
        clock: Callable[[], float],
        everything: Callable[[], object] = gc.collect,
        young: Callable[[], object] = _collect_young,
    ) -> None:
        self._clock = clock
        self._jobs = {everything: ALL_EVERY_S, young: YOUNG_EVERY_S}
        self._done_at = dict.fromkeys(self._jobs, clock())

    @staticmethod
    def start() -> None:
        gc.set_threshold(*THRESHOLDS)
        gc.freeze()

    def run_due(self) -> None:
        for job, every_s in self._jobs.items():
            if self._clock() - self._done_at[job] >= every_s:
                job()
                self._done_at[job] = self._clock()
