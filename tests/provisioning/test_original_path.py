"""The original lab's own path: Part 4 and 6 by hand in a workspace on the default pool, stop, teardown."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.session import Session
from provisioning.standin import Answers
from tests.fakes import standin_fixtures
from tests.fakes.laptop import NOTHING_STANDS, Laptop, new_laptop
from tests.fakes.shell import Shell

CONNECTION = (
    "CREATE CONNECTION `bedrock-connection` WITH ('type'='bedrock','endpoint'='https://bedrock.example/invoke',"
    "'aws-access-key'='a','aws-secret-key'='b')"
)
MODEL = (
    "CREATE MODEL `my_model` INPUT (`t` STRING) OUTPUT (`c` STRING) WITH ('provider'='bedrock',"
    "'task'='text_generation','bedrock.connection'='bedrock-connection')"
)
TABLE = "CREATE TABLE `my-commentary` (`id` STRING, `message` STRING)"
INSERT = "INSERT INTO `my-commentary` SELECT `race_id`, `message` FROM `f1-race-control`"


def by_hand(session: Session, name: str, sql: str, pool: str = "") -> None:
    """As a workspace sends it: without a label, and without a pool where the default one is meant."""
    properties = {
        "sql.current-catalog": session.need("environment")["name"],
        "sql.current-database": session.need("cluster")["name"],
    }
    spec: dict[str, Any] = {"statement": sql, "properties": properties, "stopped": False}
    if pool:
        spec["compute_pool_id"] = pool
    session.api("flink").post(f"{session.flink_path}/statements", {"name": name, "spec": spec})


def part_4(laptop: Laptop) -> Session:
    """Everything of Part 4, and a SELECT for a first look; the statements run."""
    session = laptop.session()
    for number, sql in enumerate((CONNECTION, MODEL, TABLE, INSERT, "SELECT * FROM `f1-race-control`")):
        by_hand(session, f"workspace-{number}", sql)
        laptop.manual_clock.advance(5)
    return session


def stop_all(laptop: Laptop, session: Session) -> None:
    change = [{"op": "replace", "path": "/spec/stopped", "value": True}]
    for statement in laptop.standin.state.statements:
        if statement.phase == "RUNNING":
            path = f"{session.flink_path}/statements/{statement.name}"
            session.api("flink").patch(path, change, "application/json-patch+json")
    laptop.manual_clock.advance(10)


def test_everything_made_by_hand_goes(laptop: Laptop) -> None:
    """Statements stopped or not: with everything, nothing is left, and the audit says so."""
    laptop.provision()
    part_4(laptop)
    left = laptop.teardown()
    assert any("the topic my-commentary" in thing for thing in left)
    assert laptop.teardown(everything=True) == []
    assert laptop.snapshot() == NOTHING_STANDS


def test_stopped_statements_hold_nothing(laptop: Laptop) -> None:
    """A SELECT that was stopped needs no flag, and a default pool none either."""
    session = laptop.provision()
    by_hand(session, "first-look", "SELECT * FROM `f1-race-control`")
    laptop.manual_clock.advance(5)
    stop_all(laptop, session)
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS


@pytest.mark.parametrize("answer", ["default_pool=ignored", "default_pool=refused"])
def test_default_pool_goes_with_the_environment(tmp_path: Any, answer: str) -> None:
    """Where ours is not the default one, the workspace makes its own."""
    with new_laptop(tmp_path, answers=Answers.parse(answer)) as laptop:
        session = laptop.provision()
        by_hand(session, "first-look", "SELECT * FROM `f1-race-control`")
        laptop.manual_clock.advance(5)
        assert [p.name for p in laptop.standin.state.pools.values() if p.default] == ["default-pool"]
        stop_all(laptop, session)
        assert laptop.teardown() == []
        assert laptop.snapshot() == NOTHING_STANDS


def test_our_pool_is_the_default_one(laptop: Laptop) -> None:
    """A workspace that names no pool works in ours, under its limit; the cluster has its own."""
    session = laptop.provision()
    by_hand(session, "first-look", "SELECT * FROM `f1-race-control`")
    (pool,) = laptop.standin.state.pools.values()
    (cluster,) = laptop.standin.state.clusters.values()
    assert (pool.default, pool.max_cfu, cluster.max_ecku) == (True, 5, 1)


def test_a_statement_that_is_stopping_is_waited_for(laptop: Laptop) -> None:
    """Somebody stops it and starts the teardown at once."""
    session = laptop.provision()
    by_hand(session, "first-look", "SELECT * FROM `f1-race-control`")
    laptop.manual_clock.advance(5)
    change = [{"op": "replace", "path": "/spec/stopped", "value": True}]
    path = f"{session.flink_path}/statements/first-look"
    session.api("flink").patch(path, change, "application/json-patch+json")
    assert laptop.teardown() == []


def test_everything_is_asked_once_with_the_list(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list names what was made by hand; a no has exit code 3 and deletes nothing."""
    questions: list[str] = []

    def answer(prompt: str) -> str:
        questions.append(prompt)
        return "maybe" if len(questions) == 1 else "n"

    shell.run("provision_confluent")
    cluster = next(iter(shell.standin.state.clusters))
    standin_fixtures.add_topic(shell.standin.state, cluster, "orders")
    shell.manual_clock.advance(10)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    code, said = shell.run("teardown_confluent", "--everything")
    assert (code, len(questions)) == (3, 2)
    assert "maybe? Please answer y or n" in questions[1]
    assert "Not the lab's the topic orders" in " ".join(said.split())
    assert "with all that it still holds, such as models" in " ".join(said.split())
    assert "Nothing was deleted." in said
    (pool,) = shell.standin.state.pools.values()
    standin_fixtures.add_statement(shell.standin.state, pool, "my-query")
    shell.manual_clock.advance(10)
    code, said = shell.run("teardown_confluent", "--yes")
    assert (code, "teardown_confluent --everything" in said) == (1, True)
    assert "about $0.21 an hour for 1 running Flink statement" in said
    code, said = shell.run("confluent_status")
    assert "the environment f1-leaderboard-env, because it holds" in " ".join(said.split())
    assert "topic orders" in said
    code, said = shell.run("teardown_confluent", "--yes", "--everything")
    assert (code, "Nothing of this lab is left" in said) == (0, True)


def test_everything_is_refused_in_a_lent_environment(shell: Shell, settings: Any) -> None:
    """There only what the lab made may go."""
    home = standin_fixtures.add_environment(shell.standin.state, "shared")
    settings.LAB.confluent["environment_id"] = home.id
    shell.run("provision_confluent")
    code, said = shell.run("teardown_confluent", "--yes", "--everything")
    assert (code, "only for an environment that the lab made itself" in said) == (1, True)
