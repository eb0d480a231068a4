"""A made-up race tick by tick: as records of the stream, and as what a page has to show of them."""

from __future__ import annotations

import re

from races.board.board import Board
from races.live.rendering.header import RaceStatus
from races.live.rendering.screen import screen_of
from races.live.watched_race import WatchedRace
from races.streams import connection
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.consumer import Message
from races.streams.registry.service import Registry
from tests.live.synthetic import START, info, tick

RACE = info(laps=60)
LINES, LONG = 20, "and on it goes " * 60  # 18 kB a tick
RUNNING = RaceStatus("running")
PATH = f"/ws/races/{RACE.race_id}/"
# What follows the clock instead of the ticks: how the stream does, and answers to acknowledgements.
BY_THE_CLOCK = re.compile(
    r'<b id="(?:(?:footer|lag)-\w+|feed|sockets)"[^>]*>.*?</b>|<i id="pong" hidden>\d+</i>'
)


def connected() -> connection.Connection:
    """A connection to a broker that is never asked."""
    return connection.connect(embedded_settings("localhost:1"), Registry())


def comments(codec: Codec, number: int) -> list[Message]:
    """Lines that make their frame a long one."""
    at = START + number * 200
    said = [{"id": f"{number}-{n}", "message": f"{number}-{n} {LONG}", "timestamp": at, "type": "info",
             "race_id": RACE.race_id} for n in range(LINES)]  # fmt: skip
    return [Message("commentary", 0, 0, None, codec.encode("commentary", line), at) for line in said]


def records(codec: Codec, number: int) -> list[Message]:
    key = codec.encode_key("positions", RACE.race_id)
    return [
        Message("positions", 0, number, key, codec.encode("positions", record), record["timestamp"])
        for record in tick(number, RACE)
    ]


def by_ticks(text: str) -> str:
    return BY_THE_CLOCK.sub("", text)


class Played:
    """What pages get from a server that has been told as many ticks."""

    def __init__(self) -> None:
        self._codec = connected().codec
        self._watched = WatchedRace(Board(RACE), screen_of(RACE, None, status=RUNNING, anomaly_on=False))
        self.ticks = 0

    def next(self, long: bool = False) -> str:
        """The next tick's frame."""
        self.ticks += 1
        if long:
            for line in comments(self._codec, self.ticks):
                self._watched.board.apply(
                    "commentary", self._codec.decode("commentary", line.value, ask=False)
                )
        for record in records(self._codec, self.ticks):
            frame = self._watched.board.apply(
                "positions", self._codec.decode("positions", record.value, ask=False)
            )
        assert frame is not None
        return by_ticks(self._watched.show(frame))

    def snapshot(self) -> str:
        return by_ticks(self._watched.snapshot()[0])
