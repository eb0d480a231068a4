"""Faults that a running lab on a Flink of its own survives: a stop with a savepoint, a killed broker, a lost task
manager.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.services.flink import RealFlink, lose_task_manager
from bench.services.kafka import RealKafka
from bench.services.registry_http import Served, serve
from bench.services.waiting import wait_for
from races.analytics.anomaly import AnomalyDetector
from races.flink.deployer import Deployer, stop_with_savepoint
from races.flink.dialect import queries
from races.flink.engine_status import EngineWatch
from races.flink.gateway import StatementRefused
from races.flink.local.supervisor import LabProcess, Supervisor
from races.flink.tables import Place, create_table
from races.streams.registry.service import Registry
from races.streams.topics import TOPICS
from tests.integration.flink_race import Keyed, RaceOnKafka, on_kafka, recorded_race
from tests.streams.contract import fresh_names

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
TICKS = 30


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


def test_late_readings_are_left_out(real_flink: RealFlink, real_kafka: RealKafka, registry: Served) -> None:
    """An idle partition holds no watermark back. What then comes on it behind the others' time is lost to the detector,
    and a car's next reading is judged as if it had not been.
    """
    race = race_on(real_kafka, registry)
    (query,) = queries(["anomalies"], race.settings.topics, None, fresh_names()["positions"])
    impatient = {**query.properties, "table.exec.source.idle-timeout": "1 ms"}
    wanted = replace(query, startup="earliest-offset", properties=impatient)
    readings = [record for record in race.records if record.role == "car_metrics"]
    *ahead, last = [record for record in readings if record.key == readings[0].key][:TICKS]
    newest = ahead[-1].value["timestamp"]
    behind = [one for one in readings if one.key != last.key and one.value["timestamp"] <= newest]
    deployer = real_flink.deployer([wanted], race.settings, race.codec, race.begin_ms - 1000)
    deployer.look()
    assert deployer.trouble == ""
    race.publish(tuple(ahead))
    race.read("car_metrics_anomalies", lambda found: len(found) >= len(ahead) - 1)
    race.publish(tuple(behind))
    job = job_of(real_flink, wanted.name)
    total = len(ahead) + len(behind)
    wait_for(lambda: real_flink.cluster.records(job).read >= total, "all of it is read", 60)
    race.publish((last,))
    others = {record.key for record in behind}
    written = race.read("car_metrics_anomalies", lambda found: len(found) >= len(ahead) + len(others))
    for other in others:
        assert [at for key, at in written if key == other] == [newest]
        assert written[other, newest][-1]["forecast_value"] is None
    detector = AnomalyDetector()
    for record in ahead:
        judged = detector.feed(str(record.key), record.value)
        assert judged is not None
        found = written[record.key, record.value["timestamp"]][-1]
        assert found["is_anomaly"] == judged["is_anomaly"]
        assert found["upper_bound"] == pytest.approx(judged["upper_bound"], abs=1e-9)
    real_flink.cluster.cancel(job)


@pytest.mark.parametrize(
    ("refused", "words"), [(False, "UnknownTopic|does not host this topic"), (True, "registry|503|schema")]
)
def test_reading_fails_in_one_line(
    real_flink: RealFlink, real_kafka: RealKafka, registry: Served, refused: bool, words: str
) -> None:
    """A topic that does not exist, and a registry that refuses."""
    race = race_on(real_kafka, registry)
    topic = race.settings.topics["positions"]
    name = topic if refused else f"{topic}-nowhere"
    race.publish(race.records[:100])
    registry.down = refused
    session = real_flink.gateway.open("fails")
    try:
        session.run(create_table(TOPICS["positions"], name, Place(real_kafka.bootstrap, registry.url)))
        with pytest.raises(StatementRefused) as error:
            session.run(f"SELECT * FROM `{name}`", {"restart-strategy.type": "none"})
        assert re.search(words, str(error.value), re.IGNORECASE), error.value
        assert "\n" not in str(error.value)
    finally:
        registry.down = False
        session.close()


@pytest.fixture
def own_flink(tmp_path: Path) -> Iterator[RealFlink]:
    """One that a test may break."""
    flink = RealFlink(tmp_path / "flink")
    flink.start()
    yield flink
    flink.stop()


def test_lost_task_manager_is_cured(own_flink: RealFlink, real_kafka: RealKafka, registry: Served) -> None:
    """The page says it, the supervisor starts Flink anew, and the statement runs again. That no average is missing then
    is shown where Flink is killed.
    """
    deployer, name = averages_deployed(own_flink, race_on(real_kafka, registry))
    lose_task_manager(own_flink.gateway, own_flink.cluster)
    watch = EngineWatch(own_flink.gateway, own_flink.cluster, [(name, "average")])
    assert watch.status().words == "flink has no task manager"
    said: list[str] = []
    kafka: Any = SimpleNamespace(process=SimpleNamespace(alive=True))
    Supervisor(kafka, own_flink.local, LabProcess([], {}), said.append).look()
    assert said == [
        "Flink has lost its task manager, which it never replaces; it is started anew",
        "Flink is back",
    ]

    def runs() -> bool:
        deployer.look()
        return own_flink.states().get(name) == "RUNNING"

    wait_for(runs, "the statement runs again", 60)
