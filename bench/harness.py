"""Benchmarks share this: a lab of their own, its races, the use of processes, and figures made of samples."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import requests
from websockets.typing import Origin

from bench.services.waiting import free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
PUBLISHING_LIMIT_S = 120.0
RACING_AFTER_S = 5.0


def setting(name: str, default: float) -> float:
    """The number in the environment variable, or the default where it is not set."""
    return float(os.environ.get(name, default))


def percentiles(samples: Iterable[float], prefix: str = "") -> dict[str, float]:
    """p50_ms, p99_ms and max_ms, each with the prefix; samples in milliseconds, at least two."""
    ordered = sorted(samples)
    return {
        f"{prefix}p50_ms": round(median(ordered), 1),
        f"{prefix}p99_ms": round(quantiles(ordered, n=100)[98], 1),
        f"{prefix}max_ms": round(ordered[-1], 1),
    }


def load_average() -> dict[str, float]:
    """The machine's load over the last minute: says how much else ran beside the benchmark."""
    return {"load_average": os.getloadavg()[0]}


def cpu_seconds(pid: int) -> float:
    """Processor time of a process's living threads so far, from the scheduler's accounting."""
    used = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


def all_cpu_seconds(pid: int) -> float:
    """Processor time of a process, ended threads included, to a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kb(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


class Usage:
    """Measures processes from now on: processor as a share of one core, memory at the end."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._used = {name: cpu_seconds(pid) for name, pid in pids.items()}
        self._began = time.monotonic()

    def figures(self) -> dict[str, dict[str, float]]:
        """cpu_share and rss_mb, each by the process's name."""
        took = time.monotonic() - self._began
        used = {name: cpu_seconds(pid) - self._used[name] for name, pid in self._pids.items()}
        return {
            "cpu_share": {name: round(seconds / took, 2) for name, seconds in used.items()},
            "rss_mb": {name: round(rss_kb(pid) / 1024) for name, pid in self._pids.items()},
        }


@dataclass(frozen=True, slots=True)
class LabProcess:
    """A running lab. `started_s` is the time from the command to the first 200 on `/`."""

    base: str
    pid: int
    started_s: float
    environ: dict[str, str]

    def get(self, path: str) -> requests.Response:
        return requests.get(f"http://{self.base}{path}", timeout=30)

    def start_race(self, **choice: object) -> str:
        """Enters a race as the form does, and returns its id."""
        session = requests.Session()
        session.get(f"http://{self.base}/", timeout=30)
        fields = {"driver": "NOR", **choice, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
        answer = session.post(f"http://{self.base}/races/", data=fields, allow_redirects=False, timeout=30)
        answer.raise_for_status()
        return answer.headers["Location"].split("/")[2]

    def start_races(self, count: int, laps: int) -> list[str]:
        """Enters races and returns their ids once all of them publish. Raises TimeoutError."""
        races = [self.start_race(seed=seed, laps=laps) for seed in range(count)]
        publishing = f"{count} races publish"
        wait_for(lambda: self.metric("f1_worker_races") >= count, publishing, PUBLISHING_LIMIT_S)
        return races

    def due_times(self, race_id: str) -> dict[int, float]:
        """Tick to the instant when it was due, on this machine's monotonic clock."""
        return self.traced(race_id, "due")

    def traced(self, race_id: str, step: str) -> dict[int, float]:
        """Tick to the instant of the named step, on this machine's monotonic clock."""
        rows = self.get(f"/api/races/{race_id}/trace/").json()["ticks"]
        return {row["tick"]: row[step] for row in rows if step in row}

    def socket(self, race_id: str) -> tuple[str, Origin]:
        """The address of a race's WebSocket, and the origin that it accepts."""
        return f"ws://{self.base}/ws/races/{race_id}/", Origin(f"http://{self.base}")

    def usage(self) -> Usage:
        return Usage({"lab": self.pid})

    def metric(self, name: str) -> float:
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise KeyError(name)


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
    """A lab on a free port with a temporary directory for its files. It ends with the context."""
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
