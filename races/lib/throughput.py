"""What the stream does just now, for the strip at the foot of the page: measured here, by this reader."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_S = 5  # whole seconds, so that a steady stream has a steady rate


@dataclass(frozen=True, slots=True)
class Throughput:
    """Records a second, and seconds since the newest one arrived here."""

    rate: float
    age_s: float


@dataclass(slots=True)
class _Count:
    began: float
    total: int = 0
    newest: float = 0.0
    seconds: deque[list[int]] = field(default_factory=lambda: deque(maxlen=WINDOW_S + 1))

    def add(self, now: float) -> None:
        self.total += 1
        self.newest = now
        if not self.seconds or self.seconds[-1][0] != int(now):
            self.seconds.append([int(now), 0])
        self.seconds[-1][1] += 1

    def rate(self, now: float) -> float:
        """Over the last whole seconds; over what there is while the first of them runs."""
        since = max(int(now) - WINDOW_S, int(self.began))
        if since == int(now):
            return float(self.total)
        return sum(count for second, count in self.seconds if since <= second < int(now)) / (int(now) - since)


@dataclass(slots=True)
class ThroughputMeter:
    """Records by role as they arrive, by a clock of this process: what two machines think of the time is no matter."""

    _counts: dict[str, _Count] = field(default_factory=dict)

    def count(self, role: str, now: float) -> None:
        counts = self._counts.get(role)
        if counts is None:
            counts = self._counts[role] = _Count(now)
        counts.add(now)

    def throughput(self, now: float) -> Mapping[str, Throughput]:
        return {
            role: Throughput(counts.rate(now), max(now - counts.newest, 0.0))
            for role, counts in self._counts.items()
        }

    def total(self, role: str) -> int:
        return self._counts[role].total if role in self._counts else 0
