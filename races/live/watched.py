"""A race with spectators: its board and the screen that they see, as the feed keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from races.live.board import Board
from races.live.board_meta import RaceMeta
from races.live.board_records import Frame
from races.live.hub import Snapshot
from races.live.pipeline import Rates
from races.live.render_head import Life
from races.live.render_panels import Pipeline
from races.live.rendering import Screen

Parts = Mapping[str, SafeString]


@dataclass(slots=True)
class Watched:
    """The screen is what every one of their pages shows. number: of its newest message;
    rates: of this race's own records.
    """

    board: Board
    screen: Screen
    number: int = 0
    rates: Rates = field(default_factory=Rates)
    _parts: Parts | None = None

    def show(self, frame: Frame) -> str:
        return self._next(self.screen.show(frame))

    def live(self, life: Life) -> str:
        message = self.screen.live(life)
        return self._next(message) if message else ""

    def stream(self, pipeline: Pipeline, now: float) -> str:
        message = self.screen.stream(pipeline, self.rates.paces(now))
        return self._next(message) if message else ""

    def _next(self, message: str) -> str:
        self._parts = None
        self.number += 1
        return message

    def parts(self) -> Parts:
        """Of the whole screen, made once a message however many pages ask."""
        if self._parts is None:
            self._parts = self.screen.fragments()
        return self._parts

    def snapshot(self) -> Snapshot:
        return "".join(self.parts().values()), self.number


@dataclass(frozen=True, slots=True)
class Page:
    """What the first page of a race shows; parts: by the names that its template has for them."""

    meta: RaceMeta
    frame: Frame | None
    parts: Parts
