from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from races.flink.cluster import Cluster
from races.flink.deployer import Deployer, Source
from races.flink.gateway import Gateway
from races.flink.settings import FlinkSettings
from races.flink.tables import Place
from races.lab.flink import memories, wanted_queries
from races.management.commands import flink_queries
from races.streams.config import StreamSettings
from races.streams.topics import DEFAULT_NAMES
from tests.fakes.flink_gateway import FakeGateway, fake_gateway

Said = Callable[..., str]


@pytest.fixture(name="fake")
def fake_fixture(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    with fake_gateway(savepoints=str(tmp_path)) as fake:
        kafka = StreamSettings(False, {"bootstrap.servers": "127.0.0.1:1"})
        flink = FlinkSettings(fake.url, fake.url)
        settings.VAR_DIR = tmp_path
        settings.LAB = replace(settings.LAB, kafka=kafka, flink=flink, engine="flink")
        monkeypatch.setattr(flink_queries, "cluster_id", lambda _: "kafka-1")
        yield fake


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("flink_queries", *arguments, stdout=out)
    return out.getvalue()


def deployer(fake: FakeGateway) -> Deployer:
    source = Source(DEFAULT_NAMES, Place("127.0.0.1:1", "http://127.0.0.1:1"), "kafka-1", 7, 12_000)
    return Deployer(Gateway(fake.url), Cluster(fake.url), wanted_queries(), lambda: source, memories())


def test_shows_each(fake: FakeGateway) -> None:
    deployer(fake).look()
    assert "average     9 records in, 7 out" in said()


def test_stops_and_starts_from_the_savepoint(fake: FakeGateway, tmp_path: Path) -> None:
    found = deployer(fake)
    found.look()
    (job,) = fake.jobs
    (tmp_path / job).mkdir()
    assert f"file:{tmp_path}/{job}" in said("--stop", "average")
    found.look()
    assert [state for _, state in fake.jobs.values()] == ["FINISHED"]
    said("--start", "average")
    found.look()
    assert [state for _, state in fake.jobs.values()] == ["FINISHED", "RUNNING"]
    assert fake.statements[-1][1]["execution.state-recovery.path"] == f"file:{tmp_path}/{job}"


def test_savepoint_that_fails_leaves_it_running(fake: FakeGateway) -> None:
    found = deployer(fake)
    found.look()
    fake.refused = "STOP JOB"
    with pytest.raises(CommandError, match="not taken"):
        said("--stop", "average")
    found.look()
    assert [state for _, state in fake.jobs.values()] == ["RUNNING"]
    assert not memories().of(wanted_queries()[0].name).stopped


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stop", "averages"), "no query 'averages'. There are: average"),
        (("--stop", "average"), "average does not run just now"),
    ],
)
def test_what_cannot_be_stopped(fake: FakeGateway, arguments: tuple[str, ...], words: str) -> None:
    assert not fake.jobs
    with pytest.raises(CommandError, match=words):
        said(*arguments)


def test_lab_without_a_flink_says_so() -> None:
    with pytest.raises(CommandError, match="make flink"):
        said()
