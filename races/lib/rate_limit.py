"""How often a client may say something, whatever it is: a page acknowledges, and its browser may ping.

Servers answer pings by themselves and take pieces of a message as they come, so the application sees nothing of ten
thousand of them, which cost the one loop that serves everybody half a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

BURST, RATE = 100.0, 10.0  # frames at once, frames a second
BAD_MESSAGE, REASON = 4400, "this socket takes acknowledgements only"


class RateLimiter:
    """Of one connection: so many at once, and so many a second after them."""

    def __init__(
        self, burst: float = BURST, rate: float = RATE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._rate, self._clock = burst, rate, clock
        self._left, self._at = burst, clock()

    def allow(self) -> bool:
        """One more."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
        self._at = now
        return self._left >= 0
