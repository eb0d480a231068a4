"""A registry that takes its time keeps the records of its schema waiting, and nobody else."""

from __future__ import annotations

import threading
import time

import pytest

from races.board.board import Board
from races.live.feed import Feed
from races.live.rendering.header import RaceStatus
from races.streams import connection
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.errors import RegistryUnavailable
from tests.fakes.feed_stream import RACE, Stream, positions
from tests.fakes.waiting import wait_for
from tests.streams.slow import Slow

SOON_S = 1.0  # far below what the registry takes


@pytest.fixture
def registry() -> Slow:
    return Slow()


@pytest.fixture
def stream(registry: Slow) -> tuple[Feed, Stream, Codec]:
    """A feed that knows no schema yet, and a tick in somebody's."""
    feed = Feed(lambda *message: None)
    settings = embedded_settings("localhost:1")
    written = Stream(feed, connection.connect(settings, registry).codec, positions(20))
    return feed, written, connection.connect(settings, registry).codec


def watch(feed: Feed) -> None:
    feed.watch(RACE.race_id, Board(RACE), RaceStatus("running"), anomaly_on=False)


def test_pages_do_not_wait_for_a_schema(registry: Slow, stream: tuple[Feed, Stream, Codec]) -> None:
    feed, written, codec = stream
    watch(feed)
    reader = threading.Thread(target=feed.run, args=(written, codec))
    reader.start()
    assert registry.asked.wait(5)
    began = time.monotonic()
    assert feed.snapshot(RACE.race_id)[1] == 0
    feed.unwatch({"another"})
    assert time.monotonic() - began < SOON_S
    registry.answer.set()
    reader.join(10)
    frame = feed.frame(RACE.race_id)
    assert frame is not None
    assert frame["tick"] == 20, "what waited is shown, and all of it"


def test_the_feed_does_not_wait_for_a_schema(registry: Slow, stream: tuple[Feed, Stream, Codec]) -> None:
    feed, written, codec = stream
    feed.run(written, codec)  # type: ignore[arg-type]
    assert not registry.asked.is_set(), "nobody watches, and nobody asks"
    page = threading.Thread(target=watch, args=(feed,))
    page.start()
    assert registry.asked.wait(5)
    began = time.monotonic()
    feed.run(written, codec)  # type: ignore[arg-type]
    assert time.monotonic() - began < SOON_S
    registry.answer.set()
    page.join(10)
    frame = feed.frame(RACE.race_id)
    assert frame is not None
    assert frame["tick"] == 20


def test_a_silent_registry_is_waited_for(
    registry: Slow, stream: tuple[Feed, Stream, Codec], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, written, codec = stream
    watch(feed)

    def away(schema_id: int) -> tuple[str, str]:
        raise RegistryUnavailable("away")

    monkeypatch.setattr(registry, "schema", away)
    messages = written.poll(1, 0)
    feed._codec = codec
    feed._stopping.clear()
    reader = threading.Thread(target=feed.take_all, args=(messages,))
    reader.start()
    wait_for(lambda: "away" in feed.waiting_for, "it says what it waits for")
    monkeypatch.undo()
    registry.answer.set()
    reader.join(10)
    assert feed.waiting_for == ""
    assert feed.rates.total("positions") == len(messages)
