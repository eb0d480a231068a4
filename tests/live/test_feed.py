"""The feed: what it remembers of races that nobody watches, and what a board then begins with."""

from __future__ import annotations

import pytest

from races.board.board import Board
from races.live.feed import Feed
from races.live.rendering.header import RaceStatus
from races.live.rendering.panels import Pipeline
from races.live.rendering.panels import Stream as LiveStream
from races.live.service import FORGET_S, LiveService
from races.streams import connection
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.consumer import Message
from races.streams.registry.service import Registry
from tests.fakes.feed_stream import RACE, Said, Stream, positions
from tests.live.synthetic import START, event, tick

RACE_MS = START + 20 * 200


@pytest.fixture
def codec() -> Codec:
    return connection.connect(embedded_settings("localhost:1"), Registry()).codec


def fed(codec: Codec, said: list[Said]) -> Feed:
    feed = Feed(lambda *message: None)
    feed.run(Stream(feed, codec, said), codec)  # type: ignore[arg-type]
    return feed


def test_a_board_begins_with_recent_records(codec: Codec) -> None:
    line = {"id": "1", "message": "Here we go", "timestamp": 5, "type": "info", "race_id": RACE.race_id}
    average = (
        "avg_speed",
        {"driver_name": RACE.cars[0].name, "race_id": RACE.race_id},
        {"avg_speed": 211.5},
        5,
    )
    control = event(20, 1, "yellow", "NOR", "Yellow flag") | {"race_id": RACE.race_id}
    others = {**line, "id": "2", "race_id": "another"}
    said: list[Said] = [
        ("commentary", None, line, 5), ("commentary", None, others, 5), average,
        ("race_control", RACE.race_id, control, 5), *positions(20),
    ]  # fmt: skip
    feed = fed(codec, said)
    feed.watch(RACE.race_id, Board(RACE), RaceStatus("running", "", ""), anomaly_on=False)
    frame = feed.frame(RACE.race_id)
    assert frame is not None
    assert frame["tick"] == 20
    assert [note["text"] for note in frame["commentary"]] == ["Here we go"]
    assert [note["text"] for note in frame["control"]] == ["Yellow flag"]
    assert {c["driver_name"]: c["average_speed_kmh"] for c in frame["cars"]}[RACE.cars[0].name] == 211.5


def test_a_board_begins_with_team_readings(codec: Codec) -> None:
    def reading(key: str) -> Said:
        row = {"team_name": "x", "engine_temperature": 118.0, "is_anomaly": True}
        return "car_metrics_anomalies", {"key": key, "ts": RACE_MS}, row, RACE_MS

    feed = fed(codec, [reading("Ferrari"), reading("another:HAM"), *positions(20)])
    feed.watch(RACE.race_id, Board(RACE), RaceStatus("running"), anomaly_on=True)
    frame = feed.frame(RACE.race_id)
    assert frame is not None
    assert [*frame["anomalies"]] == ["Ferrari"]


def test_the_newest_tick_is_a_whole_one(codec: Codec) -> None:
    feed = fed(codec, [*positions(20), *positions(21, cars=5)])
    assert {record["tick"] for record in feed.newest(RACE.race_id)} == {20}
    assert len(feed.newest(RACE.race_id)) == 22


def test_a_repeated_tick_has_each_car_once(codec: Codec) -> None:
    feed = fed(codec, [*positions(20), *positions(20)])
    assert len(feed.newest(RACE.race_id)) == 22


def test_an_unknown_race_has_no_tick(codec: Codec) -> None:
    assert fed(codec, []).newest("nobody") == []


class Pages:
    """What the feed says to the pages of a race."""

    def __init__(self) -> None:
        self.said: list[tuple[int, str, int | None]] = []

    def __call__(self, race_id: str, number: int, message: str, tick: int | None) -> None:
        self.said.append((number, message, tick))


def watching(codec: Codec, said: list[Said]) -> tuple[Feed, Pages]:
    pages = Pages()
    feed = Feed(pages)
    feed.watch(RACE.race_id, Board(RACE), RaceStatus("running", "", ""), anomaly_on=True)
    feed.run(Stream(feed, codec, said), codec)  # type: ignore[arg-type]
    return feed, pages


STRIP = Pipeline(tuple(LiveStream(role, 110.0, 0) for role in ("positions", "car_metrics")), 1)


def test_a_stopped_stream_is_shown(codec: Codec) -> None:
    feed, pages = watching(codec, positions(20))
    feed.set_pipeline(STRIP, feed.polled_at + 0.5)
    assert '<b id="footer-positions">22/s · newest 0.5 s ago</b>' in pages.said[-1][1]
    feed.set_pipeline(STRIP, feed.polled_at + 8)
    number, message, tick = pages.said[-1]
    assert '<b id="footer-positions" class="quiet">0.0/s · newest 8.0 s ago</b>' in message
    assert (number, tick) == (3, None), "numbered like every message, and no tick"
    assert "newest 8.0 s ago" in feed.snapshot(RACE.race_id)[0]


class Told(Stream):
    """Tick 20, a footer that is told right after it, then tick 21."""

    def __init__(self, feed: Feed, codec: Codec) -> None:
        super().__init__(feed, codec, positions(21))
        self._first = Stream(feed, codec, positions(20))
        self._polls, self._feed = 0, feed

    def poll(self, most: int, timeout: float) -> list[Message]:
        self._polls += 1
        if self._polls == 1:
            return self._first._messages
        self._feed.set_pipeline(STRIP, self._feed.polled_at + 0.1)
        return super().poll(most, timeout)


def test_footers_go_with_the_next_tick(codec: Codec) -> None:
    pages = Pages()
    feed = Feed(pages)
    feed.watch(RACE.race_id, Board(RACE), RaceStatus("running", "", ""), anomaly_on=True)
    feed.run(Told(feed, codec), codec)  # type: ignore[arg-type]
    assert [(number, tick) for number, _, tick in pages.said] == [(1, 20), (2, 21)]
    message = pages.said[-1][1]
    assert message.index("newest 0.1 s ago") < message.index('data-tick="21"')


def test_footers_go_alone_without_a_tick(codec: Codec) -> None:
    feed, pages = watching(codec, positions(20))
    strip = Pipeline(STRIP.streams, sockets=17)
    feed.set_pipeline(strip, feed.polled_at + 0.1)
    assert [tick for _, _, tick in pages.said] == [20]
    assert "newest 0.1 s ago" in feed.snapshot(RACE.race_id)[0]
    feed.set_pipeline(strip, feed.polled_at + 1.1)
    number, message, tick = pages.said[-1]
    assert (number, tick) == (2, None)
    assert "newest 1.1 s ago" in message


def test_a_footer_counts_its_own_race(codec: Codec) -> None:
    metric = {
        "driver_code": "NOR", "race_id": "another", "tick": 20, "lap": 1, "timestamp": 5,
        "engine_temperature": 110.0, "team_name": "McLaren",
    }  # fmt: skip
    other = [("positions", "another", record | {"race_id": "another"}, 5) for record in tick(20, RACE)]
    feed, pages = watching(codec, [*other, ("car_metrics", "another:NOR", metric, 5)])
    feed.set_pipeline(STRIP, feed.polled_at + 0.5)
    message = pages.said[-1][1]
    assert '<b id="footer-positions">nothing yet</b>' in message
    assert '<b id="footer-car_metrics">nothing yet</b>' in message
    assert set(feed.throughput(feed.polled_at)) == {"positions", "car_metrics"}


def test_an_opening_board_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveService()
    races = live.feed.races

    def while_looked_at() -> set[str]:
        """A page's thread puts its race in right after the look."""
        found = races()
        live.feed.watch("new", Board(RACE), RaceStatus("running"), anomaly_on=False)
        return found

    live.feed.watch("old", Board(RACE), RaceStatus("running"), anomaly_on=False)
    live.forget(0.0)
    monkeypatch.setattr(live.feed, "races", while_looked_at)
    live.forget(FORGET_S)
    assert races() == {"new"}
    live.forget(FORGET_S + 1)
    assert races() == {"new"}, "it has its own time, not that of the first"
    live.forget(2 * FORGET_S + 1)
    monkeypatch.undo()
    live.feed.watch("old", Board(RACE), RaceStatus("running"), anomaly_on=False)
    live.forget(2 * FORGET_S + 2)
    assert "old" in races(), "who comes back has its time again"
