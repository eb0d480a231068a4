"""The cost guard ends only when nobody counts on it any more: a command at work was told that it watches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning import cost_guard
from provisioning.clock import Clock
from provisioning.errors import Refused
from provisioning.journal import only_one
from provisioning.resources import flink_statements
from provisioning.session import Session
from provisioning.standin import Fault
from provisioning.steps import Steps
from races.flink.statements import Statement
from tests.fakes.shell import Shell

Ours = Callable[[Session], list[dict[str, object]]]
START = datetime.now(UTC)


@pytest.fixture
def lab(shell: Shell) -> Shell:
    """Its queries were stopped, for the time was up."""
    shell.run("provision_confluent", "--flink", "--hours", "1")
    shell.overdue()
    phase(shell, "STOPPED")
    return shell


def phase(shell: Shell, name: str) -> None:
    for statement in shell.standin.state.statements:
        if statement.name.endswith("-query"):
            statement.phase, statement.stopped, statement.due = name, name == "STOPPED", 0.0


def watch(
    shell: Shell, nap: Callable[[int], None] = lambda count: None, leave: Callable[[], None] = lambda: None
) -> float:
    """Seconds until it ended. nap: what happens while it sleeps, by the number of the nap."""
    journal, organization, name = shell.guards[0]
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        shell.manual_clock.advance(seconds)
        nap(len(naps))

    cost_guard.watch(
        Path(journal), organization, name, sleep, lambda: START + timedelta(seconds=sum(naps)), leave
    )
    return sum(naps)


def at_the_last_look(monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    """Once, while the guard asks Flink, and gets an answer that is old by then."""
    found: Ours = flink_statements.ours
    happens = [then]

    def ours(session: Session) -> list[dict[str, object]]:
        answer = found(session)
        while happens:
            happens.pop()()
        return answer

    monkeypatch.setattr(flink_statements, "ours", ours)


def test_deadline_set_during_the_last_look(lab: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline set while the guard looks for the last time is kept."""

    def provisioned() -> None:
        lab.set_deadline((START + timedelta(hours=4)).isoformat())
        phase(lab, "RUNNING")

    at_the_last_look(monkeypatch, provisioned)
    assert 4 * 3600 <= watch(lab) < 4 * 3600 + 60
    assert not lab.running


def test_not_done_while_a_command_works(lab: Shell) -> None:
    """Nothing runs yet is not done while a command is at work."""
    with ExitStack() as command:
        command.enter_context(only_one(lab.journal))

        def nap(count: int) -> None:
            if count == 3:
                phase(lab, "RUNNING")
                command.close()

        watch(lab, nap)
    assert not lab.running


def test_queries_started_before_its_end(lab: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries started between its look and its end are stopped."""
    with ExitStack() as command:
        command.enter_context(only_one(lab.journal))

        def ended() -> None:
            phase(lab, "RUNNING")
            command.close()

        at_the_last_look(monkeypatch, ended)
        watch(lab)
    assert not lab.running


def test_query_not_listed_yet_is_stopped(lab: Shell) -> None:
    """A query that the list does not show yet is stopped."""
    for statement in lab.standin.state.statements:
        statement.created = lab.manual_clock()
    phase(lab, "RUNNING")
    watch(lab)
    assert not lab.running


def test_moved_deadline_spares_the_rest(lab: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has not stopped when the deadline moves runs on."""
    phase(lab, "RUNNING")
    until = (START + timedelta(hours=4)).isoformat()
    at_the_last_look(monkeypatch, lambda: lab.set_deadline(until))
    seen: list[bool] = []
    watch(lab, lambda count: seen.append(bool(lab.running)))
    assert all(seen[:-1])
    assert not lab.running


def test_no_giving_up_on_a_working_command(lab: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not give up on a command at work."""
    monkeypatch.setattr(cost_guard, "Clock", lambda: Clock(sleep=lambda seconds: None))
    monkeypatch.setattr(cost_guard, "GIVE_UP_AFTER", 2)
    lab.standin.faults.add(Fault("429_bare", path="statements", times=9999))
    phase(lab, "RUNNING")
    with ExitStack() as command:
        command.enter_context(only_one(lab.journal))

        def nap(count: int) -> None:
            if count == 4:
                lab.standin.faults.clear()
                command.close()

        watch(lab, nap)
    assert not lab.running


def test_lock_is_free_before_a_command(lab: Shell) -> None:
    """Else the new guard of that command would be refused by one that ends."""
    let_go: list[bool] = []

    def leave() -> None:
        with pytest.raises(Refused), only_one(lab.journal):
            pass
        let_go.append(True)

    watch(lab, leave=leave)
    assert let_go == [True]
    with only_one(lab.journal):
        pass


def test_process_frees_its_own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process lets go of its own lock."""
    journal = tmp_path / "journal.json"
    seen: list[str] = []

    def watched(*arguments: object) -> None:
        with pytest.raises(Refused), only_one(cost_guard.lock_of(journal, "real", "lab")):
            pass
        leave = arguments[-1]
        assert callable(leave)
        leave()
        with only_one(cost_guard.lock_of(journal, "real", "lab")):
            seen.append("free")

    monkeypatch.setattr(cost_guard, "watch", watched)
    cost_guard.main(journal, "real", "lab")
    assert seen == ["free"]


def test_deleted_folder_is_not_made_again(tmp_path: Path) -> None:
    """A folder that was deleted is not made again."""
    cost_guard.watch(tmp_path / "gone" / "journal.json", "real", "lab", pytest.fail, lambda: START)  # type: ignore[arg-type]
    assert not (tmp_path / "gone").exists()


def test_query_stopped_while_it_starts(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query stopped while it starts is told at once."""
    submit = flink_statements._submit

    def overtaken(session: Session, name: str, statement: Statement) -> Steps[None]:
        yield from submit(session, name, statement)
        if statement.kind == "query":
            flink_statements.stop(session, name)

    monkeypatch.setattr(flink_statements, "_submit", overtaken)
    before = shell.manual_clock()
    code, said = shell.run("provision_confluent", "--flink", "--hours", "0.01")
    assert (code, "the time of --hours is up. Running again resumes it" in said) == (1, True)
    assert shell.manual_clock() - before < 300
