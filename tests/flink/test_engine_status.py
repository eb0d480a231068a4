from __future__ import annotations

from collections.abc import Iterator

import pytest

from races.flink.cluster import Cluster
from races.flink.dialect import job_names, wanted_groups
from races.flink.engine_status import EngineStatus, EngineWatch
from races.flink.gateway import Gateway
from races.live.rendering.panels import engine_cell
from tests.fakes.flink_gateway import FakeGateway, fake_gateway

WANTED = job_names(wanted_groups(anomalies=True, commentary=False), "lab")


@pytest.fixture
def flink() -> Iterator[FakeGateway]:
    with fake_gateway() as found:
        for number, (name, _) in enumerate(WANTED):
            found.jobs[f"{number:032x}"] = [name, "RUNNING"]
        yield found


def look(flink: FakeGateway) -> EngineStatus:
    return EngineWatch(Gateway(flink.url), Cluster(flink.url), WANTED).status()


def test_all_run(flink: FakeGateway) -> None:
    found = look(flink)
    assert (found.ok, found.words) == (True, "flink, 2 running")
    assert [one.name for one in found.statements] == ["average", "anomalies"]
    assert found.statements[0].words == "9 records in, 7 out, no checkpoint yet"
    assert found.statements[0].url == f"{flink.url}/#/job/running/{0:032x}/overview"


def test_failed_model_calls_are_counted(flink: FakeGateway) -> None:
    """A call on its way has no answer yet, so that a first look counts none."""
    flink.chained[f"{0:032x}"] = {
        "numRecordsIn": 53,
        "numRecordsOut": 7,
        "MLPredictTableFunction[3].numRecordsIn": 15,
        "MLPredictTableFunction[3].numRecordsOut": 7,
        "Calc[2].numRecordsIn": 53,
    }
    now = [0.0]
    watch = EngineWatch(Gateway(flink.url), Cluster(flink.url), WANTED, lambda: now[0])
    assert watch.status().statements[0].words == "53 records in, 7 out, no checkpoint yet"
    now[0] = 2.0
    flink.chained[f"{0:032x}"]["MLPredictTableFunction[3].numRecordsIn"] = 17
    found = watch.status().statements[0]
    assert found.ok
    assert found.words == "53 records in, 7 out, 8 model calls failed, no checkpoint yet"


def test_stopped_by_a_person_is_said(flink: FakeGateway) -> None:
    flink.jobs[f"{1:032x}"][1] = "FINISHED"
    found = look(flink)
    assert (found.ok, found.words) == (False, "flink, 1 of 2 running")
    assert found.statements[1].words == "stopped with a savepoint"


def test_restarting_says_why(flink: FakeGateway) -> None:
    flink.jobs[f"{1:032x}"][1] = "RESTARTING"
    flink.failures[f"{1:032x}"] = "java.lang.ArithmeticException: / by zero"
    found = look(flink)
    assert (found.ok, found.words) == (False, "flink, 1 of 2 running")
    assert found.statements[1].words == "restarting: / by zero"
    assert "anomalies restarting: / by zero" in engine_cell(found)


def test_not_deployed(flink: FakeGateway) -> None:
    flink.jobs.clear()
    assert [one.words for one in look(flink).statements] == ["is not deployed"] * 2


def test_no_task_manager(flink: FakeGateway) -> None:
    flink.task_managers = 0
    assert look(flink).words == "flink has no task manager"


def test_away() -> None:
    watch = EngineWatch(Gateway("http://127.0.0.1:1"), Cluster("http://127.0.0.1:1"), WANTED)
    found = watch.status()
    assert not found.ok
    assert found.words == "flink: Flink's job manager does not answer at http://127.0.0.1:1."


def test_asks_at_most_every_two_seconds(flink: FakeGateway) -> None:
    now = [0.0]
    watch = EngineWatch(Gateway(flink.url), Cluster(flink.url), WANTED, clock=lambda: now[0])
    assert watch.status().ok
    flink.jobs.clear()
    assert watch.status().ok
    now[0] = 2.0
    assert not watch.status().ok


def test_cell_escapes_flinks_words(flink: FakeGateway) -> None:
    flink.jobs[f"{1:032x}"][1] = "RESTARTING"
    flink.failures[f"{1:032x}"] = "java.lang.X: <script>alert(1)</script>"
    assert "<script>" not in engine_cell(look(flink))
