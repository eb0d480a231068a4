"""The record that provision_confluent sends there and back: a message of no race, which nobody shows or counts."""

from __future__ import annotations

import pytest

from provisioning.smoke_test import NO_RACE, ROLE, check_record
from races.board.board import Board
from races.board.race_info import RaceInfo
from races.lab.components import Components
from races.live.feed import Feed
from races.live.rendering.header import RaceStatus
from races.models import ControlMessage, Race
from races.streams.connection import Connection
from races.streams.consumer import Message, Tail
from tests.fakes.lab import ended, short_race

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "provision_confluent was here"


class Until:
    """A tail that ends its reader when the race's last tick is through."""

    def __init__(self, feed: Feed, tail: Tail, race: Race) -> None:
        self._feed, self._tail, self._race = feed, tail, str(race.pk)

    def poll(self, most: int, timeout: float) -> list[Message]:
        frame = self._feed.frame(self._race)
        if frame is not None and frame["phase"] == "over":
            self._feed.stop()
        return self._tail.poll(most, timeout)

    def close(self) -> None:
        self._tail.close()


def test_provisionings_record_is_passed_over(kafka: Connection, components: Components) -> None:
    def check() -> None:
        components.publishers[0].send(ROLE, NO_RACE, check_record(1_780_000_000_000), 1_780_000_000_000)

    check()
    race = short_race()
    check()
    race = ended(race)
    check()
    assert components.publishers[0].flush(10) == 0
    assert race.status == Race.Status.FINISHED
    assert not components.recorder.bad
    assert components.analytics is not None
    assert components.analytics.bad_records == 0
    assert not ControlMessage.objects.filter(message=WORDS).exists()
    assert Race.objects.count() == 1

    said: list[str] = []
    feed = Feed(lambda race_id, number, message, tick: said.append(message))
    tail = Until(feed, kafka.tail(["race_control", "positions"], "beginning"), race)
    board = Board(RaceInfo.from_json(race.frozen))
    feed._codec = kafka.codec
    feed.watch(str(race.pk), board, RaceStatus("running"), anomaly_on=False)
    feed.run(tail, kafka.codec)  # type: ignore[arg-type]
    assert not feed.bad
    assert feed.rates.total(ROLE) > 3
    assert feed.races() == {str(race.pk)}
    assert board.frame is not None
    assert len(board.frame["control"]) > 3
    assert all(WORDS not in note["text"] for note in board.frame["control"])
    assert said
    assert WORDS not in "".join(said)
    assert board.apply(ROLE, check_record(1)) is None  # whoever hands it over
    assert all(WORDS not in note["text"] for note in board.frame["control"])
