"""How far a reader of Kafka is behind, in records, in seconds and in bytes.

Seconds are measured on this process's monotonic clock: the reader notes how far each partition reaches about once a
second, and finds out later when the record that it reads next was there. Clocks of two machines are never compared.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

Ends = Mapping[tuple[str, int | None], int]  # topic and partition -> the offset after the newest record
REMEMBERED = 1200  # measurements of a partition: ten minutes
BEHIND_S = 10.0  # a reader that is further behind is not healthy
CAUGHT_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class Lag:
    """records: in Kafka and not read. seconds: since the oldest of them was there. unread_bytes: the most in one
    partition, by the size of the records that were read.
    """

    records: int = 0
    seconds: float = 0.0
    unread_bytes: int = 0


@dataclass(slots=True)
class PartitionLag:
    """The ends of one partition over time. All instants are on the monotonic clock, in seconds."""

    _ends: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def measured(self, end: int, next_offset: int, now: float) -> None:
        """The partition reaches to `end`; the reader reads `next_offset` next."""
        while len(self._ends) > 1 and self._ends[0][1] <= next_offset:
            self._ends.popleft()
        if not self._ends or end != self._ends[-1][1]:
            self._ends.append((now, end))

    def records(self, next_offset: int) -> int:
        return max(self._ends[-1][1] - next_offset, 0) if self._ends else 0

    def seconds(self, next_offset: int, now: float) -> float:
        """How long the next record has been there; 0 where everything is read."""
        since = next((at for at, end in list(self._ends) if end > next_offset), now)
        return max(now - since, 0.0)


def behind(reader: str, lag: Lag) -> str:
    """A sentence for people: "the history is 12 s behind (4,500 records)"."""
    return f"{reader} is {lag.seconds:.0f} s behind ({lag.records:,} records)"


class LagLog:
    """Says in the log that a reader is behind, once, and that it has caught up."""

    def __init__(self, reader: str, log: logging.Logger) -> None:
        self._reader, self._log, self._behind = reader, log, False

    def check(self, lag: Lag) -> None:
        """Called about once a second."""
        if not self._behind and lag.seconds > BEHIND_S:
            self._behind = True
            self._log.warning("This machine is too slow for its races: %s", behind(self._reader, lag))
        elif self._behind and lag.seconds < CAUGHT_UP_S:
            self._behind = False
            self._log.warning("%s has caught up", self._reader.capitalize())
