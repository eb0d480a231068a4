"""A lock that its busiest holder shares. A thread that works through thousands of records takes it for a piece of them
at a time, and lets other threads in between two pieces.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")
PIECE = 50  # records: about a millisecond
GIVE_WAY_S, LOOK_S = 0.02, 0.0005


class FairLock:
    """A re-entrant lock for `with`. `pieces` is for the thread that needs the lock nearly all the time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting: list[None] = []  # one for each thread that waits; append and pop are atomic

    def __enter__(self) -> None:
        self._waiting.append(None)
        self._lock.acquire()
        self._waiting.pop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def pieces(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """The items in pieces of some records. The caller takes the lock for each piece and releases it after it."""
        for first in range(0, len(items), PIECE):
            yield items[first : first + PIECE]
            # a thread that takes a lock again at once nearly always gets it before those that wait
            until = time.monotonic() + GIVE_WAY_S
            while self._waiting and time.monotonic() < until:
                time.sleep(LOOK_S)
