"""The deployer against the small gateway. Against a real Flink: tests/integration/test_own_flink.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from races.flink.cluster import Cluster
from races.flink.deployer import Deployer, Source, stop_with_savepoint
from races.flink.dialect import queries
from races.flink.gateway import Gateway
from races.flink.resume import Memories
from races.flink.tables import Place
from races.streams.topics import DEFAULT_NAMES
from tests.fakes.flink_gateway import FakeGateway, fake_gateway

SOURCE = Source(
    DEFAULT_NAMES, Place("127.0.0.1:9092", "http://127.0.0.1:8000/registry"), "kafka-1", 7, 12_000
)
NAMES = ["f1-lab-anomalies-query", "f1-lab-average-speed-query"]


@pytest.fixture
def flink() -> Iterator[FakeGateway]:
    with fake_gateway() as found:
        yield found


@pytest.fixture
def memories(tmp_path: Path) -> Memories:
    return Memories(tmp_path / "statements.json")


def deployer(flink: FakeGateway, memories: Memories, source: Source = SOURCE) -> Deployer:
    wanted = queries(["average", "anomalies"], DEFAULT_NAMES, None, "lab")
    return Deployer(Gateway(flink.url), Cluster(flink.url), wanted, lambda: source, memories)


def alive(flink: FakeGateway) -> list[str]:
    return sorted(name for name, state in flink.jobs.values() if state == "RUNNING")


def inserts(flink: FakeGateway) -> list[dict[str, str]]:
    return [properties for sql, properties in flink.statements if sql.startswith("INSERT")]


def test_deploys_what_is_missing_once(flink: FakeGateway, memories: Memories) -> None:
    found = deployer(flink, memories)
    found.look()
    found.look()
    assert alive(flink) == NAMES
    assert found.trouble == ""
    assert not flink.sessions


def test_finds_again_what_another_process_deployed(flink: FakeGateway, memories: Memories) -> None:
    deployer(flink, memories).look()
    deployer(flink, memories).look()
    assert alive(flink) == NAMES


def test_starts_at_the_oldest_running_race(flink: FakeGateway, memories: Memories) -> None:
    deployer(flink, memories).look()
    tables = [sql for sql, _ in flink.statements if "f1-driver-positions" in sql and sql.startswith("CREATE")]
    assert all("'scan.startup.timestamp-millis' = '12000'" in sql for sql in tables)


def test_goes_on_from_the_newest_checkpoint(flink: FakeGateway, memories: Memories, tmp_path: Path) -> None:
    found = deployer(flink, memories)
    found.look()
    (job,) = [job for job, (name, _) in flink.jobs.items() if name == NAMES[1]]
    flink.checkpoints[job] = tmp_path.as_uri()
    found.look()
    flink.jobs.clear()  # as after kill -9
    found.look()
    points = {
        one["pipeline.name"]: one.get("execution.state-recovery.path", "") for one in inserts(flink)[2:]
    }
    assert points == {NAMES[0]: "", NAMES[1]: tmp_path.as_uri()}


def test_another_kafka_is_another_beginning(flink: FakeGateway, memories: Memories, tmp_path: Path) -> None:
    found = deployer(flink, memories)
    found.look()
    flink.checkpoints = {job: tmp_path.as_uri() for job in flink.jobs}
    found.look()
    flink.jobs.clear()
    another = Source(SOURCE.names, SOURCE.place, "kafka-2", 7, 12_000)
    deployer(flink, memories, another).look()
    assert not any("execution.state-recovery.path" in one for one in inserts(flink)[2:])


def test_a_point_that_fails_is_forgotten(flink: FakeGateway, memories: Memories, tmp_path: Path) -> None:
    found = deployer(flink, memories)
    found.look()
    flink.checkpoints = {job: tmp_path.as_uri() for job in flink.jobs}
    found.look()
    flink.jobs.clear()
    found.look()
    flink.checkpoints = {}
    for job in flink.jobs.values():
        job[1] = "FAILED"
    found.look()
    assert not any("execution.state-recovery.path" in one for one in inserts(flink)[4:])
    assert alive(flink) == NAMES


def test_what_a_person_stopped_stays_stopped(flink: FakeGateway, memories: Memories) -> None:
    found = deployer(flink, memories)
    memories.note_stopped(NAMES[0], True)
    found.look()
    assert alive(flink) == NAMES[1:]
    memories.note_stopped(NAMES[0], False)
    found.look()
    assert alive(flink) == NAMES


def test_refusal_is_said_and_tried_later(flink: FakeGateway, memories: Memories) -> None:
    names = DEFAULT_NAMES | {"positions": "nowhere"}
    wanted = queries(["average"], names, None, "lab")
    found = Deployer(Gateway(flink.url), Cluster(flink.url), wanted, lambda: SOURCE, memories)
    found.look()
    assert found.trouble == "f1-lab-average-speed-query: Object 'nowhere' not found"
    before = len(flink.statements)
    found.look()
    assert len(flink.statements) == before


def test_flink_away_is_one_line(memories: Memories) -> None:
    found = Deployer(
        Gateway("http://127.0.0.1:1"), Cluster("http://127.0.0.1:1"), [], lambda: SOURCE, memories
    )
    found.look()
    assert found.trouble == "Flink's job manager does not answer at http://127.0.0.1:1."


def test_kafka_away_is_one_line(flink: FakeGateway, memories: Memories) -> None:
    def away() -> Source:
        raise RuntimeError("Kafka does not answer")

    found = Deployer(
        Gateway(flink.url),
        Cluster(flink.url),
        queries(["average"], DEFAULT_NAMES, None, "lab"),
        away,
        memories,
    )
    found.look()
    assert found.trouble == "Kafka does not answer"
    assert not flink.jobs


def test_only_one_process_deploys(flink: FakeGateway, memories: Memories) -> None:
    found = deployer(flink, memories)
    found._may_deploy = lambda: False
    found.look()
    assert not flink.jobs


def test_stopped_with_savepoint(flink: FakeGateway, memories: Memories) -> None:
    deployer(flink, memories).look()
    for job in list(flink.jobs):
        assert stop_with_savepoint(Gateway(flink.url), job) == f"file:/savepoints/{job}"
    assert alive(flink) == []


def test_flink_without_the_functions_runs_plain_sql(flink: FakeGateway, memories: Memories) -> None:
    flink.refused = "CREATE TEMPORARY SYSTEM FUNCTION"
    found = deployer(flink, memories)
    found.look()
    assert found.trouble == ""
    assert alive(flink) == NAMES
    (sql,) = [sql for sql, _ in flink.statements if sql.startswith("INSERT INTO `f1-car-metrics-anomalies`")]
    assert "ML_DETECT_ANOMALIES" not in sql


def test_refused_point_is_not_tried_again(flink: FakeGateway, memories: Memories, tmp_path: Path) -> None:
    found = deployer(flink, memories)
    found.look()
    flink.checkpoints = {job: tmp_path.as_uri() for job in flink.jobs}
    found.look()
    flink.jobs.clear()
    flink.checkpoints = {}
    flink.refused = tmp_path.as_uri()
    found.look()
    assert alive(flink) == NAMES
    assert memories.points() == set()
    anomalies = [
        sql for sql, _ in flink.statements if sql.startswith("INSERT INTO `f1-car-metrics-anomalies`")
    ]
    assert all("ML_DETECT_ANOMALIES" in sql for sql in anomalies)
