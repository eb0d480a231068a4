"""Where a tick's time went, from the simulation to the sockets, as this process saw it.

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
    """Instants lie in arrays and a race's id is there once: as many dictionaries would take 15 MB."""

    def __init__(self) -> None:
        self._ticks: OrderedDict[tuple[str, int], array[float]] = OrderedDict()
        self._lock = threading.Lock()  # for whoever adds or takes ticks away, and whoever goes through all

    def note(self, race_id: str, tick: int, stage: str, at: float | None = None) -> None:
        """The first time that a stage was reached counts."""
        key = intern(race_id), tick
        instants = self._ticks.get(key)
        if instants is None:
            with self._lock:
                instants = self._ticks.setdefault(key, NEVER[:])
                if len(self._ticks) > KEPT:
                    self._ticks.popitem(last=False)
        if isnan(instants[PLACE[stage]]):
            instants[PLACE[stage]] = time.monotonic() if at is None else at

    def of(self, race_id: str) -> dict[int, dict[str, float]]:
        """Stages by tick, in the order of the ticks' first stage."""
        with self._lock:
            found = [(tick, instants) for (race, tick), instants in self._ticks.items() if race == race_id]
        return {tick: _stages(instants) for tick, instants in found}


def _stages(instants: array[float]) -> dict[str, float]:
    return {stage: at for stage, at in zip(STAGES, instants, strict=True) if not isnan(at)}


tracer = Tracer()
