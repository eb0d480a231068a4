"""The three commands as a laptop runs them: output, questions, exit codes; and killed for real, over a real Kafka."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError

from f1site.config import read_lab
from provisioning.config_file import BEGIN, END
from provisioning.standin import Exchange, Fault
from tests.fakes import standin_fixtures
from tests.fakes.laptop import NOTHING_STANDS
from tests.fakes.shell import Shell
from tests.fakes.standin_snapshot import snapshot

ROOT = Path(__file__).resolve().parents[3]


def test_plan_writes_nothing(shell: Shell) -> None:
    """The plan writes nothing and says what would be made."""
    code, said = shell.run("provision_confluent", "--plan", "--flink")
    assert code == 0
    assert " + create environment f1-leaderboard-env" in said
    assert "f1-leaderboard-env-average-speed-query" in said
    assert "left out: no AWS keys" in said
    assert {call.method for call in shell.standin.calls} == {"GET"}
    assert not shell.journal.exists()
    assert not shell.config.exists()


def test_plan_names_a_taken_name(shell: Shell) -> None:
    """The plan tells of a name that is taken."""
    standin_fixtures.add_account(shell.standin.state, "f1-leaderboard-env-lab")
    code, said = shell.run("provision_confluent", "--plan")
    assert (code, "Name taken: the service account" in said) == (1, True)
    standin_fixtures.add_environment(shell.standin.state, "f1-leaderboard-env")
    code, said = shell.run("provision_confluent", "--plan")
    assert (code, "Name taken: the environment" in said) == (1, True)


def test_plan_in_a_borrowed_environment(shell: Shell) -> None:
    """The plan for a borrowed environment tells of a cluster of that name."""
    lent = standin_fixtures.add_environment(shell.standin.state, "shared")
    standin_fixtures.add_cluster(shell.standin.state, lent.id, "f1-leaderboard-cluster")
    shell.manual_clock.advance(10)  # lists show what is new after a while
    shell.config.write_text(f"confluent:\n  environment_id: {lent.id}\n")
    django_settings.LAB = read_lab(shell.folder, {})
    code, said = shell.run("provision_confluent", "--plan")
    assert (code, "Name taken: the Kafka cluster" in said) == (1, True)


def test_plan_of_a_whole_lab_is_empty(shell: Shell) -> None:
    """The plan of a lab that stands has nothing to do."""
    shell.run("provision_confluent", "--flink")
    django_settings.LAB = read_lab(shell.folder, {})
    journal, calls = shell.journal.read_bytes(), len(shell.standin.calls)
    code, said = shell.run("provision_confluent", "--plan")
    assert (code, "Nothing to do" in said) == (0, True)
    assert {call.method for call in shell.standin.calls[calls:]} == {"GET"}
    assert shell.journal.read_bytes() == journal


def test_plan_names_what_is_dropped(shell: Shell) -> None:
    """The plan names what would be dropped."""
    shell.run("provision_confluent")
    _, said = shell.run("provision_confluent", "--plan", "--flink")
    assert " - drop   topic f1-driver-avg-speed (and made anew as a Flink table; you are asked first)" in said
    assert " = leave  environment f1-leaderboard-env" in said
    assert "no key that opens them" not in said
    shell.journal.unlink()
    assert "no key that opens them" in shell.run("provision_confluent", "--plan")[1]


def test_plan_sees_drift(shell: Shell) -> None:
    """The plan sees a topic that somebody deleted and a query that stopped."""
    shell.run("provision_confluent", "--flink")
    shell.manual_clock.advance(10)  # lists show what is new after a while
    state = shell.standin.state
    state.topics.remove(next(t for t in state.topics if t.name == "f1-race-control"))
    query = next(s for s in state.statements if s.name.endswith("average-speed-query"))
    sql = query.sql
    query.sql = "SELECT 1"
    _, said = shell.run("provision_confluent", "--flink", "--plan")
    assert f" ~ change running statement {query.name} (its SQL is another by now: it is started anew" in said
    query.sql, query.phase, query.stopped = sql, "STOPPED", True
    _, said = shell.run("provision_confluent", "--flink", "--plan")
    assert " + create topic f1-race-control" in said
    assert f" ~ change running statement {query.name} (is STOPPED: it is started again" in said
    assert "1 to create, 1 to change" in said
    _, said = shell.run("provision_confluent", "--flink")
    assert "1 of 1 made or resumed" in said
    assert query.phase == "RUNNING"


def test_closing_summary(shell: Shell) -> None:
    """Provision ends with what stands, what it costs and what comes next."""
    code, said = shell.run("provision_confluent", "--flink")
    assert code == 0
    assert "Stands: environment f1-leaderboard-env (env-" in said
    assert "about $0.21 an hour for 1 running Flink statement" in said
    assert "make run" in said
    assert "No AWS keys in the environment" in said
    code, said = shell.run("provision_confluent", "--flink")
    assert (code, "Nothing changed: everything stood already." in said) == (0, True)


def test_question_without_a_terminal(shell: Shell) -> None:
    """A question without a terminal is not answered by silence."""
    shell.run("provision_confluent")
    code, said = shell.run("provision_confluent", "--flink")
    assert code == 1
    assert "drops f1-driver-avg-speed" in said
    assert "with --yes" in said
    code, said = shell.run("provision_confluent", "--flink", "--yes")
    assert code == 0


def test_the_end_of_input_is_a_no(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def ctrl_d(prompt: str) -> str:
        raise EOFError

    shell.run("provision_confluent")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ctrl_d)
    code, said = shell.run("teardown_confluent")
    assert (code, "Nothing was deleted." in said) == (3, True)
    assert "Traceback" not in said


def test_teardown_lists_asks_and_audits(shell: Shell) -> None:
    """Teardown shows the list, asks and proves that nothing is left."""
    shell.run("provision_confluent", "--flink")
    code, said = shell.run("teardown_confluent")
    assert (code, "with --yes" in said) == (1, True)
    code, said = shell.run("teardown_confluent", "--yes")
    assert code == 0
    assert "Service account   f1-leaderboard-env-lab" in said
    assert "Nothing of this lab is left on Confluent Cloud" in said
    assert snapshot(shell.standin.state) == NOTHING_STANDS
    assert not shell.config.exists()
    shell.config.write_text(
        f"# mine\n{BEGIN}\nkafka: {{}}\n{END}\n"
    )  # somebody else's manual_clock took it down
    code, said = shell.run("teardown_confluent", "--yes")
    assert (code, "Nothing of this lab stands" in said) == (0, True)
    assert "config.yaml: our block taken out" in said
    assert shell.config.read_text() == "# mine\n"


def test_teardown_plan_touches_nothing(shell: Shell) -> None:
    """A teardown's plan touches nothing."""
    shell.run("provision_confluent", "--flink")
    files = {path: path.read_bytes() for path in shell.folder.rglob("*") if path.is_file()}
    for known in (True, False):
        calls = len(shell.standin.calls)
        if not known:
            shell.journal.unlink()
            del files[shell.journal]
        code, said = shell.run("teardown_confluent", "--plan")
        assert (code, "Nothing was touched" in said) == (0, True)
        assert "Environment       f1-leaderboard-env" in said
        assert {call.method for call in shell.standin.calls[calls:]} == {"GET"}
        assert {path: path.read_bytes() for path in shell.folder.rglob("*") if path.is_file()} == files


def test_yes_without_a_journal_needs_an_id(shell: Shell) -> None:
    """--yes needs the environment's id when there is no journal."""
    shell.run("provision_confluent")
    identity = next(iter(shell.standin.state.environments))
    shell.journal.unlink()
    before = snapshot(shell.standin.state)
    for first in ("teardown_confluent", "provision_confluent", "confluent_status"):
        shell.run(first)  # refused, or a look: none of them makes the ownership tag a journal
        code, said = shell.run("teardown_confluent", "--yes")
        assert code == 1
        assert f"--yes --environment {identity}" in said
        assert snapshot(shell.standin.state) == before
    code, said = shell.run("teardown_confluent", "--yes", "--environment", identity)
    assert code == 0
    assert snapshot(shell.standin.state) == NOTHING_STANDS


def test_leftovers_are_listed_with_code_1(shell: Shell) -> None:
    """What is left is listed with a code that is not zero."""
    shell.run("provision_confluent")
    standin_fixtures.add_topic(shell.standin.state, next(iter(shell.standin.state.clusters)), "orders")
    shell.manual_clock.advance(10)  # lists show what is new after a while
    code, said = shell.run("teardown_confluent", "--yes")
    assert code == 1
    assert "the Kafka cluster, because it holds what this lab did not make: the topic orders" in said


def test_status_shows_age_and_cost(shell: Shell) -> None:
    """Status shows what stands since when and its cost."""
    code, said = shell.run("confluent_status")
    assert (code, "Nothing of this lab stands" in said) == (0, True)
    shell.run("provision_confluent", "--flink")
    calls = len(shell.standin.calls)
    code, said = shell.run("confluent_status")
    assert code == 0
    assert "f1-leaderboard-env-average-speed-query: RUNNING" in said
    assert "(0 min)" in said
    assert "about $0.21 an hour; so far about $0.00" in said
    assert {call.method for call in shell.standin.calls[calls:]} == {"GET"}


def test_hours_sets_a_deadline(shell: Shell) -> None:
    """Hours sets a deadline, starts the guard and says what it cannot do."""
    code, said = shell.run("provision_confluent", "--flink", "--hours", "2")
    assert code == 0
    assert "a process on this machine stops the statements at" in said
    assert "cannot act while this machine is off or asleep" in said
    assert len(shell.guards) == 1
    _, said = shell.run("confluent_status")
    assert "Cost guard: stops the lab's statements at" in said
    assert len(shell.guards) == 2  # should it have died with the machine


def test_hours_without_a_statement(shell: Shell) -> None:
    """Hours without a statement has nothing to stop."""
    _, said = shell.run("provision_confluent", "--hours", "2")
    assert "nothing to stop" in said
    assert shell.guards == []


@pytest.mark.parametrize("hours", ["0", "-1", "soon", "9999"])
def test_senseless_hours_are_refused(shell: Shell, hours: str) -> None:
    with pytest.raises((CommandError, SystemExit)):
        call_command("provision_confluent", "--hours", hours)
    assert shell.standin.calls == []


@pytest.mark.parametrize("command", ["provision_confluent", "teardown_confluent", "confluent_status"])
def test_a_failure_is_words_and_code_one(shell: Shell, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFLUENT_CLOUD_API_SECRET", "cfltNotTheRightSecretAtAll12345")
    code, said = shell.run(command)
    assert code == 1
    assert "has to be a Cloud API key" in said
    assert "Request id:" in said
    assert "Traceback" not in said
    assert "cfltNotTheRight" not in said


def test_key_with_impossible_characters(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with characters that no key has is said so."""
    monkeypatch.setenv("CONFLUENT_CLOUD_API_KEY", "…")
    code, said = shell.run("provision_confluent")
    assert (code, "holds characters that no key has" in said) == (1, True)
    assert "Traceback" not in said


def test_key_pasted_with_spaces(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was pasted with spaces is that key."""
    monkeypatch.setenv("CONFLUENT_CLOUD_API_KEY", f" {shell.standin.key}\r\n")
    monkeypatch.setenv("CONFLUENT_CLOUD_API_SECRET", f"{shell.standin.secret} ")
    assert shell.run("provision_confluent", "--plan")[0] == 0


def test_unexpected_errors_hide_secrets(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is shown without secrets."""

    def surprise(*_: object) -> None:
        raise RuntimeError(f"with {shell.standin.secret} in it")

    monkeypatch.setattr("provisioning.management.commands.provision_confluent.run", surprise)
    code, said = shell.run("provision_confluent")
    assert code == 1
    assert "This should not happen" in said
    assert "RuntimeError: with [hidden] in it" in said


def test_ctrl_c_says_how_to_go_on(shell: Shell) -> None:
    def interrupt(exchange: Exchange) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    shell.standin.faults.add(Fault("hook_after", method="POST", path="clusters", hook=interrupt))
    code, said = shell.run("provision_confluent")
    assert code == 130
    assert "the same command goes on from there" in said
    assert "an hour" not in said
    code, _ = shell.run("provision_confluent")
    assert code == 0
    assert len([c for c in shell.standin.state.clusters.values() if c.deleted is None]) == 1


def test_teardown_list_tells_what_stays(shell: Shell) -> None:
    """The list before a teardown tells what would stay."""
    shell.run("provision_confluent")
    standin_fixtures.add_topic(shell.standin.state, next(iter(shell.standin.state.clusters)), "orders")
    shell.manual_clock.advance(10)  # lists show what is new after a while
    code, said = shell.run("teardown_confluent", "--plan")
    assert code == 0
    assert "(stays)           the Kafka cluster f1-leaderboard-cluster" in said
    assert said.count("it holds what this lab did not make: the topic orders") == 2
    assert "Flink pool        f1-leaderboard-flink-pool" in said


def test_broken_block_stops_no_teardown(shell: Shell) -> None:
    """A block without its end does not keep a lab running."""
    shell.run("provision_confluent", "--flink")
    shell.config.write_text(shell.config.read_text().replace(END, ""))
    code, said = shell.run("teardown_confluent", "--yes")
    assert (code, "first line of our block without its last" in said) == (1, True)
    assert snapshot(shell.standin.state) == NOTHING_STANDS


def test_status_counts_stopped_queries(shell: Shell) -> None:
    """Status counts what stopped queries have cost."""
    shell.run("provision_confluent", "--flink")
    query = next(s for s in shell.standin.state.statements if s.name.endswith("-query"))
    query.phase, query.stopped = "STOPPED", True
    query.created_at, query.updated_at = "2026-01-01T00:00:00Z", "2026-01-01T10:00:00Z"
    _, said = shell.run("confluent_status")
    assert "No statement runs; so far about $2.10 at one CFU each" in said
    assert (
        "The estimate counts the statements that stand, running or stopped; what was deleted is not in it."
        in said
    )
