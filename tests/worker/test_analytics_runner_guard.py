"""One record, whoever wrote it, costs the analytics nothing but itself."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from races.analytics.engine import Derived, RaceAnalytics
from races.lab.components import Components, make_components
from races.models import Race
from races.streams.connection import Connection
from races.worker.analytics_runner import plan_of
from races.worker.backfill import Backfill
from races.worker.running_race import RunningRace
from tests.fakes.lab import Records, ended, running, short_race
from tests.fakes.waiting import wait_for
from tests.streams.records import NOW_MS, POSITION

pytestmark = pytest.mark.django_db(transaction=True)


def test_implausible_records_are_counted(
    kafka: Connection, components: Components, caplog: pytest.LogCaptureFixture
) -> None:
    assert components.analytics is not None
    with caplog.at_level(logging.WARNING, logger="races.worker.analytics_runner"):
        race = short_race()
        wait_for(lambda: race.pk in components.worker.scheduler.races, "the race runs")
        publisher = kafka.publisher()
        for driver in ("Somebody Else", "And Another"):
            lie = POSITION | {
                "race_id": str(race.pk),
                "driver_name": driver,
                "tick": 0,
                "timestamp": 1,
                "laps": 1,
            }
            publisher.send("positions", str(race.pk), lie, NOW_MS)
        publisher.flush(10)
        race = ended(race)
        analytics = components.analytics
        wait_for(lambda: analytics.bad_records >= 2, "both are counted")
        publisher.close()
    assert race.status == Race.Status.FINISHED
    assert race.results.filter(average_speed_kmh__isnull=True).count() == 0
    told = [record for record in caplog.records if "f1-driver-positions[" in record.getMessage()]
    assert len(told) == 1


def test_failing_engine_goes_on(
    kafka: Connection, components: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RaceAnalytics.feed

    def feed(engine: RaceAnalytics, role: str, record: Any, key: str | None = None) -> list[Derived]:
        if role == "positions" and record["tick"] == 7 and record["driver_code"] == "HAM":
            raise IndexError("tuple index out of range")
        return real(engine, role, record, key)

    monkeypatch.setattr(RaceAnalytics, "feed", feed)
    race = ended(short_race())
    assert race.status == Race.Status.FINISHED
    assert components.analytics is not None
    assert components.analytics.bad_records == 1
    averages = Records(kafka, "avg_speed").read(lambda found: len(found) >= 22)
    assert all(record["avg_speed"] >= 0 for record in averages)


def test_plan_knows_no_unpublished_instant(kafka: Connection, components: Components) -> None:
    race = short_race()
    wait_for(lambda: bool(components.worker.scheduler.races), "the race runs")
    held: RunningRace = components.worker.scheduler.races[race.pk]
    plan = plan_of(held)
    assert plan.due(0) == held.started_ms
    assert plan.due(held.next_tick + 1000) is None
    assert len(plan.drivers) == 22
    ended(race)


def test_failed_backfill_costs_only_analytics(kafka: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(past: Backfill, ticks: int) -> bool:
        raise ZeroDivisionError("the past")

    race = short_race(laps=2)
    with running(make_components(kafka)):
        wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 20, "it is published")
    monkeypatch.setattr(Backfill, "work", work)
    with running(make_components(kafka)):
        race = ended(race)
        wait_for(lambda: Race.objects.get(pk=race.pk).published_over, "no analytics are waited for")
    assert race.status == Race.Status.FINISHED
