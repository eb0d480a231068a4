"""The real application, for Daphne and uvicorn: only its broker is none. Each line on standard input is a tick."""

from __future__ import annotations

import os
import select
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from f1site.asgi import application as application
from races import connection
from races.live.board import Board
from races.live.service import service
from races.streams.codec import Codec
from races.streams.consumer import Message, Tail, TailState
from tests.live.played import LIFE, RACE, connected, records

STANDARD_INPUT = 0


class Lines:
    """What the feed needs of a tail."""

    state = TailState(True, "ok", 0, 0, 0)

    def __init__(self, codec: Codec) -> None:
        self._codec, self._numbers = codec, count(1)

    def poll(self, most: int, timeout: float) -> list[Message]:
        if not select.select([STANDARD_INPUT], [], [], timeout)[0]:
            return []
        lines = os.read(STANDARD_INPUT, 1000)
        if not lines:
            os._exit(0)  # the test is gone
        return [record for _ in lines for record in records(self._codec, next(self._numbers))]

    def lags(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Script(connection.Connection):
    def tail(self, *_: Any, **__: Any) -> Tail:
        return cast(Tail, Lines(self.codec))


_real = connected()
connection.use(Script(_real.settings, _real.codec, _real.embedded_registry))
service().feed.watch(RACE.race_id, Board(RACE), LIFE, anomaly_on=False)
