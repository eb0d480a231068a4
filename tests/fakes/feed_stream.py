"""A stream of one batch for a feed, and the race that it tells of."""

from __future__ import annotations

from typing import Any

from races.live.feed import Feed
from races.streams.codec import Codec
from races.streams.consumer import Message
from tests.live.synthetic import info, tick

RACE = info()


Said = tuple[str, Any, dict[str, Any], int]  # role, key, value, event time


class Stream:
    """A tail that has one batch, and ends its reader after it."""

    def __init__(self, feed: Feed, codec: Codec, said: list[Said]) -> None:
        self._feed = feed
        self._messages = [
            Message(role, 0, n, codec.encode_key(role, key), codec.encode(role, value), at)
            for n, (role, key, value, at) in enumerate(said)
        ]

    def poll(self, most: int, timeout: float) -> list[Message]:
        self._feed.stop()
        return self._messages

    def close(self) -> None: ...


def positions(number: int, cars: int = 22) -> list[Said]:
    return [("positions", RACE.race_id, record, record["timestamp"]) for record in tick(number, RACE)[:cars]]
