"""Apache Flink on this machine: job manager, task manager, SQL gateway and dashboard in one JVM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import requests

from races.flink.local.java import Java, JavaProcess, classpath
from races.flink.local.kafka import LOGGING

HEAP = ("-Xmx768m", "-XX:+ExitOnOutOfMemoryError")
START_S = 120.0
SLOTS = 8  # each running statement takes one
# managed.size: a window of 0 bytes would fail, and take the one task manager down with it.
# No checkpoint interval: it belongs to each deployed statement. A SELECT hands its rows over at checkpoints only, once
# there are any.
# num-retained: the lab notes the newest checkpoint every few seconds, and it must stand for as long.
# 50 ms between watermarks: a row that waits for one waits no longer than that.
CONFIG = """rest:
  address: 127.0.0.1
  bind-address: 127.0.0.1
  port: {dashboard}
  bind-port: {dashboard}
web:
  submit.enable: false
  cancel.enable: true
  access-control-allow-origin: {lab}
jobmanager:
  rpc.address: 127.0.0.1
  bind-host: 127.0.0.1
taskmanager:
  numberOfTaskSlots: {slots}
  host: 127.0.0.1
  bind-host: 127.0.0.1
  memory:
    managed.size: 128m
    network.min: 32m
    network.max: 32m
    task.heap.size: 256m
    task.off-heap.size: 0m
    framework.off-heap.size: 64m
parallelism.default: 1
state.backend.type: hashmap
execution:
  checkpointing:
    dir: {folder}/checkpoints
    savepoint-dir: {folder}/savepoints
    num-retained: 3
restart-strategy:
  type: exponential-delay
  exponential-delay:
    initial-backoff: 500 ms
    max-backoff: 10 s
    reset-backoff-threshold: 1 min
pipeline:
  auto-watermark-interval: 50 ms
table:
  local-time-zone: UTC
sql-gateway:
  endpoint.rest.address: 127.0.0.1
  endpoint.rest.bind-address: 127.0.0.1
  endpoint.rest.port: {gateway}
  endpoint.rest.bind-port: {gateway}
  session:
    idle-timeout: 30 min
    check-interval: 1 min
    max-num: 50
"""


@dataclass(slots=True)
class LocalFlink:
    """folder: its configuration, log, checkpoints and savepoints. jars: Flink's folder and single ones beside it."""

    java: Java
    jars: tuple[Path, ...]
    folder: Path
    gateway_port: int
    dashboard_port: int
    lab_url: str
    process: JavaProcess | None = None

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.dashboard_port}"

    def launch(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        logging = self.folder / "log4j2.properties"
        logging.write_text(LOGGING.format(level="WARN"), encoding="utf-8")
        (self.folder / "config.yaml").write_text(
            CONFIG.format(
                dashboard=self.dashboard_port,
                gateway=self.gateway_port,
                lab=self.lab_url,
                slots=SLOTS,
                folder=self.folder.resolve().as_uri(),
            ),
            encoding="utf-8",
        )
        arguments = ["-cp", classpath(self.jars), "lab.f1.Tied", "lab.f1.LocalFlink", str(self.folder)]
        flags = [*HEAP, f"-Dlog4j.configurationFile={logging.resolve().as_uri()}"]
        home = {"FLINK_CONF_DIR": str(self.folder)}
        self.process = JavaProcess("Flink", self.java, arguments, self.folder / "flink.log", flags, home)

    def await_ready(self) -> None:
        """Returns when gateway and dashboard answer and a task manager is there. Raises CannotRun."""

        def serves() -> bool:
            if self.task_managers() < 1:
                return False
            try:
                return requests.get(f"{self.gateway_url}/v4/info", timeout=2).ok
            except requests.RequestException:
                return False

        if self.process is not None:
            self.process.await_ready(serves, START_S)

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()

    def task_managers(self) -> int:
        """How many there are; -1 where the dashboard does not answer."""
        try:
            return int(requests.get(f"{self.rest_url}/overview", timeout=2).json()["taskmanagers"])
        except (requests.RequestException, ValueError, KeyError):
            return -1
