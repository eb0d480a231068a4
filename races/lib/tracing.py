"""Traces of ticks: when each tick reached each stage, from the simulation to the sockets, as this process saw it.

Instants are on the monotonic clock, which all processes of one machine share. Only the newest ticks are kept.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import OrderedDict
from math import isnan, nan
from sys import intern

STAGES = ("due", "simulated", "sent", "acknowledged", "read", "shown", "delivered")
KEPT = 20_000  # ticks: 100 s of 40 races
NEVER = array("d", [nan] * len(STAGES))
PLACE = {stage: place for place, stage in enumerate(STAGES)}


class Tracer:
    """Thread-safe. Instants are kept in arrays and each race id once; dictionaries would take 15 MB."""

    def __init__(self) -> None:
        self._ticks: OrderedDict[tuple[str, int], array[float]] = OrderedDict()
        self._lock = threading.Lock()  # for threads that add or remove ticks, and for one that reads all

    def record(self, race_id: str, tick: int, stage: str, at: float | None = None) -> None:
        """Records that a tick reached a stage, now or at the given instant. Only the first time counts."""
        key = intern(race_id), tick
        instants = self._ticks.get(key)
        if instants is None:
            with self._lock:
                instants = self._ticks.setdefault(key, NEVER[:])
                if len(self._ticks) > KEPT:
                    self._ticks.popitem(last=False)
        if isnan(instants[PLACE[stage]]):
            instants[PLACE[stage]] = time.monotonic() if at is None else at

    def between(self, race_id: str, tick: int, first: str, last: str) -> float | None:
        """The seconds from one stage of a tick to another; None where it has not reached both."""
        instants = self._ticks.get((race_id, tick), NEVER)
        seconds = instants[PLACE[last]] - instants[PLACE[first]]
        return None if isnan(seconds) else seconds

    def stages_of(self, race_id: str) -> dict[int, dict[str, float]]:
        """tick -> stage -> instant, in the order in which the ticks began."""
        with self._lock:
            found = [(tick, instants) for (race, tick), instants in self._ticks.items() if race == race_id]
        return {
            tick: {stage: at for stage, at in zip(STAGES, instants, strict=True) if not isnan(at)}
            for tick, instants in found
        }


tracer = Tracer()
