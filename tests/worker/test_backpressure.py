"""The worker of an embedded Kafka waits for those who read, and starts no race that the machine has no time for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from races.lab.components import Components, make_components
from races.models import Race
from races.recorder.recorder import Recorder
from races.streams.connection import Connection
from races.streams.lag import Lag
from races.worker import backpressure
from races.worker.backpressure import CALM_S, Backpressure, Reader
from tests.fakes.expected import check_history, expected_ticks
from tests.fakes.lab import ended, running, short_race
from tests.fakes.waiting import wait_for


class SlowReader:
    """A reader whose lag the test sets."""

    def __init__(self) -> None:
        self.lag = Lag()

    def reader(self) -> Reader:
        return Reader("the page", lambda: self.lag, 2.0)


def test_late_reader_holds_the_worker() -> None:
    now, slow = [100.0], SlowReader()
    found = Backpressure([slow.reader()], lambda: now[0])
    assert (found.reason(), found.calm()) == ("", True)
    slow.lag = Lag(900, 2.1)
    assert found.reason() == "", "it looks at most ten times a second"
    now[0] += 0.2
    assert found.reason() == "time on this machine (the page is behind)"
    slow.lag = Lag()
    now[0] += 0.2
    assert (found.reason(), found.calm()) == ("", False)
    now[0] += CALM_S
    assert found.calm()


def test_half_a_window_unread_holds_the_worker() -> None:
    full = Backpressure([Reader("the history", lambda: Lag(1, 0.0, 3 * 2**20), 5.0)], lambda: 0.0)
    assert full.reason() == "time on this machine (the history is behind)"


@contextmanager
def with_reader(kafka: Connection, slow: SlowReader) -> Iterator[Components]:
    """Components whose worker waits for this reader only."""
    components = make_components(kafka)
    components.worker.backpressure._readers = [slow.reader()]
    with running(components):
        yield components


def running_race(components: Components, race: Race) -> bool:
    return race.pk in components.worker.scheduler.races


@pytest.mark.django_db(transaction=True)
def test_races_wait_for_the_reader_and_lose_nothing(kafka: Connection) -> None:
    slow = SlowReader()
    with with_reader(kafka, slow):
        race = short_race(laps=2)
        wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 5, "the race is on")
        slow.lag = Lag(50_000, 9.0)
        wait_for(lambda: "the page is behind" in Race.objects.get(pk=race.pk).waiting_for, "it says why")
        held = Race.objects.get(pk=race.pk).published_tick
        slow.lag = Lag()
        race = ended(race)
    assert race.waits, "the time is a part of the race"
    assert race.published_tick > held
    check_history(race, expected_ticks(race))


@pytest.mark.django_db(transaction=True)
def test_a_new_race_is_queued_while_the_machine_is_late(kafka: Connection) -> None:
    slow = SlowReader()
    with with_reader(kafka, slow) as components:
        first = short_race(laps=9, pace=12)
        wait_for(lambda: running_race(components, first), "the first race runs")
        slow.lag = Lag(50_000, 9.0)
        wait_for(components.worker.backpressure.reason, "the machine is late")
        second, third = short_race(seed=2), short_race(seed=3)
        words = "late with its one race. Place 2 of 2 in the queue"
        wait_for(lambda: words in Race.objects.get(pk=third.pk).waiting_for, "it says its place")
        assert Race.objects.get(pk=second.pk).status == Race.Status.QUEUED
        slow.lag = Lag()
        assert ended(second).status == ended(third).status == Race.Status.FINISHED


@pytest.mark.full
@pytest.mark.django_db(transaction=True)
def test_a_recorder_that_stands_still_costs_no_tick(
    kafka: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a window of a few seconds: the worker stops before it is full, and goes on with the recorder."""
    monkeypatch.setattr(backpressure, "WINDOW_BYTES", 300_000)
    go_on, take = threading.Event(), Recorder.take_all
    monkeypatch.setattr(Recorder, "take_all", lambda *args: go_on.wait(60) and take(*args))
    go_on.set()
    with running(make_components(kafka)):
        race = short_race(circuit="monza", laps=3, pace=12)
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 5, "it is recorded")
        go_on.clear()
        why = "the history is behind"
        wait_for(lambda: why in Race.objects.get(pk=race.pk).waiting_for, "the race waits", 60)
        go_on.set()
        race = ended(race, 90)
    assert race.missing_ticks == 0
    check_history(race, expected_ticks(race))
