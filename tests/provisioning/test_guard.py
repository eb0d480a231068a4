"""The cost guard: stops what costs when the time is up, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning import guard
from provisioning.standin import Fault, picture
from tests.conftest import wait_for
from tests.provisioning.desk import Desk

ROOT = Path(__file__).resolve().parents[2]


def overdue(desk: Desk) -> None:
    """The deadline moves into the past."""
    entries = json.loads(desk.journal.read_text())
    for entry in entries.values():
        entry["until"] = "2020-01-01T00:00:00+00:00"
    desk.journal.write_text(json.dumps(entries))


def test_the_guard_stops_the_queries_when_the_time_is_up_and_nothing_else(desk: Desk) -> None:
    desk.run("provision_confluent", "--flink", "--hours", "1")
    (journal, organization, name) = desk.guards[0]
    before = picture(desk.standin.state)
    start = datetime.now(UTC)
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        desk.hands.turn(seconds)

    guard.watch(Path(journal), organization, name, sleep, lambda: start + timedelta(seconds=sum(naps)))
    assert 3500 < sum(naps) < 3700
    after = picture(desk.standin.state)
    phases = [phase for _, phase, _ in after["environments"]["f1-leaderboard-env"]["statements"]]
    assert "RUNNING" not in phases
    assert "STOPPED" in phases
    assert (
        after["environments"]["f1-leaderboard-env"]["clusters"]
        == before["environments"]["f1-leaderboard-env"]["clusters"]
    )


def test_the_guard_ends_when_the_lab_was_torn_down(desk: Desk) -> None:
    desk.run("provision_confluent", "--flink", "--hours", "1")
    desk.run("teardown_confluent", "--yes")
    (journal, organization, name) = desk.guards[0]
    guard.watch(Path(journal), organization, name, pytest.fail, lambda: pytest.fail("asked for the time"))  # type: ignore[arg-type]


def test_running_again_after_the_time_was_up_resumes_without_the_old_deadline(desk: Desk) -> None:
    desk.run("provision_confluent", "--flink", "--hours", "1")
    overdue(desk)
    for statement in desk.standin.state.statements:
        if statement.phase == "RUNNING":
            statement.phase, statement.stopped = "STOPPED", True
    code, _ = desk.run("provision_confluent", "--flink")
    assert code == 0
    assert "until" not in desk.journal.read_text()
    assert len(desk.guards) == 1


def test_trouble_with_the_network_is_waited_out(desk: Desk) -> None:
    desk.run("provision_confluent", "--flink", "--hours", "1")
    overdue(desk)
    desk.standin.faults.add(
        Fault("429_bare", path="statements", times=1), Fault("429", path="statements", times=1)
    )
    (journal, organization, name) = desk.guards[0]
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        desk.hands.turn(seconds)

    guard.watch(Path(journal), organization, name, sleep, lambda: datetime.now(UTC))
    assert not [s for s in desk.standin.state.statements if s.phase == "RUNNING"]
    assert naps


def test_as_a_process_it_needs_no_cloud_key_and_writes_no_secret(desk: Desk) -> None:
    desk.run("provision_confluent", "--flink", "--hours", "1")
    overdue(desk)
    arguments = [sys.executable, "-m", "provisioning.guard", *desk.guards[0]]
    log = desk.folder / "guard.log"

    def ended() -> bool:
        desk.hands.turn(1)  # a stopping statement takes a second of the stand-in's clock
        return process.poll() is not None

    with log.open("w") as output:
        process = subprocess.Popen(arguments, cwd=ROOT, env={"PATH": ""}, stdout=output, stderr=output)
        wait_for(ended, "the guard ends", 60)
    said = log.read_text()
    assert process.returncode == 0, said
    assert "the time is up: stopped f1-leaderboard-env-average-speed-query" in said
    assert not [key.secret for key in desk.standin.state.keys.values() if key.secret in said]
    assert not [s for s in desk.standin.state.statements if s.phase == "RUNNING"]
