"""The printed SQL, a changed model, and the service's managed model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioning import flink
from provisioning.config import MANAGED
from provisioning.resources import flink_statements
from provisioning.session import Session
from provisioning.sql_variants import managed
from provisioning.standin import Answers
from races.flink.statements import Statement, statements
from tests.fakes.laptop import Laptop, desired_state, new_laptop


def test_printed_sql_follows_the_configuration() -> None:
    """Names, endpoint and comments are there, and no placeholder is left."""
    topics = {**desired_state().topics, "positions": "my-positions"}
    said = flink.printed(desired_state(topics=topics, bedrock_region="eu-west-1"))
    assert "FROM `my-positions`" in said and "f1-driver-positions" not in said
    assert "https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.anthropic" in said
    assert "SET 'sql.state-ttl' = '4 h';" in said
    assert "-- A sum" in said or said.count("\n--") > 40
    assert "${" not in said and "MODEL-ID" not in said
    assert "AI_COMPLETE" not in flink.printed(desired_state(), "average")


def test_model_fits_the_newest_ones() -> None:
    """They refuse a temperature, think within max_tokens, and one that retires answers nobody."""
    said = flink.printed(desired_state())
    assert "temperature'" not in said and "'bedrock.params.max_tokens' = '300'" in said
    assert "/model/us.anthropic.claude-sonnet-4-6/invoke" in said


def test_printed_managed_model_needs_no_connection() -> None:
    said = flink.printed(desired_state(flink_model=MANAGED), "commentary")
    assert "CREATE CONNECTION" not in said and "bedrock" not in said.lower()


def test_managed_model_keeps_the_instructions() -> None:
    """Only the provider's options are others."""
    (model,) = [s for s in statements() if s.kind == "model"]
    sql = managed(model).sql
    assert "'provider'                  = 'confluent'" in sql and "bedrock" not in sql
    assert "'confluent.params.max_tokens' = '300'" in sql
    assert "You are a Formula 1 television commentator" in sql
    assert "temperature" not in sql + model.sql


def test_managed_model_needs_no_aws_keys(laptop: Laptop) -> None:
    laptop.desired = desired_state(flink_model=MANAGED, aws=None)
    session = laptop.provision()
    assert session.commentary_by_flink
    assert laptop.standin.state.connections == []
    assert [m.options["provider"] for m in laptop.standin.state.models] == ["confluent"]
    assert laptop.teardown() == []


def test_changed_model_really_changes(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one is dropped with all its versions, and its query starts anew."""
    laptop.provision()
    wanted = flink_statements.desired

    def edited(session: Session, *kinds: str) -> list[Statement]:
        found = wanted(session, *kinds)
        return [replace(s, sql=s.sql.replace("'300'", "'400'")) for s in found]

    monkeypatch.setattr(flink_statements, "desired", edited)
    session = laptop.provision()
    alive = [m for m in laptop.standin.state.models if m.deleted is None]
    assert [m.options["bedrock.params.max_tokens"] for m in alive] == ["400"]
    assert any("commentary-query" in change for change in session.changes)


def test_changed_table_says_why_not(laptop: Laptop) -> None:
    """CREATE TABLE IF NOT EXISTS changes nothing, so the command does not say that it did."""
    laptop.provision()
    table = next(s for s in laptop.standin.state.statements if s.name.endswith("average-speed-table"))
    table.sql = table.sql.replace("1 BUCKETS", "2 BUCKETS")
    session = laptop.provision()
    assert session.changes == []
    assert any("a table changes only with its topic" in note for note in session.notes)


def orders(laptop: Laptop) -> list[bool]:
    """Whether p, d and q are fixed, of each detector's statement that stands."""
    standing = laptop.standin.state.alive(laptop.standin.state.statements)
    return ["'p' VALUE" in s.sql for s in standing if "INSERT INTO" in s.sql and "ML_DETECT" in s.sql]


def test_detector_goes_without_an_order(tmp_path: Path) -> None:
    """Where the service cannot fit a model of the fixed order, the query is started without it, and stays so."""
    with new_laptop(tmp_path, answers=Answers.parse("model_order=refused")) as laptop:
        session = laptop.provision()
        assert orders(laptop) == [False]
        assert any("goes on without p, d and q" in note for note in session.notes)
        laptop.manual_clock.advance(60)
        again = laptop.provision()
        assert (again.changes, again.notes, orders(laptop)) == ([], [], [False])
        assert laptop.teardown() == []


def test_detector_that_fails_in_a_race(laptop: Laptop) -> None:
    """It had run with its order; the next run starts it without, and every other option stays."""
    laptop.provision()
    assert orders(laptop) == [True]
    (query,) = (s for s in laptop.standin.state.statements if "ML_DETECT" in s.sql and "INSERT" in s.sql)
    query.phase, query.detail = "FAILED", "Model failed to process data"
    laptop.provision()
    assert orders(laptop) == [False]
    (again,) = (
        s for s in laptop.standin.state.alive(laptop.standin.state.statements) if s.name == query.name
    )
    left_out = set(query.sql.splitlines()) - set(again.sql.splitlines())
    assert {line.strip() for line in left_out} == {"'p' VALUE 1,", "'d' VALUE 0,", "'q' VALUE 0,"}
