"""The way of a record from the reader to the socket can be read from top to bottom."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import races
from races.board.board import Board
from races.live.hub import Socket
from races.live.service import LiveService
from tests.live.played import RACE, RUNNING, connected, records

ROOT = str(Path(races.__file__).parent)
# Pure cores, each with one way in: what they do inside is not part of the way.
CORES = {"Codec.decode", "Board._build", "Screen.show"}
MOST_RETURNS = 12


class Walk:
    """Notes the functions of `races` that are called until the text is written, and those that are open then."""

    def __init__(self) -> None:
        self.visited: dict[str, None] = {}
        self.open: list[str] = []
        self.written: list[str] = []

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        name = frame.f_code.co_qualname
        if not frame.f_code.co_filename.startswith(ROOT) or "<" in name or self.written:
            return
        if event == "call":
            if not CORES & set(self.open):
                self.visited[name] = None
            self.open.append(name)
        elif event == "return" and self.open and self.open[-1] == name:
            self.open.pop()

    def write(self, text: str) -> bool:
        self.written.append(text)
        return True

    @property
    def returned(self) -> list[str]:
        return [name for name in self.visited if name not in self.open]


class SameThread(asyncio.SelectorEventLoop):
    """An event loop whose thread goes on where the reading thread ends, at once."""

    def call_soon_threadsafe(self, callback: Any, *arguments: Any) -> Any:  # type: ignore[override]
        return callback(*arguments)


def walk_of_last_record(walk: Walk) -> None:
    """Publishes a tick to one spectator. The record that completes it is the one whose way is noted."""
    live, codec = LiveService(), connected().codec
    live._loop, live.feed._codec = SameThread(), codec
    live.feed.watch(RACE.race_id, Board(RACE), RUNNING, anomaly_on=False)
    written: list[Callable[[str], bool]] = [lambda text: True]
    live.hub.join(RACE.race_id, Socket(_send, _close, None, 0.0, lambda text: written[0](text)))
    live.feed.take_all([record for number in range(3) for record in records(codec, number)])
    *others, last = records(codec, 3)
    live.feed.take_all(others)
    written[0] = walk.write
    sys.setprofile(walk)
    try:
        live.feed.take_all([last])
    finally:
        sys.setprofile(None)
        live._loop.close()


async def _send(text: str) -> None: ...
async def _close(code: int, reason: str) -> None: ...


def test_few_returns_on_a_record_s_way() -> None:
    """A function that has returned before the text is written is a step aside that a reader has to keep in mind."""
    walk = Walk()
    walk_of_last_record(walk)
    assert walk.written
    assert len(walk.returned) <= MOST_RETURNS, walk.returned
