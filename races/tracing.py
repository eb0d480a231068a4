"""Where a tick's time went, from the simulation to the sockets, as this process saw it.

Instants are on the monotonic clock, which all processes of one machine share. Only the newest ticks are kept.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

STAGES = ("due", "simulated", "sent", "acknowledged", "read", "shown", "delivered")
KEPT = 20_000  # ticks: 100 s of 40 races


class Tracer:
    def __init__(self) -> None:
        self._ticks: OrderedDict[tuple[str, int], dict[str, float]] = OrderedDict()
        self._lock = threading.Lock()  # for whoever adds or takes ticks away, and whoever goes through all

    def note(self, race_id: str, tick: int, stage: str, at: float | None = None) -> None:
        """The first time that a stage was reached counts."""
        stages = self._ticks.get((race_id, tick))
        if stages is None:
            with self._lock:
                stages = self._ticks.setdefault((race_id, tick), {})
                if len(self._ticks) > KEPT:
                    self._ticks.popitem(last=False)
        stages.setdefault(stage, time.monotonic() if at is None else at)

    def of(self, race_id: str) -> dict[int, dict[str, float]]:
        """Stages by tick, in the order of the ticks' first stage."""
        with self._lock:
            found = [(tick, stages) for (race, tick), stages in self._ticks.items() if race == race_id]
        return {tick: dict(stages) for tick, stages in found}


tracer = Tracer()
