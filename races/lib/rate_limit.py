"""A rate limit for what a client sends over one connection.

A page acknowledges frames, and its browser may ping. Servers answer pings by themselves and take fragments of a message
as they come, so the application sees nothing of them: ten thousand pings cost the one event loop half a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

BURST, RATE = 100.0, 10.0  # frames at once, frames a second
BAD_MESSAGE, REASON = 4400, "this socket takes acknowledgements only"


class RateLimiter:
    """Allows `burst` events at once, and `rate` events a second after them."""

    def __init__(
        self, burst: float = BURST, rate: float = RATE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._rate, self._clock = burst, rate, clock
        self._left, self._at = burst, clock()

    def allow(self) -> bool:
        """Takes a token. Returns False where none is left: the event is one too many."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
        self._at = now
        return self._left >= 0
