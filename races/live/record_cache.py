"""Records that the feed remembers as bytes: the newest tick of every race, and the last seconds of the other topics.

Anybody may write to a topic, so all of it is bounded, by bytes too, and records from the future are refused.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from races.analytics.plausibility import CLOCK_SKEW_MS
from races.streams.consumer import Message

RACES_KEPT = 500
TICK_RECORDS, TICK_BYTES = 64, 64 * 1024  # of one tick; ours are 22 records and 7 kB
RECENT_S = 5.0  # what the recorder may not have written yet when somebody opens a race's page
RECENT, RECENT_BYTES = 20_000, 16 * 1024 * 1024


@dataclass(slots=True)
class RawTick:
    """The newest tick of a race as it came, and the tick before, which is the whole one while the newest arrives."""

    timestamp: int = -1
    # in order; a tick sent again has the same bytes
    values: dict[bytes, Message] = field(default_factory=dict)
    before: dict[bytes, Message] = field(default_factory=dict)
    room: int = TICK_BYTES


class LatestTicks:
    """The newest ticks of the races that publish, by race id; wall: seconds since the epoch."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._races: dict[str, RawTick] = {}

    def of(self, race_id: str) -> RawTick:
        return self._races.get(race_id) or RawTick()

    def add(self, race_id: str, message: Message) -> None:
        raw, at, value = self._races.get(race_id), message.timestamp_ms, message.value
        size = len(message.key or b"") + len(value or b"")
        if raw is None or at > raw.timestamp:
            if at > self._wall() * 1000 + CLOCK_SKEW_MS or size > TICK_BYTES:
                return
            raw = raw or self._begin(race_id)
            if at > raw.timestamp:
                raw.timestamp, raw.values, raw.before, raw.room = at, {}, raw.values, TICK_BYTES
        if at != raw.timestamp or value is None or value in raw.values:
            return
        if len(raw.values) < TICK_RECORDS and size <= raw.room:
            raw.values[value] = message
            raw.room -= size

    def _begin(self, race_id: str) -> RawTick:
        """Adds a race and forgets those that have ended."""
        before = self._wall() * 1000 - CLOCK_SKEW_MS
        self._races = {race: raw for race, raw in self._races.items() if raw.timestamp > before}
        raw = self._races[race_id] = RawTick()
        if len(self._races) > RACES_KEPT:
            del self._races[next(iter(self._races))]
        return raw


class RecentRecords:
    """The newest records of other topics than positions, in order."""

    def __init__(self) -> None:
        self._messages: deque[tuple[float, Message]] = deque()
        self._bytes = 0

    def __iter__(self) -> Iterator[Message]:
        return (message for _, message in self._messages)

    def add(self, message: Message, now: float) -> None:
        kept = self._messages
        kept.append((now, message))
        self._bytes += message.size
        while kept and (kept[0][0] < now - RECENT_S or len(kept) > RECENT or self._bytes > RECENT_BYTES):
            self._bytes -= kept.popleft()[1].size
