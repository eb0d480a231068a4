"""The exercises for a SQL workspace on Confluent Cloud, one after another on the stand-in."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioning import flink
from provisioning.exercises import Exercise, exercises
from provisioning.session import Session
from tests.fakes.laptop import NOTHING_STANDS, Laptop, desired_state

NAMES = flink.names(desired_state())
ENDS = {"exercise-snapshot": "COMPLETED"}


def run(laptop: Laptop, session: Session, one: Exercise, sql: str = "") -> tuple[str, str]:
    """The phase in which the statement is a moment later, and the service's words."""
    statement = one.statement
    properties = {
        "sql.current-catalog": session.need("environment")["name"],
        "sql.current-database": session.need("cluster")["name"],
        **statement.properties,
    }
    spec: dict[str, Any] = {"statement": sql or statement.sql, "properties": properties, "stopped": False}
    path = f"{session.flink_path}/statements"
    session.api("flink").post(path, {"name": statement.name, "spec": spec})
    laptop.manual_clock.advance(5)
    status = session.api("flink").get(f"{path}/{statement.name}")["status"]
    session.api("flink").delete(f"{path}/{statement.name}")
    laptop.manual_clock.advance(5)
    return status["phase"], status["detail"]


def test_each_exercise_runs_in_its_turn(laptop: Laptop) -> None:
    """A query goes on until it is stopped, a snapshot ends by itself, and an agent is an object like a model."""
    session = laptop.provision()
    for one in exercises(NAMES):
        wanted = "COMPLETED" if one.statement.kind == "agent" else "RUNNING"
        assert run(laptop, session, one)[0] == ENDS.get(one.statement.name, wanted), one.statement.name
    assert [a.deleted is not None for a in laptop.standin.state.agents] == [True]


def test_agents_go_with_everything(laptop: Laptop) -> None:
    session = laptop.provision()
    (agent,) = (one for one in exercises(NAMES) if one.statement.sql.startswith("CREATE AGENT"))
    assert run(laptop, session, agent)[0] == "COMPLETED"
    assert laptop.teardown(everything=True) == []
    assert laptop.snapshot() == NOTHING_STANDS
    assert all(a.deleted is not None for a in laptop.standin.state.agents)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "SELECT `message` FROM `f1-race-control`, LATERAL TABLE(AI_RUN_AGENT('nobody', `message`, 'x'))",
            "nobody",
        ),
        ("CREATE AGENT `a` USING MODEL `none` USING PROMPT 'x' WITH ('max_iterations' = '1')", "none"),
        ("CREATE AGENT `a` USING PROMPT 'x'", "Expected USING MODEL"),
        (
            "SELECT ML_FORECAST(`speed`, $rowtime, JSON_OBJECT('updateInterval' VALUE 5)) OVER (ORDER BY $rowtime)"
            " AS `o` FROM `f1-driver-positions`",
            "Unknown option 'updateInterval'",
        ),
    ],
)
def test_wrong_exercise_fails_and_says_why(laptop: Laptop, sql: str, words: str) -> None:
    phase, said = run(laptop, laptop.provision(), exercises(NAMES)[0], sql)
    assert (phase, words in said) == ("FAILED", True), said


@pytest.mark.parametrize("one", exercises(NAMES), ids=lambda one: one.statement.name)
def test_state_has_its_date(one: Exercise) -> None:
    """What is new changes; a reader has to know of when the word is."""
    assert re.search(r"(Generally available|Open preview).* (January|February|July|November) 2026", one.state)
    assert one.ask.endswith("?") and one.see.endswith((".", "?"))
    assert "${" not in one.text and "-- name" not in one.text


def test_exercises_are_printed_when_asked() -> None:
    said = flink.printed(desired_state(), "exercises")
    assert "SET 'sql.snapshot.mode' = 'now';" in said
    assert "AI_RUN_AGENT" in said and "-- state: Open preview" in said
    assert "AI_RUN_AGENT" not in flink.printed(desired_state())
