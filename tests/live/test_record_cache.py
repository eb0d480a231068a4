"""What the feed remembers has a bound, whoever writes, and no record of a time to come stands in for the newest."""

from __future__ import annotations

from races.analytics.plausibility import CLOCK_SKEW_MS
from races.live.record_cache import (
    RECENT_BYTES,
    RECENT_S,
    TICK_BYTES,
    TICK_RECORDS,
    LatestTicks,
    RecentRecords,
)
from races.streams.consumer import Message

NOW_S = 1_780_000_000.0
NOW_MS = int(NOW_S * 1000)


def position(value: bytes, at: int = NOW_MS, key: bytes = b"race") -> Message:
    return Message("positions", 0, 0, key, value, at)


def newest(*messages: Message) -> LatestTicks:
    found = LatestTicks(wall=lambda: NOW_S)
    for message in messages:
        found.add("race", message)
    return found


def test_a_record_from_the_future_is_refused() -> None:
    found = newest(position(b"forged", NOW_MS + 10**9), position(b"genuine"))
    assert list(found.of("race").values) == [b"genuine"]


def test_clocks_may_differ_by_a_minute() -> None:
    assert list(newest(position(b"early", NOW_MS + 60_000)).of("race").values) == [b"early"]


def test_an_ended_race_is_forgotten() -> None:
    now = [NOW_S]
    found = LatestTicks(wall=lambda: now[0])
    found.add("ended", position(b"last"))
    now[0] += CLOCK_SKEW_MS / 1000 - 1
    found.add("runs", position(b"first", int(now[0] * 1000)))
    assert found.of("ended").values and found.of("runs").values
    now[0] += 2
    found.add("begins", position(b"first", int(now[0] * 1000)))
    assert not found.of("ended").values
    assert found.of("runs").values and found.of("begins").values


def test_an_instant_is_bounded() -> None:
    many = newest(*(position(b"%d" % number) for number in range(1000)))
    assert len(many.of("race").values) == TICK_RECORDS
    large = newest(*(position(b"%d" % number + bytes(10_000)) for number in range(60)))
    assert len(large.of("race").values) == TICK_BYTES // 10_000
    assert newest(position(b"x", key=b"race" + bytes(TICK_BYTES))).of("race").values == {}


def test_the_next_instant_has_its_own_room() -> None:
    full = [position(b"%d" % number) for number in range(1000)]
    found = newest(*full, position(b"next", NOW_MS + 200)).of("race")
    assert list(found.values) == [b"next"]
    assert len(found.before) == TICK_RECORDS


def test_recent_records_are_bounded() -> None:
    recent = RecentRecords()
    for number in range(200):
        recent.add(Message("commentary", 0, number, None, bytes(256 * 1024), NOW_MS), 0.0)
    kept = list(recent)
    assert sum(message.size for message in kept) <= RECENT_BYTES
    assert kept[-1].offset == 199, "the oldest go"
    recent.add(Message("commentary", 0, 200, None, b"x", NOW_MS), RECENT_S + 1)
    assert [message.offset for message in recent] == [200]
    recent.add(Message("commentary", 0, 201, None, bytes(RECENT_BYTES + 1), NOW_MS), RECENT_S + 1)
    assert list(recent) == []
