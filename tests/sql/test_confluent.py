"""The workspace on Confluent Cloud's interface for statements."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from races.flink.confluent import LABEL, CloudFlink, Statements, load, refused
from races.flink.gateway import GatewayAway
from races.sql.confluent import Confluent
from races.sql.execution import FAILED, FINISHED, RUNNING, STOPPED, Limits, Statement
from races.sql.service import NOW, Start
from races.sql.statements import Piece
from races.sql.workspace import TooMany, Workspace
from tests.fakes.flink_cloud import FakeCloud, fake_cloud
from tests.fakes.waiting import wait_for

TOPICS = ("f1-driver-positions",)


@pytest.fixture(name="cloud")
def cloud_fixture() -> Iterator[FakeCloud]:
    with fake_cloud() as cloud:
        yield cloud


@pytest.fixture(name="workspace")
def workspace_fixture(cloud: FakeCloud) -> Iterator[Workspace]:
    made = Workspace(Confluent(cloud.where(), TOPICS, "abc"), time.monotonic, Limits())
    yield made
    made.close()


def run(workspace: Workspace, sql: str, *states: str) -> Statement:
    one = workspace.run("ann", Piece(sql, 0), Start(NOW))
    wait_for(lambda: one.state in states, f"{sql}: {states}")
    return one


def test_live_select(cloud: FakeCloud, workspace: Workspace) -> None:
    one = run(workspace, "SELECT n FROM t", RUNNING)
    wait_for(lambda: one.total >= 6, "two pages")
    assert one.after(0, 4)[1] == [["+I", "1"], ["-U", "1"], ["+U", "10"], ["+I", "2"]]
    assert [column.name for column in one.columns] == ["n"]
    ((name, made),) = cloud.statements.items()
    assert name.startswith("f1-sql-abc-")
    assert made["metadata"]["labels"] == {LABEL: "lab1"}
    assert made["spec"]["properties"] == {
        "sql.current-catalog": "f1-env",
        "sql.current-database": "f1-cluster",
        "sql.tables.scan.startup.mode": "latest-offset",
    }
    workspace.stop("ann", one.id)
    wait_for(lambda: not cloud.statements, "it is deleted there")
    assert one.state == STOPPED


def test_statement_that_completes(cloud: FakeCloud, workspace: Workspace) -> None:
    one = run(workspace, "SHOW TABLES", FINISHED)
    assert one.after(0, 9)[1] == [["+I", "1"]]
    wait_for(lambda: not cloud.statements, "it is deleted there")


def test_insert(cloud: FakeCloud, workspace: Workspace) -> None:
    one = run(workspace, "INSERT INTO mine SELECT 1", RUNNING)
    assert list(cloud.statements) == [one.job]
    workspace.stop("ann", one.id)
    wait_for(lambda: not cloud.statements, "it is deleted there")


def test_error_with_its_place(workspace: Workspace) -> None:
    one = run(workspace, "SELECT nope FROM t", FAILED)
    assert one.words == "Column 'nope' not found in any table"
    assert one.place == (7, 11)


def test_settings_go_with_each_statement(cloud: FakeCloud, workspace: Workspace) -> None:
    run(workspace, "SET 'sql.state-ttl' = '1 h'", FINISHED)
    run(workspace, "SELECT n FROM t", RUNNING)
    (made,) = cloud.statements.values()
    assert made["spec"]["properties"]["sql.state-ttl"] == "1 h"


def test_as_many_as_the_pool_takes(workspace: Workspace) -> None:
    for _ in range(2):
        run(workspace, "SELECT n FROM t", RUNNING)
    wait_for(lambda: workspace.service.about().free == 0, "the pool is full")
    with pytest.raises(TooMany, match="2 slots and none is free"):
        workspace.run("ann", Piece("SELECT n FROM t", 0), Start())


def test_about_says_what_it_costs(workspace: Workspace) -> None:
    about = workspace.service.about()
    assert about.title == "Confluent Cloud for Apache Flink"
    assert "$0.21 an hour" in about.cost
    assert (about.free, about.slots, about.trouble) == (2, 2, "")


def test_leftovers_are_ended(cloud: FakeCloud) -> None:
    """Those of this lab's workspace, not its continuous queries, and not another lab's."""
    statements, other = Statements(cloud.where()), Statements(cloud.where("lab2"))
    statements.create("f1-sql-abc-1", "SELECT 1", {})
    statements.create("f1-env-average-speed-query", "INSERT INTO a SELECT 1", {})
    other.create("f1-sql-abc-2", "SELECT 1", {})
    assert Confluent(cloud.where(), TOPICS, "abc").end_leftovers() == 1
    assert sorted(cloud.statements) == ["f1-env-average-speed-query", "f1-sql-abc-2"]


def test_key_that_is_refused(cloud: FakeCloud) -> None:
    where = CloudFlink(cloud.url, "KEY", "other", "org", "env-1", "lfcp-1", "sa", "c", "d", "lab")
    with pytest.raises(GatewayAway, match="refuses the lab's Flink API key"):
        Statements(where).get("x")
    assert "refuses" in Confluent(where, TOPICS, "abc").about().trouble


def test_service_away() -> None:
    where = CloudFlink("http://127.0.0.1:1", "K", "S", "o", "e", "p", "sa", "c", "d", "lab")
    assert "does not answer at http://127.0.0.1:1" in Confluent(where, TOPICS, "abc").about().trouble
    assert "'S'" not in repr(where)


@pytest.mark.parametrize(
    ("words", "said", "place"),
    [
        ('SQL parse failed. Encountered "x" at line 1, column 5.\nWas expecting', 'Encountered "x".', (1, 5)),
        (
            "SQL validation failed. Error from line 2, column 8 to line 2, column 9.\n\nCaused by: No table 't'",
            "No table 't'",
            (2, 8),
        ),
        ("The pool is exhausted", "The pool is exhausted", (0, 0)),
        ("", "Flink gave no reason.", (0, 0)),
    ],
)
def test_the_service_s_words(words: str, said: str, place: tuple[int, int]) -> None:
    found = refused(words)
    assert (str(found), (found.line, found.column)) == (said, place)


def test_access_is_kept_in_a_file(tmp_path: Path, cloud: FakeCloud) -> None:
    path = tmp_path / "flink.json"
    assert load(path) is None
    path.write_text(cloud.where().text())
    assert load(path) == cloud.where()
    path.write_text("[1]")
    assert load(path) is None
    path.write_text('{"endpoint": 1, "more": 2}')
    assert load(path) is None
