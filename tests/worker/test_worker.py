"""Workers: a race is published whole and once, whoever dies, and stops when asked to."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError
from django.test import Client

from races.health import views
from races.health.views import NOBODY
from races.lab import components as lab_components
from races.lab.components import Components, make_components
from races.lib.clock import Clocks
from races.models import InjectedFault, Race, RaceQuerySet
from races.sim import Race as Simulation
from races.streams import connection
from races.streams.config import embedded_settings
from races.streams.connection import Connection
from races.streams.embedded import EmbeddedKafka
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES
from races.worker.preparation import prepare, settings_of
from races.worker.running_race import RunningRace
from tests.fakes.expected import check_history, check_published, expected_ticks
from tests.fakes.lab import Records, ended, health, recording, running, short_race
from tests.fakes.published import check_whole, over
from tests.fakes.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_race_from_queued_to_finished(kafka: Connection, components: Components) -> None:
    race = ended(short_race())
    assert race.status == Race.Status.FINISHED
    assert race.results.count() == 22
    check_whole(race, Records(kafka, "positions").read(over))


def test_what_is_published_is_the_simulation(kafka: Connection, components: Components) -> None:
    race = ended(short_race(seed=7))
    sim = Simulation(settings_of(race))
    records = {(r["tick"], r["driver_code"]): r for r in Records(kafka, "positions").read(over)}
    while not sim.over:
        tick = sim.advance()
        for car in tick.cars:
            record = records[tick.tick, car.driver_code]
            assert (record["position"], record["lap"]) == (car.position, car.lap)
            assert record["speed"] == round(car.speed, 1)


def test_takeover_publishes_the_same_bytes(kafka: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    race = short_race(laps=2)
    first = make_components(kafka)
    first.start(lambda name: None)
    wait_for(lambda: first.worker.scheduler.races, "the first worker holds the race")
    wait_for(lambda: next(iter(first.worker.scheduler.races.values())).next_tick > 20, "it publishes")
    # Gone without a word: its threads end, its leases stay.
    first.worker.shut_down = lambda threads: None  # type: ignore[method-assign]
    first.worker.scheduler.stop()
    first.recorder.stop()
    monkeypatch.setattr(views, "WORKER_SEEN", timedelta(seconds=3))
    monkeypatch.setattr(lab_components, "_current", None)  # as a web apart sees it
    wait_for(lambda: health()[1]["worker"].get("error") == NOBODY, "it is told that nobody is left")
    assert Client().get("/livez").status_code == 200
    began = time.monotonic()
    with running(make_components(kafka)):
        tick = Race.objects.get(pk=race.pk).recorded_tick
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > tick, "it goes on")
        print(f"\nworker vanished: on in the history {time.monotonic() - began:.1f} s after another's start")
        monkeypatch.setattr(lab_components, "_current", None)
        assert health()[1]["worker"]["ok"]
        race = ended(race)
    first.worker.stop()
    assert race.waits, "the time without a worker is a wait"
    check_history(race, expected_ticks(race))
    check_whole(race, Records(kafka, "positions").read(over))


def test_a_stopped_worker_releases_its_races_at_once(kafka: Connection) -> None:
    race = short_race(laps=3, pace=12)
    with running(make_components(kafka)) as components:
        wait_for(lambda: components.worker.scheduler.races, "the race is held")
    race.refresh_from_db()
    assert (race.lease_owner, race.status) == ("", Race.Status.RUNNING)


def test_a_red_flag_ends_the_race_as_it_stands(kafka: Connection, components: Components) -> None:
    race = short_race(laps=9, pace=30)
    wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 30, "the race is on")
    Race.objects.filter(pk=race.pk).update(stop_requested=True)
    race = ended(race)
    assert race.status == Race.Status.STOPPED
    assert race.results.count() == 22
    records = Records(kafka, "positions").read(over)
    assert {record["flag"] for record in records if record["phase"] == "over"} == {"red"}
    assert race.control.filter(type="red_flag").exists()


def test_stop_before_a_claim(kafka: Connection) -> None:
    race = short_race()
    Race.objects.filter(pk=race.pk).update(stop_requested=True)
    with running(make_components(kafka)):
        assert ended(race).status == Race.Status.STOPPED


def test_a_simulation_that_raises_fails_its_race_and_no_other(
    kafka: Connection, components: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Simulation.advance

    def advance(sim: Simulation) -> Any:
        tick = real(sim)
        if sim.settings.seed == 13 and tick.tick == 30:
            raise ZeroDivisionError("the gearbox")
        return tick

    monkeypatch.setattr(Simulation, "advance", advance)
    bad, good = short_race(seed=13), short_race(seed=14)
    assert ended(bad).status == Race.Status.FAILED
    assert "the gearbox" in bad.status_reason
    assert ended(good).status == Race.Status.FINISHED


def test_a_race_of_another_model_fails_with_that_reason(kafka: Connection, components: Components) -> None:
    race = short_race()
    Race.objects.filter(pk=race.pk).update(model_version="0-before")
    race = ended(race)
    assert race.status == Race.Status.FAILED
    assert "0-before" in race.status_reason


def test_two_workers_share_the_races(kafka: Connection, components: Components) -> None:
    with running(make_components(kafka)):
        races = [short_race(seed=seed) for seed in range(4)]
        for race in races:
            assert ended(race).status == Race.Status.FINISHED
    records = Records(kafka, "positions").read(
        lambda found: len({r["race_id"] for r in found if r["phase"] == "over"}) == len(races)
    )
    for race in races:
        check_whole(race, records)


def test_ground_truth_stays_in_the_database(kafka: Connection, components: Components) -> None:
    race = short_race(circuit="monza", laps=4)
    Race.objects.filter(pk=race.pk).update(anomaly_detection=True)
    race = ended(race)
    planned = Simulation(settings_of(race)).injected_faults()
    assert InjectedFault.objects.filter(race=race).count() == len(planned)
    metrics = Records(kafka, "car_metrics").read()
    assert set(metrics[0]) - {"_at", "_bytes"} == {
        "team_name", "timestamp", "engine_temperature", "race_id", "driver_code", "lap", "tick",
    }  # fmt: skip


@pytest.mark.parametrize("stop", [False, True])
def test_takeover_after_the_last_tick(kafka: Connection, stop: bool) -> None:
    """A worker may die between the last tick and the record that it was the last one."""
    with running(make_components(kafka)):
        race = short_race(laps=3) if stop else short_race()
        if stop:
            Race.objects.filter(pk=race.pk).update(stop_requested=True)
        race = ended(race)
    before, published = race.status, Records(kafka, "positions").read(over)
    Race.objects.filter(pk=race.pk).update(status=Race.Status.RUNNING, published_over=False)
    race.results.all().delete()
    with running(make_components(kafka)) as components:
        components.recorder.stop()
        wait_for(lambda: Race.objects.get(pk=race.pk).published_over, "its end is written")
    with recording(kafka):
        assert ended(race).status == before
    assert len(Records(kafka, "positions").read(over)) == len(published)


def test_lost_embedded_broker_is_made_good(
    kafka: Connection,
) -> None:
    race = short_race(laps=2)
    with running(make_components(kafka)) as components:
        wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > 10, "some of it is recorded")
        components.recorder.stop()
        wait_for(lambda: Race.objects.get(pk=race.pk).published_over, "all of it is published")
    recorded, began = Race.objects.get(pk=race.pk).recorded_tick, time.monotonic()
    with EmbeddedKafka(DEFAULT_NAMES.values()) as cluster:
        another = connection.connect(embedded_settings(cluster.bootstrap), Registry())
        Race.objects.active().reopen()
        with running(make_components(another)):
            wait_for(lambda: Race.objects.get(pk=race.pk).recorded_tick > recorded + 20, "it goes on")
            print(f"\nembedded broker lost: 20 further ticks {time.monotonic() - began:.1f} s after its end")
            race = ended(race)
        check_history(race, expected_ticks(race))
        check_published(Records(another, "positions").read(over), expected_ticks(race), recorded + 1)


class Sending:
    """A race that catches up: each look at it finds it further on."""

    def __init__(self, looks: int) -> None:
        self._tick, self._looks = 10, looks
        self.hold_at, self.replay_until = None, -1

    @property
    def next_tick(self) -> int:
        self._looks -= 1
        self._tick += self._looks > 0
        return self._tick


@pytest.mark.parametrize("looks", range(12))
def test_red_flag_lies_ahead(looks: int) -> None:
    race = Sending(looks)
    tick = RunningRace.choose_stop_tick(race)  # type: ignore[arg-type]
    assert race.hold_at == tick
    assert race._tick < tick  # even the tick that is being sent just now is before it


def test_red_flag_without_an_answer_is_obeyed(
    kafka: Connection, components: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = RaceQuerySet.save_stop

    def unanswered(*arguments: Any) -> bool:
        save(*arguments)
        raise InterfaceError("the connection is closed")

    monkeypatch.setattr(RaceQuerySet, "save_stop", unanswered)
    race = short_race(laps=9, pace=30)
    wait_for(lambda: Race.objects.get(pk=race.pk).published_tick > 10, "the race is on")
    Race.objects.filter(pk=race.pk).update(stop_requested=True)
    race = ended(race)
    assert race.status == Race.Status.STOPPED
    records = Records(kafka, "positions").read(over)
    assert {record["tick"] for record in records if record["flag"] == "red"} == {race.stop_tick}
    check_whole(race, records)


@pytest.mark.parametrize("times", [1, 2])
def test_refused_records_fail_their_race(
    kafka: Connection, components: Components, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    acknowledged = RunningRace.acknowledged
    refused: list[RunningRace] = []

    def refuse(held: RunningRace, tick: int, failed: bool) -> None:
        if tick == 12 and len({id(other) for other in [*refused, held]}) <= times:
            refused.append(held)
            failed = True
        acknowledged(held, tick, failed)

    monkeypatch.setattr(RunningRace, "acknowledged", refuse)
    race = ended(short_race())
    if times == 1:
        assert race.status == Race.Status.FINISHED
        check_whole(race, Records(kafka, "positions").read(over))
    else:
        assert race.status == Race.Status.FAILED
        assert race.published_tick <= 11  # as far as it was saved, which is done now and then
        assert "Kafka refuses the records of tick 12" in race.status_reason


def test_event_time_after_a_takeover() -> None:
    now_ms = 1_780_000_000_000
    race = short_race()
    row = {"status": "running", "started_ms": now_ms - 20_000, "published_tick": 20, "reserved_tick": 35}
    Race.objects.filter(pk=race.pk).update(**row)
    prepared = prepare(race, "", Clocks(lambda: 100.0, lambda: now_ms / 1000), None)
    assert prepared is not None
    held, past = prepared
    assert past is None
    assert (held.next_tick, held.due) == (21, 100.0)
    assert [wait[0] for wait in held.waits] == [36]
    assert held.event_ms(36) == now_ms + 15 * 200  # after the fifteen that may have gone out before
