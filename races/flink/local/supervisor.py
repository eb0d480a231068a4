"""Kafka, Flink and the lab under one roof: started in order, watched, started anew where one ends, and ended together.

Each runs in a process of its own whose standard input is a pipe from here, so that none outlives this one.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from races.flink.gateway import Gateway, GatewayError
from races.flink.local.errors import CannotRun
from races.flink.local.flink import LocalFlink
from races.flink.local.java import JavaProcess
from races.flink.local.kafka import LocalKafka

LOOK_EVERY_S = 2.0
LAB_STOP_S = 4.0
SILENT_S = 60.0  # a Flink that answers nobody for so long is started anew
CALM_S = 120.0  # who ends again sooner than this has not started well
AGAIN = 3  # so often, then a person must look
Say = Callable[[str], None]


@dataclass(slots=True)
class LabProcess:
    """The lab, which ends with its standard input. Its words go where ours go."""

    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        self.process = subprocess.Popen(
            list(self.command), env=dict(self.environment), stdin=subprocess.PIPE, start_new_session=True
        )

    @property
    def ended(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.poll() if self.process is not None else None

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(LAB_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(LAB_STOP_S)


@dataclass(slots=True)
class Supervisor:
    """say: one line for the person at each step."""

    kafka: LocalKafka
    flink: LocalFlink
    lab: LabProcess
    say: Say
    _restarts: dict[str, int] = field(default_factory=dict)
    _heard: float = 0.0

    def run(self) -> int:
        """Runs until the lab ends, and returns its exit code. Nothing is left then. Raises CannotRun."""
        try:
            self._start()
            while self.lab.ended is None:
                time.sleep(LOOK_EVERY_S)
                self.look()
            return self.lab.ended
        finally:
            self.lab.stop()  # first, while Kafka still takes its last records; the other two side by side
            for part in (self.flink, self.kafka):
                if part.process is not None:
                    part.process.ask_to_stop()
            for part in (self.flink, self.kafka):
                part.stop()

    def _start(self) -> None:
        began = time.monotonic()
        self.say(f"Kafka starts on {self.kafka.bootstrap}, Flink on {self.flink.rest_url}")
        self.flink.launch()
        self.kafka.launch()
        self.kafka.await_ready()
        self.say(f"Kafka serves, after {time.monotonic() - began:.1f} s; the lab starts")
        self.lab.launch()
        self.flink.await_ready()
        self.say(f"Flink is ready, after {time.monotonic() - began:.1f} s; the lab gives it its statements")
        warm_up(self.flink.gateway_url)
        self._heard = time.monotonic()

    def look(self) -> None:
        if not _alive(self.kafka.process):
            self._anew("Kafka ended", self.kafka)
        if not _alive(self.flink.process):
            self._anew("Flink ended", self.flink)
            return
        managers, now = self.flink.task_managers(), time.monotonic()
        if managers >= 0:
            self._heard = now
        if managers == 0:
            self._anew("Flink has lost its task manager, which it never replaces", self.flink)
        elif now - self._heard > SILENT_S:
            self._anew(f"Flink has not answered for {SILENT_S:.0f} s", self.flink)

    def _anew(self, why: str, part: LocalKafka | LocalFlink) -> None:
        """Raises CannotRun where it ends again and again."""
        process = part.process
        name = process.name if process is not None else "it"
        calm = process is None or process.age_s > CALM_S
        self._restarts[name] = 1 if calm else self._restarts.get(name, 0) + 1
        if process is not None and self._restarts[name] > AGAIN:
            raise CannotRun(
                f"{why}, {AGAIN} times in a row: {process.last_error()} (all of it: {process.log})"
            )
        self.say(f"{why}; it is started anew")
        part.stop()
        part.launch()
        part.await_ready()
        self._heard = time.monotonic()
        self.say(f"{name} is back")


def warm_up(gateway_url: str) -> None:
    """Plans one small query while the lab starts: the first plan of a cold gateway takes seconds. Nothing depends on
    it, so nothing of it is said.
    """
    with contextlib.suppress(GatewayError, TimeoutError):
        session = Gateway(gateway_url).open("warm-up")
        session.run("EXPLAIN SELECT a, AVG(b) FROM (VALUES ('x', 1.0)) AS t(a, b) GROUP BY a")
        session.close()


def _alive(process: JavaProcess | None) -> bool:
    return process is not None and process.alive
