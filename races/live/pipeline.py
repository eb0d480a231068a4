"""What the stream does just now, for the strip at the foot of the page: measured here, by this reader."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_S = 5.0


@dataclass(slots=True)
class _Count:
    total: int = 0
    newest_ms: int = 0
    window_started: float = 0.0
    window_total: int = 0
    rate: float = 0.0


@dataclass(slots=True)
class Rates:
    """Records by role: how many in all, how many a second, and the newest one's event time."""

    clock: Callable[[], float] = time.monotonic
    _counts: dict[str, _Count] = field(default_factory=dict)

    def count(self, role: str, timestamp_ms: int) -> None:
        counts = self._counts.get(role)
        if counts is None:
            counts = self._counts[role] = _Count(window_started=self.clock())
        counts.total += 1
        counts.window_total += 1
        counts.newest_ms = max(counts.newest_ms, timestamp_ms)

    def per_second(self, role: str) -> float:
        """Over the last full window of 5 s; over the current one while there is no other."""
        counts = self._counts.get(role)
        if counts is None:
            return 0.0
        elapsed = self.clock() - counts.window_started
        if elapsed >= WINDOW_S:
            counts.rate = counts.window_total / elapsed
            counts.window_started, counts.window_total = self.clock(), 0
        elif not counts.rate and elapsed > 0.5:
            return counts.window_total / elapsed
        return counts.rate

    def total(self, role: str) -> int:
        return self._counts[role].total if role in self._counts else 0

    def newest_ms(self, role: str) -> int | None:
        return self._counts[role].newest_ms if role in self._counts else None
