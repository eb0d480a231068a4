"""Drills: a teacher takes a part of the lab away for some seconds, and everybody sees which panel ages and what lag is.

Each one ends by itself and leaves nothing behind: what was held back is sent in its order, and what comes twice counts
once. A race with a drill has the same result as the race of the same seed without it.

Threads ask `on` for each batch or record; there is no thread for it, so a lab without a drill pays a comparison.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

DRILL_S = 20.0


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill: what it is called, what it does, and what there is to see."""

    kind: str
    title: str
    does: str
    watch: str


_ALL = (
    Drill(
        "pause",
        "Pause the analytics",
        "The analytics read nothing for 20 s.",
        "The tower runs on, while average speeds, commentary and engines age. What they have not read is "
        "their lag. Afterwards they catch up within moments, and no record is missing.",
    ),
    Drill(
        "hold",
        "Hold the average speeds back",
        "The records of one topic wait for 20 s before they are sent.",
        "Event time stands still in that topic while processing time goes on. Then the records come all at "
        "once, each with the event time that it had.",
    ),
    Drill(
        "twice",
        "Send each tick twice",
        "For 20 s each record of a tick goes to Kafka twice, with the same bytes.",
        "The topics have twice the records a second. Averages, places and the result stay as they are: a record "
        "counts by its identity (race, tick and driver), not by its offset.",
    ),
)
DRILLS = {drill.kind: drill for drill in _ALL}
HELD_ROLE = "avg_speed"


class Drills:
    """The drill that is on, if any. Any thread may ask; a new drill replaces the one before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now: tuple[str, float] = ("", 0.0)  # its kind and its end, replaced at once

    def begin(self, kind: str, seconds: float = DRILL_S) -> None:
        """Raises KeyError for a drill that there is not."""
        self._now = DRILLS[kind].kind, self._clock() + seconds

    def end(self) -> None:
        self._now = "", 0.0

    def on(self, kind: str) -> bool:
        now, until = self._now
        return now == kind and self._clock() < until

    def current(self) -> tuple[Drill, float] | None:
        """Returns the drill that is on, with the seconds that are left of it."""
        kind, until = self._now
        left = until - self._clock()
        return (DRILLS[kind], left) if kind and left > 0 else None
