"""What a person reads: words that are true for what happened, signs of life, 80 columns, plurals, exit codes."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command, load_command_class

from f1site.config import read_lab
from provisioning.standin import Exchange, Fault
from tests.fakes import standin_fixtures
from tests.fakes.shell import Shell

BOOKING = "https://confluent.cloud/environments/env-" + "a" * 90


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Gives the answers of a person at a terminal, one after another; returns the questions that were asked."""

    def given(*answers: str) -> list[str]:
        rest, questions = list(answers), list[str]()

        def said(prompt: str) -> str:
            questions.append(prompt)
            return rest.pop(0)

        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("builtins.input", said)
        return questions

    return given


def lines(shell: Shell, *arguments: str) -> list[str]:
    """What the command prints, as it stands on the screen."""
    with contextlib.suppress(SystemExit):
        call_command(*arguments)
    out, err = shell.capsys.readouterr()
    return (out + err).splitlines()


def test_no_has_an_exit_code_of_its_own(shell: Shell, answer: Callable[..., list[str]]) -> None:
    """A script can tell a no (3) from a failure (1); what is neither yes nor no is asked again."""
    shell.run("provision_confluent")
    questions = answer("maybe", "n")
    code, said = shell.run("teardown_confluent")
    assert (code, "Nothing was deleted." in said) == (3, True)
    assert questions[1] == "maybe? Please answer y or n: "
    shell.standin.state.accounts.clear()
    shell.standin.faults.add(Fault("500", method="GET", path="environments", times=99))
    answer("y")
    assert shell.run("teardown_confluent")[0] == 1


@pytest.mark.parametrize("path", ["cmk/v2/clusters", "org/v2/environments"])
def test_interrupted_teardown_says_so(shell: Shell, path: str) -> None:
    """Nothing was made, so the words are about what was deleted; and status and the same command go on at once."""
    shell.run("provision_confluent")

    def interrupt(exchange: Exchange) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    shell.standin.faults.add(Fault("hook_after", method="DELETE", path=path, hook=interrupt))
    code, said = shell.run("teardown_confluent", "--yes")
    assert code == 130
    assert "What was deleted is gone; the same command goes on from there." in said
    assert "What was made" not in said
    assert "A teardown of this lab was interrupted" in shell.run("confluent_status")[1]
    assert shell.run("teardown_confluent", "--yes")[0] == 0


def test_interrupted_question_changed_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def ctrl_c(prompt: str) -> str:
        raise KeyboardInterrupt

    shell.run("provision_confluent")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ctrl_c)
    code, said = shell.run("teardown_confluent")
    assert (code, "Interrupted. Nothing was changed." in said) == (130, True)


def test_missing_secret_is_called_a_secret(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is there; only its secret is not."""
    monkeypatch.delenv("CONFLUENT_CLOUD_API_SECRET")
    code, said = shell.run("provision_confluent")
    assert (code, "There is no secret of the Cloud API key." in said) == (1, True)


def test_teardown_after_a_complete_one(shell: Shell) -> None:
    """Nothing of the name exists, so nothing is said to have been left alone."""
    shell.run("provision_confluent")
    assert shell.run("teardown_confluent", "--yes")[0] == 0
    code, said = shell.run("teardown_confluent", "--yes")
    assert code == 0
    assert "Nothing of this lab stands: neither the journal nor an ownership tag names" in said
    assert "left alone" not in said
    standin_fixtures.add_environment(shell.standin.state, "f1-leaderboard-env")
    _, said = shell.run("teardown_confluent", "--yes")
    assert "carries no ownership tag of this lab and was left alone" in said


def test_trouble_is_said_during_the_wait(shell: Shell) -> None:
    """The first call of a command meets it, before there is any progress to show."""
    shell.standin.faults.add(
        Fault("429", path="organizations"),
        Fault("503", path="organizations"),
        Fault("drop_before", path="org"),
    )
    _, said = shell.run("confluent_status")
    assert "127.0.0.1 asks to slow down, trying again (2 of 6)." in said
    assert "127.0.0.1 has trouble (503), trying again (3 of 6)." in said
    assert "127.0.0.1: no answer yet, trying again (4 of 6)." in said


@pytest.mark.parametrize(
    "asked", ["confluent_status", "teardown_confluent --plan", "provision_confluent --plan"]
)
def test_status_of_a_whole_lab(shell: Shell, asked: str) -> None:
    """It takes dozens of calls before there is anything to show."""
    shell.run("provision_confluent")
    _, said = shell.run(*asked.split())
    assert said.index("Looking at what stands.") < said.index("f1-leaderboard-cluster")


def test_slow_answer_gives_a_sign_of_life(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.client.SILENT_S", 0.05)
    shell.standin.faults.add(Fault("slow", path="organizations", delay_s=0.5))
    _, said = shell.run("confluent_status")
    assert "127.0.0.1 has not answered yet, still waiting." in said


@pytest.mark.parametrize("columns", ["80", "72"])
def test_everything_fits_the_terminal(shell: Shell, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """Lists and sentences are wrapped between words; only an address may be longer, alone on its line."""
    monkeypatch.setenv("COLUMNS", columns)
    shell.run("provision_confluent", "--flink", "--yes")
    standin_fixtures.add_topic(shell.standin.state, next(iter(shell.standin.state.clusters)), "orders")
    shell.manual_clock.advance(10)
    for arguments in (
        ("confluent_status",),
        ("teardown_confluent", "--plan"),
        ("provision_confluent", "--plan"),
        ("provision_confluent", "--embedded", "--yes"),
        ("provision_confluent", "--flink", "--yes"),
        ("teardown_confluent", "--yes"),
        ("teardown_confluent", "--yes", "--everything"),
    ):
        for line in lines(shell, *arguments):
            assert len(line) <= int(columns) or " " not in line.strip(), line


@pytest.mark.parametrize("command", ["provision_confluent", "confluent_status", "teardown_confluent"])
def test_help_fits_the_terminal(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its examples keep their lines, so they are no longer than a terminal's."""
    monkeypatch.setenv("COLUMNS", "80")
    load_command_class("provisioning", command).create_parser("manage.py", command).print_help()
    said = capsys.readouterr().out.splitlines()
    assert "examples:" in said
    assert [line for line in said if len(line) > 80] == []


def test_address_stands_whole_on_its_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.errors.ACCESS", BOOKING)
    shell.standin.state.bindings.clear()  # the owner of the key has no role any more
    said = lines(shell, "provision_confluent")
    assert any(line.endswith(BOOKING) for line in said)


def test_one_thing_is_no_things(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run("provision_confluent", "--flink", "--yes")
    (account,) = (a for a in shell.standin.state.accounts.values() if a.name.endswith("-lab"))
    account.description = account.description.replace(" pool=", " pool=x")
    _, said = shell.run("provision_confluent", "--flink")
    assert "1 thing made or changed." in said
    assert "analytics: Flink, 1 query." in said


def test_bedrock_row_has_its_space(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "something")
    shell.run("provision_confluent", "--flink")
    said = lines(shell, "confluent_status")
    labels = [line[:22] for line in said if line.startswith(" ") and line[1:2].strip()]
    assert all(label.endswith(" ") for label in labels), labels


def test_kept_environment_costs_no_new_account(shell: Shell) -> None:
    """A foreign cluster keeps it anyway, so nothing is made only to look inside, however often it runs."""
    shell.run("provision_confluent")
    state = shell.standin.state
    environment = next(iter(state.environments))
    standin_fixtures.add_cluster(state, environment, "orders")
    shell.manual_clock.advance(10)
    code, said = shell.run("teardown_confluent", "--yes")
    assert (code, "the Kafka cluster orders" in said) == (1, True)
    for account in [a for a in state.accounts.values() if a.name.endswith("-lab")]:
        state.delete(account)
    shell.manual_clock.advance(20)
    before, began = len(shell.standin.calls), shell.manual_clock()
    code, said = shell.run("teardown_confluent", "--yes")
    made = [c for c in shell.standin.calls[before:] if c.method == "POST"]
    assert (code, made) == (1, [])
    assert shell.manual_clock() - began < 30
    assert "teardown_confluent --everything" in said


def test_status_after_a_partial_teardown(shell: Shell) -> None:
    """The account and its keys stay, so that one sees what is left; the journal says what that was."""
    shell.run("provision_confluent")
    standin_fixtures.add_topic(shell.standin.state, next(iter(shell.standin.state.clusters)), "orders")
    shell.manual_clock.advance(10)
    assert shell.run("teardown_confluent", "--yes")[0] == 1
    code, said = shell.run("confluent_status")
    assert "The last teardown had to leave:" in said
    assert "topic orders" in said
    assert "not known" not in said and "cost unknown" not in said
    assert code == 0


def test_taken_name_offers_ones_own(shell: Shell, settings: Any) -> None:
    """In a class the name is a neighbour's; following the advice works, and nobody is told to delete it."""
    standin_fixtures.add_environment(shell.standin.state, "f1-leaderboard-env")
    code, said = shell.run("provision_confluent")
    assert (code, "It may be a colleague's: leave it" in said) == (1, True)
    assert "or delete it" not in said
    found = re.search(r"environment_name: (f1-\S+)", said)
    assert found and found[1] == f"f1-{re.sub(r'[^a-z0-9]+', '-', getpass.getuser().lower()).strip('-')}"
    shell.config.write_text(f"confluent:\n  environment_name: {found[1]}\n")
    settings.LAB = read_lab(shell.folder, {})
    assert shell.run("provision_confluent")[0] == 0


@pytest.mark.parametrize("asked", [(), ("--plan",)])
def test_advice_on_a_taken_name_leads_out(shell: Shell, settings: Any, asked: tuple[str, ...]) -> None:
    """It has no ownership tag, so --environment cannot take it over; confluent.environment_id builds inside it."""
    identity = standin_fixtures.add_environment(shell.standin.state, "f1-leaderboard-env").id
    code, said = shell.run("provision_confluent", *asked)
    assert (code, f"confluent.environment_id: {identity}" in said) == (1, True)
    assert "--environment" not in said
    code, said = shell.run("provision_confluent", "--environment", identity, *asked)
    assert (code, "has that name, but no ownership tag" in said) == (1, True)
    assert f"confluent.environment_id: {identity}" in said
    shell.config.write_text(f"confluent:\n  environment_id: {identity}\n")
    settings.LAB = read_lab(shell.folder, {})
    assert shell.run("provision_confluent", *asked)[0] == 0


def test_degraded_between_races_is_normal(shell: Shell) -> None:
    """The service stops seeing records between races; it is no trouble, and the words say so."""
    shell.run("provision_confluent", "--flink")
    query = next(s for s in shell.standin.state.statements if s.name.endswith("-query"))
    query.phase = "DEGRADED"
    code, said = shell.run("confluent_status")
    assert (code, f"{query.name}: DEGRADED: normal while no race runs" in said) == (0, True)
    code, said = shell.run("provision_confluent", "--flink")
    assert (code, "That is normal while no race runs" in said) == (0, True)
    assert query.deleted is None and query.phase == "DEGRADED"
