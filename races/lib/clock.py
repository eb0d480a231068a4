"""The clocks of this process. They are passed in, so that tests can set the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Clocks:
    """monotonic measures intervals; wall gives instants in seconds since the epoch."""

    monotonic: Clock = time.monotonic
    wall: Clock = time.time
