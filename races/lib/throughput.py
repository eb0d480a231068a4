"""Measures of a stream, as this process sees them: records a second, the age of the newest, and a rolling maximum.

Ages are in event time. Clocks of two machines are never compared: how old the newest position is follows from when it
was read, how far the reader is behind, and how much later it came than the most punctual one of the last ten minutes:
a race can be late for minutes, and no clock drifts by a second in ten. Every other record's age follows from the event
times of both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_S = 5  # whole seconds, so that a steady stream has a steady rate
SPAN_S = 60
PUNCTUAL_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Throughput:
    """Records a second, how old the newest record is by the race's own clock, and when it was read."""

    rate: float
    age_s: float
    since_read_s: float = 0.0


@dataclass(slots=True)
class _Counter:
    began: float
    total: int = 0
    newest: float = 0.0
    event_ms: int = 0
    seconds: deque[list[int]] = field(default_factory=lambda: deque(maxlen=WINDOW_S + 1))
    # of each minute the least time from a record's event to its reading: only differences mean anything
    transits: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=PUNCTUAL_MINUTES))

    def race_clock_ms(self, now: float, behind_s: float) -> float:
        """Returns the event time that the race has reached by now."""
        by_reading = self.event_ms + (now - self.newest + behind_s) * 1000
        since = now // 60 - PUNCTUAL_MINUTES
        punctual = [transit_ms for minute, transit_ms in self.transits if minute > since]
        return max(by_reading, now * 1000 - min(punctual)) if punctual else by_reading

    def rate(self, now: float) -> float:
        """Records a second over the last whole seconds. In the first second it is the count so far."""
        since = max(int(now) - WINDOW_S, int(self.began))
        if since == int(now):
            return float(self.total)
        return sum(count for second, count in self.seconds if since <= second < int(now)) / (int(now) - since)


@dataclass(slots=True)
class ThroughputMeter:
    """Counts records by role as they are read. `now` is the caller's monotonic clock, in seconds."""

    _counters: dict[str, _Counter] = field(default_factory=dict)

    def count(self, role: str, now: float, event_ms: int = 0) -> None:
        """event_ms: the record's event time; 0 where only arrivals are counted."""
        counter = self._counters.get(role)
        if counter is None:
            counter = self._counters[role] = _Counter(now)
        counter.total += 1
        if event_ms:
            counter.event_ms = max(counter.event_ms, event_ms)
            transit = int(now // 60), now * 1000 - event_ms
            if not counter.transits or counter.transits[-1][0] != transit[0]:
                counter.transits.append(transit)
            elif transit < counter.transits[-1]:
                counter.transits[-1] = transit
        counter.newest = now
        if not counter.seconds or counter.seconds[-1][0] != int(now):
            counter.seconds.append([int(now), 0])
        counter.seconds[-1][1] += 1

    def throughput(self, now: float, behind_s: float = 0.0) -> Mapping[str, Throughput]:
        """The rate and the age of each role that was ever counted. behind_s: how far the reader is behind."""
        # what the race's own clock shows now, by its positions
        clock_ms, positions = None, self._counters.get("positions")
        if positions is not None and positions.event_ms:
            clock_ms = positions.race_clock_ms(now, behind_s)
        found = {}
        for role, counter in self._counters.items():
            quiet_s = max(now - counter.newest, 0.0)
            age_s = quiet_s + behind_s
            if clock_ms is not None and counter.event_ms:
                age_s = max((clock_ms - counter.event_ms) / 1000, 0.0)
            found[role] = Throughput(counter.rate(now), age_s, quiet_s)
        return found

    def total(self, role: str) -> int:
        return self._counters[role].total if role in self._counters else 0


class RollingMaximum:
    """The maximum of the last minute, kept as one maximum a second. Values below zero count as zero.

    A maximum since the start would show yesterday's worst value for ever. One thread adds, any thread may read.
    """

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, float]] = deque(maxlen=SPAN_S)

    def add(self, value: float, now: float) -> None:
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, max(value, self._seconds[-1][1]))
        else:
            self._seconds.append((second, max(value, 0.0)))

    def value(self, now: float, span_s: float = SPAN_S) -> float:
        """The maximum of the last minute, or of a shorter time."""
        return max((value for second, value in list(self._seconds) if now - second < span_s), default=0.0)
