"""A lab of its own for a benchmark: free port, directory of its own, stopped at the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far, from the scheduler's own accounting."""
    used = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that ended meanwhile
            used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


def all_cpu_seconds(pid: int) -> float:
    """With that of threads which have ended, to a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kb(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


@dataclass(frozen=True, slots=True)
class LabProcess:
    """started_s: from the command to the first 200 on /."""

    base: str
    pid: int
    started_s: float
    environ: dict[str, str]

    def get(self, path: str) -> requests.Response:
        return requests.get(f"http://{self.base}{path}", timeout=30)

    def start_race(self, **choice: object) -> str:
        """The race's id."""
        session = requests.Session()
        session.get(f"http://{self.base}/", timeout=30)
        fields = {"driver": "NOR", **choice, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
        answer = session.post(f"http://{self.base}/races/", data=fields, allow_redirects=False, timeout=30)
        answer.raise_for_status()
        return answer.headers["Location"].split("/")[2]

    def metric(self, name: str) -> float:
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise KeyError(name)

    def cpu_s(self) -> float:
        return cpu_seconds(self.pid)


def _wait_until_up(base: str, process: subprocess.Popen[bytes], path: str) -> None:
    while process.poll() is None:
        try:
            if requests.get(f"http://{base}{path}", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.02)
    raise RuntimeError(f"the lab ended with {process.returncode}")


@contextmanager
def lab(**environ: str) -> Iterator[LabProcess]:
    with tempfile.TemporaryDirectory() as directory:
        settings = {
            **os.environ,
            "F1_VAR_DIR": directory,
            "F1_MAX_RACES": "0",
            "F1_MAX_RACES_PER_CLIENT": "0",
            **environ,
        }
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*manage, "migrate", "--verbosity", "0"], env=settings, check=True, cwd=ROOT)
        base = f"127.0.0.1:{free_port()}"
        began = time.perf_counter()
        process = subprocess.Popen(
            [*manage, "runlab", base], env=settings, cwd=ROOT, stdout=subprocess.DEVNULL
        )
        try:
            _wait_until_up(base, process, "/")
            yield LabProcess(base, process.pid, time.perf_counter() - began, settings)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
