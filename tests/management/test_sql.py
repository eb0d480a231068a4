from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from races.lab import workspace
from races.sql.self_hosted import SelfHosted
from tests.fakes.flink_gateway import FakeGateway, fake_gateway
from tests.sql.conftest import Desk

pytestmark = pytest.mark.django_db
Said = Callable[..., str]


@pytest.fixture(name="fake")
def fake_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    with fake_gateway() as fake:

        def make_service(terminal: bool) -> SelfHosted:
            return Desk(fake).service()

        monkeypatch.setattr(workspace, "why_not", lambda: ())
        monkeypatch.setattr(workspace, "make_service", make_service)
        yield fake


@pytest.fixture(name="said")
def said_fixture(fake: FakeGateway) -> Said:
    def said(*arguments: str) -> str:
        out = io.StringIO()
        call_command("sql", *arguments, stdout=out, stderr=io.StringIO())
        return out.getvalue()

    return said


def test_bounded(said: Said) -> None:
    assert [line.split() for line in said("SELECT 1").splitlines()] == [["op", "EXPR$0"], ["+I", "1"]]


def test_count_ends_it_and_its_job(said: Said, fake: FakeGateway) -> None:
    assert len(said("SELECT * FROM ticker", "--count", "3").splitlines()) == 4
    assert [state for _, state in fake.jobs.values()] == ["CANCELED"]
    assert fake.sessions == {}


def test_json(said: Said) -> None:
    lines = said("SELECT * FROM ticker", "--count", "2", "--json").splitlines()
    assert [json.loads(line) for line in lines] == [{"op": "+I", "n": 1}, {"op": "+I", "n": 2}]


def test_words_and_plans(said: Said) -> None:
    text = said("CREATE VIEW v AS SELECT 1; SHOW TABLES; EXPLAIN SELECT n FROM v")
    assert "OK" in text
    assert "positions" in text
    assert "+- TableSourceScan" in text


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT\n  nope FROM x", r"Column 'nope' not found in any table\n  nope FROM x\n  \^\^\^\^$"),
        ("ADD JAR 'x'", "does not run ADD"),
        ("INSERT INTO positions SELECT 1", "written by the lab itself"),
        ("-- nothing", "no statement here"),
    ],
)
def test_errors(said: Said, sql: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        said(sql)


def test_nothing_runs_when_one_is_not_allowed(said: Said, fake: FakeGateway) -> None:
    with pytest.raises(CommandError):
        said("SELECT 1; ADD JAR 'x'")
    assert fake.statements == []


def test_failed_job(said: Said, fake: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = fake.submit

    def failing(session: str, sql: str, properties: dict[str, str]) -> str:
        operation = submit(session, sql, properties)
        for job, (_, state) in fake.jobs.items():
            if state == "RUNNING":
                fake.jobs[job][1] = "FAILED"
                fake.failures[job] = "java.lang.ArithmeticException: / by zero"
        return operation

    monkeypatch.setattr(fake, "submit", failing)
    with pytest.raises(CommandError, match=r"^/ by zero$"):
        said("INSERT INTO mine SELECT 1")


def test_no_race_to_read_from(said: Said) -> None:
    with pytest.raises(CommandError, match="No race has started yet"):
        said("SELECT 1", "--from", "race")


def test_embedded_kafka() -> None:
    with pytest.raises(CommandError, match="make flink"):
        call_command("sql", "SELECT 1")
