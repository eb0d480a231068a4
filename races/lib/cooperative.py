"""Cooperative yielding: bulk work gives the interpreter away when a tick is due.

One Python interpreter publishes the ticks and does everything that follows from them. A thread that works through
many records asks here about once a millisecond and sleeps briefly if a tick is due. Records that wait meanwhile wait
in Kafka.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
AHEAD_S = 0.001
PAUSE_S = 0.003  # about what a tick takes
EVERY = 16  # records; so thousands of records a second are read even if a tick is always due


class Yielder:
    """One for each process. The tick scheduler sets `next_due`, on the monotonic clock."""

    def __init__(self) -> None:
        self.next_due = math.inf

    def give_way(self) -> None:
        """Sleeps for a moment if a tick is due. Bulk work calls this after about a millisecond."""
        if self.next_due - time.monotonic() < AHEAD_S:
            time.sleep(PAUSE_S)

    def between(self, items: Iterable[T], every: int = EVERY) -> Iterator[T]:
        """The same items. It gives way after each `every` of them."""
        for number, item in enumerate(items, 1):
            yield item
            if number % every == 0:
                self.give_way()


yielder = Yielder()
