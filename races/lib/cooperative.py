"""Ticks go first: one interpreter runs them and all that is made of them, so who works in bulk steps aside when one
is due. What waits here waits in Kafka.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
AHEAD_S = 0.001
AWAY_S = 0.003  # about what a tick takes
EVERY = 16  # records; even if a tick were always due, thousands of records a second would be read


class Courtesy:
    """Of one process. The conductor tells when its next tick is due, on the monotonic clock."""

    def __init__(self) -> None:
        self.next_due = math.inf

    def step_aside(self) -> None:
        """For who has worked for about a millisecond: gives the interpreter away if a tick is due."""
        if self.next_due - time.monotonic() < AHEAD_S:
            time.sleep(AWAY_S)

    def between(self, items: Iterable[T], every: int = EVERY) -> Iterator[T]:
        for number, item in enumerate(items, 1):
            yield item
            if number % every == 0:
                self.step_aside()


courtesy = Courtesy()
