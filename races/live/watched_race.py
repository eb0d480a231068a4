"""A race with spectators: its board and the screen that they see, as the feed keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from races.board.board import Board
from races.board.frames import Frame
from races.board.race_info import RaceInfo
from races.lib.throughput import ThroughputMeter
from races.live.rendering.header import RaceStatus
from races.live.rendering.panels import Pipeline
from races.live.rendering.screen import Screen

Parts = Mapping[str, SafeString]
Snapshot = tuple[str, int]  # the whole state, and the number of the newest message that is in it
TICKING_S = 0.5  # ticks come five times a second


@dataclass(slots=True)
class WatchedRace:
    """A board with its screen, which is what every page of the race shows.

    number: that of the newest message; rates: throughput of this race's own records; along: what goes with the next
    tick.
    """

    board: Board
    screen: Screen
    number: int = 0
    rates: ThroughputMeter = field(default_factory=ThroughputMeter)
    along: str = ""
    _parts: Parts | None = None

    def show(self, frame: Frame) -> str:
        along, self.along = self.along, ""
        self._parts = None
        self.number += 1
        return along + self.screen.show(frame)

    def set_status(self, status: RaceStatus) -> str:
        message = self.screen.set_status(status)
        return self._next(message) if message else ""

    def set_pipeline(self, pipeline: Pipeline, now: float) -> str:
        """The message, or nothing where it can go along with the next tick: that spares a write to every socket."""
        paces = self.rates.throughput(now, pipeline.behind_s)
        message = self.along + self.screen.set_pipeline(pipeline, paces)
        self._parts = None
        ticking = "positions" in paces and paces["positions"].since_read_s < TICKING_S
        self.along = message if ticking and not self.along else ""
        return self._next(message) if message and not self.along else ""

    def _next(self, message: str) -> str:
        self._parts = None
        self.number += 1
        return message

    def parts(self) -> Parts:
        """All fragments of the screen, cached until the next message."""
        if self._parts is None:
            self._parts = self.screen.fragments()
        return self._parts

    def snapshot(self) -> Snapshot:
        return "".join(self.parts().values()), self.number


@dataclass(frozen=True, slots=True)
class Page:
    """What the first page of a race shows. parts: fragments by the names that the template has for them."""

    info: RaceInfo
    frame: Frame | None
    parts: Parts
