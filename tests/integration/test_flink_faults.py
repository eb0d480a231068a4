"""Faults that a running lab on a Flink of its own survives: a stop with a savepoint, a killed broker, a lost task
manager.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.services.flink import RealFlink
from bench.services.kafka import RealKafka
from bench.services.registry_http import Served, serve
from bench.services.waiting import wait_for
from races.flink.deployer import Deployer, stop_with_savepoint
from races.flink.dialect import queries
from races.streams.registry.service import Registry
from tests.integration.flink_race import Keyed, RaceOnKafka, on_kafka, recorded_race
from tests.streams.contract import fresh_names

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def registry() -> Iterator[Served]:
    with serve(Registry()) as served:
        yield served


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[RealKafka]:
    """One that a test may kill."""
    kafka = RealKafka(tmp_path / "kafka")
    (tmp_path / "kafka").mkdir()
    kafka.start()
    yield kafka
    kafka.stop()


def race_on(kafka: RealKafka, registry: Served) -> RaceOnKafka:
    return on_kafka(kafka.settings(registry.url), fresh_names(), registry.registry, recorded_race(laps=6))


def averages_deployed(flink: RealFlink, race: RaceOnKafka) -> tuple[Deployer, str]:
    """The deployer and its query's name, which runs."""
    (wanted,) = queries(["average"], race.settings.topics, None, fresh_names()["positions"])
    deployer = flink.deployer([wanted], race.settings, race.codec, race.begin_ms - 1000)
    deployer.look()
    wait_for(lambda: flink.states().get(wanted.name) == "RUNNING", "the statement runs", 60)
    return deployer, wanted.name


def job_of(flink: RealFlink, name: str) -> str:
    return next(job.id for job in flink.cluster.jobs() if job.name == name and not job.ended)


def half_written(race: RaceOnKafka) -> int:
    """Publishes half of the race and waits until its averages are there."""
    middle = len(race.records) // 2
    race.publish(race.records[:middle])
    half = sum(record.role == "positions" for record in race.records[:middle])
    race.read("avg_speed", lambda found: len(found) >= half)
    return middle


def all_written(race: RaceOnKafka) -> Keyed:
    expected = sum(map(len, race.averages().values()))
    return race.read("avg_speed", lambda found: len(found) >= expected)


def test_savepoint_loses_and_repeats_nothing(
    real_flink: RealFlink, real_kafka: RealKafka, registry: Served
) -> None:
    race = race_on(real_kafka, registry)
    deployer, name = averages_deployed(real_flink, race)
    middle = half_written(race)
    memories = real_flink.memories
    deployer.look()
    memories.note_stopped(name, True)
    point = stop_with_savepoint(real_flink.gateway, job_of(real_flink, name))
    memories.note_point(name, point, deployer._of[name])
    race.publish(race.records[middle:])
    deployer.look()
    assert real_flink.states()[name] == "FINISHED"
    memories.note_stopped(name, False)
    deployer.look()
    assert all_written(race) == race.averages()


def test_killed_broker_loses_nothing(real_flink: RealFlink, own_kafka: RealKafka, registry: Served) -> None:
    """Nobody restarts the statement, and no record comes twice."""
    race = race_on(own_kafka, registry)
    _, name = averages_deployed(real_flink, race)
    middle = half_written(race)
    job = job_of(real_flink, name)
    own_kafka.kill()
    own_kafka.start()
    race.publish(race.records[middle:])
    assert all_written(race) == race.averages()
    assert (job_of(real_flink, name), real_flink.states()[name]) == (job, "RUNNING")
    real_flink.cluster.cancel(job)
