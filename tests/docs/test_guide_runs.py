"""The guide's commands are executed, in order, against a lab and against the stand-in."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.docs.guide import GUIDE, ROOT, Block, blocks
from tests.fakes.waiting import wait_for

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
    }


def start_on_the_page(base: str) -> str:
    """Starts a race as a click on Start does, since only the lab knows which features are on. Returns its id."""
    with requests.Session() as browser:
        page = browser.get(f"{base}/", timeout=10).text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "driver": "NOR", "laps": "40"}
        answer = browser.post(f"{base}/races/", form, headers={"Referer": f"{base}/"}, timeout=10)
    found = re.search(r"/races/([0-9a-f-]{36})/", answer.url)
    assert found, answer.text
    return found[1]


@pytest.mark.integration  # it has a lab of its own for a minute; the gate runs it with those that have a Kafka
def test_steps_on_the_embedded_lab(tmp_path: Path, environ: dict[str, str]) -> None:
    base = f"127.0.0.1:{free_port()}"
    environ["F1_LAB"] = f"http://{base}"
    steps = [block for block in blocks() if block.how in ("run", "run: race")]
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environ, check=True)
    on = environ | {"F1_ANOMALY_DETECTION": "1"}
    with process(["manage.py", "runlab", base], on, tmp_path / "lab.log") as lab:

        def up() -> bool:
            assert lab.poll() is None, (tmp_path / "lab.log").read_text()
            try:
                return requests.get(f"http://{base}/healthz", timeout=10).ok
            except requests.ConnectionError:
                return False

        wait_for(up, "the lab is well", 60)
        environ["RACE"] = start_on_the_page(f"http://{base}")
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


@pytest.mark.full
def test_steps_on_the_stand_in(tmp_path: Path, environ: dict[str, str]) -> None:
    log = tmp_path / "standin.log"
    port = free_port()
    with process(["-m", "provisioning.standin", "--fast", "--port", str(port)], environ, log):
        wait_for(lambda: "export CONFLUENT_CLOUD_API_SECRET" in log.read_text(), "the stand-in is up", 60)
        exports = " ".join(re.findall(r"export ([A-Z].*)", log.read_text()))
        environ |= dict(re.findall(r"((?:CONFLUENT|REQUESTS|SSL)_\w+)=(\S+)", exports))
        steps = [block for block in blocks() if block.how == "run: standin"]
        said = [execute(block, environ) for block in steps]
    print(f"\n{len(said)} steps of the guide run against the stand-in")
    assert len(said) >= 2
    assert "kafka:" not in (tmp_path / "config.yaml").read_text()


def repository(folder: Path) -> None:
    """The work tree as it stands, committed: what a clone of it would hold once it is."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-qm", "as it stands"]):
        subprocess.run([*git, *command], cwd=folder, check=True)


def told(banner: str) -> list[str]:
    """A banner's lines without what differs from start to start: ports and colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m|(?<=127\.0\.0\.1:)\d+", "", banner)
    return [line.strip() for line in plain.splitlines() if line.strip()]


def test_three_lines_to_a_moving_board(tmp_path: Path, environ: dict[str, str]) -> None:
    """Line by line; only the packages are there already, and the port is a free one."""
    cloning, running, looking = next(
        block.text.splitlines() for block in blocks(ROOT / "README.md") if "git clone" in block.text
    )
    repository(tmp_path / "origin")
    clone = cloning.replace("<this repository>", str(tmp_path / "origin"))
    subprocess.run(["bash", "-euc", clone], cwd=tmp_path, env=environ, check=True, capture_output=True)
    (tmp_path / "f1-lab" / ".venv").symlink_to(sys.prefix)
    port, log = free_port(), tmp_path / "make.log"
    command = [*shlex.split(running), "-o", ".venv/.ready", f"PORT={port}"]  # -o: packages are there
    with log.open("wb") as out:
        made = subprocess.Popen(
            command, cwd=tmp_path / "f1-lab", env=environ, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_for(lambda: made.poll() is not None or "Ctrl-C stops it" in log.read_text(), "the banner", 90)
        shown = next(block.text for block in blocks(GUIDE / "01-setup.md") if "runs on http" in block.text)
        assert told(log.read_text())[-len(told(shown)) :] == told(shown)
        assert looking == "open http://127.0.0.1:8000, pick a driver, press Start"
        base = f"http://127.0.0.1:{port}"
        race_id = start_on_the_page(base)
        tick = f"{base}/api/races/{race_id}/"
        wait_for(lambda: requests.get(tick, timeout=10).json()["tick"] > 10, "the board moves", 60)
    finally:
        os.killpg(made.pid, signal.SIGTERM)
        made.wait(20)
