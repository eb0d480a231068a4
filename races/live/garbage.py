"""When Python looks for circles of objects that nobody holds. By its own rule it looks through all that live sockets
are made of whenever enough was made, and so delays every broadcast to thousands. But each closed socket leaves such a
circle, of the server's objects and of what they had not sent yet. So: rarely, and once enough sockets have gone; and
what is free then goes back to the system.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from races.memory import give_back

RARELY = 50_000, 50, 1000
ENOUGH, NOT_BEFORE_S = 200, 30.0  # sockets that have gone since the last time
ANYWAY_S = 300.0  # requests leave some circles too
PAUSES = 300  # the pauses take at most this part of the time: the more there is to look through, the rarer


def collect() -> None:
    gc.collect()
    give_back()


class Garbage:
    def __init__(self, clock: Callable[[], float], collect: Callable[[], None] = collect) -> None:
        self._clock, self._collect = clock, collect
        self._gone, self._at, self._pause_s = 0, clock(), 0.0

    @staticmethod
    def begin() -> None:
        gc.set_threshold(*RARELY)

    def tidy(self, gone: int) -> None:
        """gone: sockets that have left so far, of all times."""
        since = self._clock() - self._at
        enough = gone - self._gone >= ENOUGH and since >= max(NOT_BEFORE_S, PAUSES * self._pause_s)
        if enough or since >= ANYWAY_S:
            began = self._clock()
            self._collect()
            self._gone, self._at = gone, self._clock()
            self._pause_s = self._at - began
