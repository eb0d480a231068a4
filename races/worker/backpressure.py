"""Backpressure: in the embedded lab the worker waits for those who read what it publishes.

The embedded broker keeps a window of each partition and no more. When the machine has too little time for all of its
races, readers fall behind, and what the window has lost is lost. So the worker publishes no tick while a reader is too
far behind: the races go slower, their waits are recorded, and nothing is lost. A configured Kafka keeps records for a
day, so there nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from races.lib.clock import Clock
from races.streams.embedded import WINDOW_BYTES
from races.streams.lag import Lag

FULL = 0.5  # the share of the window that may be unread
LOOK_S = 0.1
CALM_S = 5.0  # without backpressure, before the machine has room for another race


@dataclass(frozen=True, slots=True)
class Reader:
    """name is for people. late_s: how far it may be behind in time."""

    name: str
    lag: Callable[[], Lag]
    late_s: float


class Backpressure:
    """Looks at the readers when it is asked, at most ten times a second."""

    def __init__(self, readers: Sequence[Reader], clock: Clock) -> None:
        self._readers, self._clock = readers, clock
        self._reason, self._looked_at = "", float("-inf")
        self._pressed_at = float("-inf")

    def reason(self) -> str:
        """Why no tick may be published now, in words that stay the same while it lasts; empty where one may."""
        now = self._clock()
        if now - self._looked_at >= LOOK_S:
            late = ""
            for reader in self._readers:
                lag = reader.lag()
                if lag.seconds > reader.late_s or lag.unread_bytes > FULL * WINDOW_BYTES:
                    late = reader.name
                    break
            self._reason, self._looked_at = late and f"time on this machine ({late} is behind)", now
            if late:
                self._pressed_at = now
        return self._reason

    def calm(self) -> bool:
        """Whether every reader has kept up for a while."""
        return not self.reason() and self._clock() - self._pressed_at > CALM_S
