"""A real Apache Kafka in KRaft mode, one node, which tests start, stop, kill, freeze and wipe."""

from __future__ import annotations

import shutil
import signal
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from bench.services.java import JavaProcess, jars
from bench.services.waiting import free_port, wait_for
from races.flink.local.kafka import PROPERTIES
from races.streams.config import StreamSettings
from races.streams.logs import QUIET, librdkafka_log
from races.streams.topics import DEFAULT_NAMES

HEAP_MB = 512
START_S = 60.0


class RealKafka:
    """Its port stays the same over stop, start and wipe, as a broker's address does."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self._classpath = f"{jars('kafka')}/*"
        self._folder, self._data = folder, folder / "data"
        self._more = "".join(f"{key}={value}\n" for key, value in (more or {}).items())
        self.port, self._controller = free_port(), free_port()
        self._process: JavaProcess | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> JavaProcess:
        if self._process is None:
            raise RuntimeError("this Kafka is not running")
        return self._process

    def settings(self, registry_url: str = "", topics: Mapping[str, str] | None = None) -> StreamSettings:
        return StreamSettings(
            embedded=False,
            librdkafka={"bootstrap.servers": self.bootstrap},
            registry_url=registry_url,
            topics=dict(topics or DEFAULT_NAMES),
        )

    def start(self) -> None:
        """Returns when it serves. Makes its storage first where there is none."""
        if not self._data.exists():
            self._format()
        log = self._folder / "kafka.log"
        self._process = JavaProcess(self._classpath, ["kafka.Kafka", str(self._properties())], log, HEAP_MB)
        try:
            wait_for(self._serves, "Kafka serves", START_S)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.process.output()}") from error

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        self.process.kill()
        self._process = None

    def freeze(self) -> None:
        """It keeps its sockets and answers nothing, until `thaw`."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.signal(signal.SIGCONT)

    def wipe(self) -> None:
        """After `stop`: the next start is another cluster, with no topics, at the same address."""
        shutil.rmtree(self._data, ignore_errors=True)

    def _properties(self) -> Path:
        file = self._folder / "server.properties"
        file.write_text(
            PROPERTIES.format(port=self.port, controller=self._controller, data=self._data) + self._more
        )
        return file

    def _format(self) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={cluster}",
            "-c",
            str(self._properties()),
        ]
        done = subprocess.run(
            ["java", "-XX:TieredStopAtLevel=1", "-cp", self._classpath, *command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's storage could not be made:\n{done.stdout}{done.stderr}")

    def _serves(self) -> bool:
        self.process.must_live("Kafka")
        admin = AdminClient({"bootstrap.servers": self.bootstrap, **QUIET}, logger=librdkafka_log)
        try:
            return bool(admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return False
