"""The commands as processes of their own: a reader that goes away, and kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from f1site.config import read_lab
from provisioning.standin import Exchange, Fault, Standin
from tests.fakes import openapi
from tests.fakes.laptop import NOTHING_STANDS, SHORT
from tests.fakes.shell import Shell
from tests.fakes.standin_snapshot import snapshot

ROOT = Path(__file__).resolve().parents[3]


def test_reader_of_the_output_goes_away(shell: Shell) -> None:
    """The reader goes away early, as head does behind a pipe."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, str(ROOT / "manage.py"), "provision_confluent", "--plan"]
    with os.fdopen(write, "wb") as nowhere:
        done = subprocess.run(
            command, cwd=ROOT, stdout=nowhere, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert done.returncode == 130
    assert "Nobody reads the output any more, so the command has ended." in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


class KillableShell:
    """Runs the commands as processes; the stand-in can kill the one that runs."""

    def __init__(self, standin: Standin, folder: Path) -> None:
        self.standin, self.folder, self.pid = standin, folder, 0
        (folder / "config.yaml").write_text("# mine\n")
        self.environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "F1_"))
        }
        self.environ |= {
            "CONFLUENT_CLOUD_URL": standin.url,
            "CONFLUENT_CLOUD_API_KEY": standin.key,
            "CONFLUENT_CLOUD_API_SECRET": standin.secret,
            "F1_JOURNAL": str(folder / ".confluent" / "journal.json"),
            "F1_CONFIG": str(folder / "config.yaml"),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, str(ROOT / "tests" / "fakes" / "hurried_command.py"), *arguments]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.pid = process.pid
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def kill(self, exchange: Exchange) -> None:
        os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def killable(tmp_path: Path) -> Iterator[KillableShell]:
    with Standin(replace(SHORT, key_nodes=()), speed=200.0) as standin:
        yield KillableShell(standin, tmp_path)
        assert openapi.problems(standin.calls) == []


KILLED_AT = ("environments", "api-keys", "statements")


@pytest.mark.timeout(300)
@pytest.mark.full
def test_kill_9_again_and_again(killable: KillableShell) -> None:
    """Kill 9 of the real thing again and again."""
    for path in KILLED_AT:
        killable.standin.faults.add(Fault("hook_after", method="POST", path=path, hook=killable.kill))
        code, said = killable.run("provision_confluent", "--flink")
        assert code == -signal.SIGKILL, said
    code, said = killable.run("provision_confluent", "--flink")
    assert code == 0, said
    assert "one record there and back in" in said
    lab = read_lab(killable.folder, {})
    assert lab.kafka is not None
    assert lab.kafka.librdkafka["security.protocol"] == "PLAINTEXT"
    stands = snapshot(killable.standin.state)
    assert len(stands["keys"]) == 3
    assert len(stands["environments"]["f1-leaderboard-env"]["clusters"]) == 1
    killable.standin.faults.add(
        Fault("hook_after", method="DELETE", path="compute-pools", hook=killable.kill)
    )
    assert killable.run("teardown_confluent", "--yes")[0] == -signal.SIGKILL
    code, said = killable.run("teardown_confluent", "--yes")
    assert code == 0, said
    assert snapshot(killable.standin.state) == NOTHING_STANDS
    assert (killable.folder / "config.yaml").read_text() == "# mine\n"
