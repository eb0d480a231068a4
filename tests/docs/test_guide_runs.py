"""The guide's commands are executed, in order, against a lab and against the stand-in."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.conftest import wait_for
from tests.docs.guide import ROOT, Block, blocks

pytestmark = pytest.mark.timeout(300)
BIN = Path(sys.executable).parent
STEP_S = 150


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        started = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environ, stdout=out, stderr=out)
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def execute(block: Block, environ: dict[str, str], base: str = "127.0.0.1:8000") -> str:
    text = block.text.replace("127.0.0.1:8000", base)
    program = (
        [sys.executable, "-c", text]
        if block.language == "python"
        else ["bash", "-euo", "pipefail", "-c", text]
    )
    done = subprocess.run(program, cwd=ROOT, env=environ, capture_output=True, timeout=STEP_S, check=False)
    assert done.returncode == 0, f"{block}\n{text}\n{done.stdout.decode()}\n{done.stderr.decode()}"
    return done.stdout.decode()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "config.yaml"
    config.touch()
    return {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "F1_CONFIG": str(config),
        "F1_VAR_DIR": str(tmp_path / "var"),
        "F1_JOURNAL": str(tmp_path / "journal.json"),
        "F1_ANOMALY_DETECTION": "1",
    }


def test_the_steps_on_the_embedded_lab(tmp_path: Path, environ: dict[str, str]) -> None:
    base = f"127.0.0.1:{free_port()}"
    environ["F1_LAB"] = f"http://{base}"
    steps = [block for block in blocks() if block.how in ("run", "run: race")]
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environ, check=True)
    with process(["manage.py", "runlab", base], environ, tmp_path / "lab.log") as lab:

        def up() -> bool:
            assert lab.poll() is None, (tmp_path / "lab.log").read_text()
            try:
                return requests.get(f"http://{base}/healthz", timeout=10).ok
            except requests.ConnectionError:
                return False

        wait_for(up, "the lab is well", 60)
        start = [sys.executable, "manage.py", "start_race", "--driver", "NOR", "--laps", "40"]
        started = subprocess.run(start, cwd=ROOT, env=environ, capture_output=True, check=True)
        environ["RACE"] = started.stdout.decode().split()[0]
        wait_for(
            lambda: (
                requests.get(f"http://{base}/api/races/{environ['RACE']}/", timeout=10).json()["tick"] > 60
            ),
            "the race is on",
            60,
        )
        said = {str(block): execute(block, environ, base) for block in steps}
    print(f"\n{len(said)} steps of the guide run on the embedded lab")
    assert any('"bootstrap"' in text for text in said.values())
    assert any("is incompatible" in text for text in said.values())
    assert any("bytes" in text for text in said.values())


def test_the_steps_on_the_stand_in(tmp_path: Path, environ: dict[str, str]) -> None:
    log = tmp_path / "standin.log"
    port = free_port()
    with process(["-m", "provisioning.standin", "--fast", "--port", str(port)], environ, log):
        wait_for(lambda: "export CONFLUENT_CLOUD_API_SECRET" in log.read_text(), "the stand-in is up", 60)
        environ |= dict(re.findall(r"export (CONFLUENT_\w+)=(\S+)", log.read_text()))
        steps = [block for block in blocks() if block.how == "run: standin"]
        said = [execute(block, environ) for block in steps]
    print(f"\n{len(said)} steps of the guide run against the stand-in")
    assert len(said) >= 2
    assert "kafka:" not in (tmp_path / "config.yaml").read_text()
