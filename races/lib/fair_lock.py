"""A lock that its busiest holder shares: who goes through thousands of records takes it piece by piece, and lets
everybody else in between two pieces. The event loop asks for snapshots under it, and may not wait for all of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")
PIECE = 50  # records: about a millisecond
GIVE_WAY_S, LOOK_S = 0.02, 0.0005


class FairLock:
    """`with turns:` is an ordinary re-entrant lock for all who hold it shortly."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._asking: list[None] = []  # one for each that waits; append and pop are atomic

    def __enter__(self) -> None:
        self._asking.append(None)
        self._lock.acquire()
        self._asking.pop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def take(self, items: Sequence[T], action: Callable[[T], None]) -> None:
        """action(item) for each, under the lock."""
        for first in range(0, len(items), PIECE):
            with self._lock:
                for item in items[first : first + PIECE]:
                    action(item)
            self._give_way()

    def _give_way(self) -> None:
        """A thread that takes a lock again at once nearly always gets it before those that wait."""
        until = time.monotonic() + GIVE_WAY_S
        while self._asking and time.monotonic() < until:
            time.sleep(LOOK_S)
