"""Time is passed in, so that tests turn the clock themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Holds the three uses of time. sleep waits for seconds, monotonic measures, utc is for what is written down."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    utc: Callable[[], datetime] = lambda: datetime.now(UTC)

    def stamp(self) -> str:
        return self.utc().isoformat(timespec="seconds")
