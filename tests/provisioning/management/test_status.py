"""confluent_status before one goes home: what was made by hand, what failed, and the exit code."""

from __future__ import annotations

from provisioning.standin import Answers
from tests.fakes import standin_fixtures
from tests.fakes.shell import Shell


def test_statement_made_by_hand_is_shown_and_counted(shell: Shell) -> None:
    """It runs outside --hours, costs as any other, and holds the environment."""
    shell.run("provision_confluent", "--flink")
    state = shell.standin.state
    (pool,) = state.pools.values()
    standin_fixtures.add_statement(state, pool, "my-query")
    standin_fixtures.add_topic(state, next(iter(state.clusters)), "my-table")
    shell.manual_clock.advance(10)
    code, said = shell.run("confluent_status")
    assert code == 0
    assert "Not made by this command" in said
    assert "my-query: RUNNING" in said and "topic my-table" in said
    assert "Running statements: 2 (1 of them made by hand)" in said


def test_failed_statement_is_exit_code_1(shell: Shell) -> None:
    """The words say which, and what to do; every label stands apart from its name."""
    shell.run("provision_confluent", "--flink")
    query = next(s for s in shell.standin.state.statements if s.name.endswith("-query"))
    query.phase, query.detail = "FAILED", "Model failed to process data"
    code, said = shell.run("confluent_status")
    assert (code, f"1 statement FAILED: {query.name}" in said) == (1, True)
    assert f"Flink statement {query.name}: FAILED" in " ".join(said.split())


def test_warnings_of_the_service_are_shown(shell: Shell) -> None:
    """They are not yet trouble, so the exit code stays 0; what the service only mentions is left out."""
    shell.standin.state.answers = Answers.parse("warnings=some")
    shell.run("provision_confluent", "--flink")
    code, said = shell.run("confluent_status")
    assert (code, "The service warns: The statement keeps its state for long" in said) == (0, True)


def test_unreadable_service_is_exit_code_1(shell: Shell) -> None:
    """Somebody deleted the keys: what stands is not known, and that is said."""
    shell.run("provision_confluent")
    state = shell.standin.state
    for key in state.keys.values():
        if not key.foreign:
            state.delete(key)
    code, said = shell.run("confluent_status")
    assert (code, "Not looked into: Kafka" in said) == (1, True)
