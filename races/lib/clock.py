"""Clocks that are passed in, so that tests turn their hands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both in seconds: a monotonic one for intervals, the wall clock for instants (since the epoch)."""

    monotonic: Clock = time.monotonic
    wall: Clock = time.time
