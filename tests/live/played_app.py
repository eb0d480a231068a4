"""The real application, for Daphne and uvicorn: each byte on standard input is a tick, an L a long one."""

from __future__ import annotations

import os
import select
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from f1site.asgi import application as application
from races.board.board import Board
from races.live.service import service
from races.streams import connection
from races.streams.codec import Codec
from races.streams.consumer import Message, Tail, TailState
from races.streams.lag import Ends, Lag
from tests.live.played import RACE, RUNNING, comments, connected, records

STANDARD_INPUT = 0
LONG_TICK = ord("L")


class Lines:
    """What the feed needs of a tail."""

    state = TailState(True, "ok", 0, 0, 0)

    def __init__(self, codec: Codec) -> None:
        self._codec, self._numbers = codec, count(1)

    def poll(self, most: int, timeout: float) -> list[Message]:
        if not select.select([STANDARD_INPUT], [], [], timeout)[0]:
            return []
        told = os.read(STANDARD_INPUT, 1000)
        if not told:
            os._exit(0)  # the test is gone
        return [record for kind in told for record in self._tick(next(self._numbers), kind == LONG_TICK)]

    def _tick(self, number: int, long: bool) -> list[Message]:
        return (comments(self._codec, number) if long else []) + records(self._codec, number)

    def lag(self, ends: Ends | None = None) -> Lag:
        return Lag()

    def lags(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Script(connection.Connection):
    def tail(self, *_: Any, **__: Any) -> Tail:
        return cast(Tail, Lines(self.codec))


_real = connected()
connection.use(Script(_real.settings, _real.codec, _real.embedded_registry))
service().feed.watch(RACE.race_id, Board(RACE), RUNNING, anomaly_on=False)
