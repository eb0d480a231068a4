"""Jars, and Java processes that are watched: what the real Kafka and the real Flink need alike."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from races.flink.local.jars import jars as locked_jars

ROOT = Path(__file__).resolve().parents[2]
JARS = ROOT / ".jars"


class ProgramMissing(RuntimeError):
    """A program that is not on this machine; the message says which, and how to install it."""


def require(*programs: str) -> None:
    """Raises ProgramMissing unless all programs are on the path."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        advice = "on Debian: apt-get install openjdk-17-jdk-headless maven"
        raise ProgramMissing(f"needs {', '.join(missing)}; {advice}")


def jars(name: str) -> Path:
    """The folder with the locked jars of kafka or flink, fetched once."""
    require("java")
    with _alone(JARS / "lock"):
        (folder,) = locked_jars([name], JARS, print)
    return folder


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Test processes may run side by side; one of them fetches."""
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class JavaProcess:
    """One JVM with its output in a file, ended by its process id."""

    def __init__(
        self, classpath: str, main: Sequence[str], log: Path, heap_mb: int, options: Sequence[str] = ()
    ) -> None:
        self.log = log
        flags = [
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            *options,
        ]
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                ["java", *flags, "-cp", classpath, *main], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def must_live(self, what: str) -> None:
        if not self.alive:
            raise RuntimeError(f"{what} ended with {self._process.returncode}:\n{self.output()}")

    def wait(self, seconds: float) -> int:
        return self._process.wait(seconds)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self, seconds: float = 15.0) -> None:
        if self.alive:
            self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
