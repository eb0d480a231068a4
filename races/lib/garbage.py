"""When Python looks for circles of objects that nobody holds, and when free memory goes back to the system.

By its own rule Python looks through all that live sockets are made of whenever enough was made, and so delays every
broadcast to thousands. But what is made here goes by itself, sockets included (daphne_sockets.py), except that each of
Django's requests stays in a circle with its answer. So often among what is young, rarely among all, and never among
what is there from the start.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from races.lib.memory import give_back

RARELY = 50_000, 50, 1000
ALL_EVERY_S, YOUNG_EVERY_S = 300.0, 30.0
YOUNG = 1  # generations 0 and 1


def _young() -> None:
    gc.collect(YOUNG)
    give_back()


class Garbage:
    def __init__(
        self,
        clock: Callable[[], float],
        everything: Callable[[], object] = gc.collect,
        young: Callable[[], object] = _young,
    ) -> None:
        self._clock = clock
        self._jobs = {everything: ALL_EVERY_S, young: YOUNG_EVERY_S}
        self._done_at = dict.fromkeys(self._jobs, clock())

    @staticmethod
    def begin() -> None:
        gc.set_threshold(*RARELY)
        gc.freeze()

    def tidy(self) -> None:
        for job, every_s in self._jobs.items():
            if self._clock() - self._done_at[job] >= every_s:
                job()
                self._done_at[job] = self._clock()
