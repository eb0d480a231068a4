"""The cost guard: stops what costs when the time is up, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provisioning import cost_guard
from provisioning.clock import Clock
from provisioning.errors import ProvisioningError
from provisioning.standin import Fault
from tests.fakes.shell import Shell
from tests.fakes.standin_snapshot import snapshot
from tests.fakes.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
REALLY_START = cost_guard.start


def test_guard_stops_queries_and_no_more(shell: Shell) -> None:
    """The guard stops the queries when the time is up and nothing else."""
    shell.run("provision_confluent", "--flink", "--hours", "1")
    (journal, organization, name) = shell.guards[0]
    before = snapshot(shell.standin.state)
    start = datetime.now(UTC)
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        shell.manual_clock.advance(seconds)

    cost_guard.watch(Path(journal), organization, name, sleep, lambda: start + timedelta(seconds=sum(naps)))
    assert 3500 < sum(naps) < 3700
    after = snapshot(shell.standin.state)
    phases = [phase for _, phase, _ in after["environments"]["f1-leaderboard-env"]["statements"]]
    assert "RUNNING" not in phases
    assert "STOPPED" in phases
    assert (
        after["environments"]["f1-leaderboard-env"]["clusters"]
        == before["environments"]["f1-leaderboard-env"]["clusters"]
    )


def test_guard_ends_with_the_lab(shell: Shell) -> None:
    """The guard ends when the lab was torn down."""
    shell.run("provision_confluent", "--flink", "--hours", "1")
    shell.run("teardown_confluent", "--yes")
    (journal, organization, name) = shell.guards[0]
    never: Any = pytest.fail
    cost_guard.watch(Path(journal), organization, name, never, lambda: never("asked for the time"))


def test_running_again_drops_the_deadline(shell: Shell) -> None:
    """Running again after the time was up resumes without the old deadline."""
    shell.run("provision_confluent", "--flink", "--hours", "1")
    shell.overdue()
    for statement in shell.standin.state.statements:
        if statement.phase == "RUNNING":
            statement.phase, statement.stopped = "STOPPED", True
    code, _ = shell.run("provision_confluent", "--flink")
    assert code == 0
    assert "until" not in shell.journal.read_text()
    assert len(shell.guards) == 1
    assert len([s for s in shell.standin.state.statements if s.phase == "RUNNING"]) == 1


def test_network_trouble_is_waited_out(shell: Shell) -> None:
    """Trouble with the network is waited out."""
    shell.run("provision_confluent", "--flink", "--hours", "1")
    shell.overdue()
    shell.standin.faults.add(
        Fault("429_bare", path="statements", times=1), Fault("429", path="statements", times=1)
    )
    (journal, organization, name) = shell.guards[0]
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        shell.manual_clock.advance(seconds)

    cost_guard.watch(Path(journal), organization, name, sleep, lambda: datetime.now(UTC))
    assert not [s for s in shell.standin.state.statements if s.phase == "RUNNING"]
    assert naps


def test_guard_process_has_no_secret(shell: Shell) -> None:
    """The guard's process needs no cloud key and writes no secret."""
    shell.run("provision_confluent", "--flink", "--hours", "1")
    shell.overdue()
    arguments = [sys.executable, "-m", "provisioning.cost_guard", *shell.guards[0]]
    log = shell.folder / "guard.log"

    def ended() -> bool:
        shell.manual_clock.advance(1)  # a stopping statement takes a second of the stand-in's clock
        return process.poll() is not None

    with log.open("w") as output:
        process = subprocess.Popen(arguments, cwd=ROOT, env={"PATH": ""}, stdout=output, stderr=output)
        wait_for(ended, "the guard ends", 60)
    said = log.read_text()
    assert process.returncode == 0, said
    assert "the time is up: stopped f1-leaderboard-env-average-speed-query" in said
    assert not [key.secret for key in shell.standin.state.keys.values() if key.secret in said]
    assert not [s for s in shell.standin.state.statements if s.phase == "RUNNING"]


def test_one_guard_for_each_entry(tmp_path: Path) -> None:
    """A rehearsal's guard must not keep the real one from its work, nor a name that looks alike as a file."""
    journal = tmp_path / "journal.json"
    entries = [("rehearsal", "Group A"), ("real", "Group A"), ("real", "group-a")]
    assert len({cost_guard.lock_of(journal, *entry) for entry in entries}) == 3


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own waits are no part of the guard's naps."""
    monkeypatch.setattr(cost_guard, "Clock", lambda: Clock(sleep=lambda seconds: None))


def test_guard_gives_up_after_a_day(shell: Shell, hurried: None, caplog: pytest.LogCaptureFixture) -> None:
    """A guard with nothing to ask gives up after a day and says why."""
    shell.run("provision_confluent", "--flink", "--hours", "1")
    shell.overdue()
    shell.standin.faults.add(Fault("429_bare", path="statements", times=9999))
    (journal, organization, name) = shell.guards[0]
    naps: list[float] = []
    cost_guard.watch(Path(journal), organization, name, naps.append, lambda: datetime.now(UTC))
    assert 20 * 3600 < sum(naps) < 28 * 3600
    assert "asks to slow down" in caplog.messages[0]
    assert caplog.messages[-1].startswith("given up")
    shell.standin.faults.clear()
    assert "the guard was not at work, or Flink refuses it" in shell.run("confluent_status")[1]


def test_refusing_flink_is_not_done(shell: Shell, hurried: None) -> None:
    """A Flink that refuses for good is not taken for done."""
    shell.run("provision_confluent", "--flink", "--hours", "1")
    shell.overdue()
    state, naps = shell.standin.state, list[float]()
    roles = [b for b in state.bindings.values() if b.role == "EnvironmentAdmin"]
    for role in roles:
        del state.bindings[role.id]

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        shell.manual_clock.advance(seconds)
        state.bindings.update({role.id: role for role in roles if len(naps) > 1})

    (journal, organization, name) = shell.guards[0]
    cost_guard.watch(Path(journal), organization, name, sleep, lambda: datetime.now(UTC))
    assert not [s for s in state.statements if s.phase == "RUNNING"]


def test_guard_watches_before_the_first_query(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard watches before the first query and no query starts on a Kafka that failed."""
    check = "provisioning.management.commands.provision_confluent.produce_and_read_back"

    def fails(session: object) -> str:
        raise ProvisioningError("Kafka did not take a record.")

    with monkeypatch.context() as broken:
        broken.setattr(check, fails)
        code, said = shell.run("provision_confluent", "--flink", "--hours", "1")
    queries = [s for s in shell.standin.state.statements if s.name.endswith("-query")]
    assert (code, shell.guards, queries) == (1, [], [])
    assert "an hour" not in said

    def trouble(*arguments: object) -> bool:
        shell.standin.faults.add(Fault("503", method="POST", path="statements", times=9))
        return shell.start_guard(*arguments)

    monkeypatch.setattr(cost_guard, "start", trouble)
    code, said = shell.run("provision_confluent", "--flink", "--hours", "1")
    assert (code, len(shell.guards)) == (1, 1)
    assert "may be running, at about $0.21 an hour: f1-leaderboard-env-average-speed-query" in said
    assert "until" in shell.journal.read_text()


def test_no_query_without_its_guard(shell: Shell) -> None:
    """No query starts without its guard."""
    shell.guard_starts = False
    code, said = shell.run("provision_confluent", "--flink", "--hours", "1")
    assert (code, "did not start, so no query was started" in said) == (1, True)
    assert not [s for s in shell.standin.state.statements if s.name.endswith("-query")]
    shell.guard_starts = True
    assert shell.run("provision_confluent", "--flink", "--hours", "1")[0] == 0
    shell.guard_starts = False
    assert "It did not start" in shell.run("confluent_status")[1]


def test_start_tells_whether_it_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting it tells whether it watches."""
    journal = tmp_path / "journal.json"
    journal.write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert REALLY_START(Path("journal.json"), "real", "lab")
    journal.write_text("half a jour")
    assert not REALLY_START(journal, "real", "another")  # the first may not have ended yet
    assert "cannot be read" in (tmp_path / cost_guard.LOG).read_text()
