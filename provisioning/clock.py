"""Time, passed in: tests turn the manual_clock themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """sleep: seconds. monotonic: for durations. utc: for what is written down."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    utc: Callable[[], datetime] = lambda: datetime.now(UTC)

    def stamp(self) -> str:
        return self.utc().isoformat(timespec="seconds")
