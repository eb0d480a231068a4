"""Apache Kafka in KRaft mode: one node, on this machine only, with its records in a folder."""

from __future__ import annotations

import subprocess
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from races.flink.local.errors import CannotRun
from races.flink.local.java import FLAGS, Java, JavaProcess, classpath
from races.flink.local.ports import free_port
from races.streams.logs import QUIET, librdkafka_log

HEAP = ("-Xmx512m", "-XX:+ExitOnOutOfMemoryError")
START_S, FORMAT_S = 90.0, 60.0
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.network.threads=1
num.io.threads=2
# Each topic's files are opened and laid out as they fill, and not 10 MB at once
log.index.size.max.bytes=1048576
# The cleaner takes this at once, 128 MB by default; it has one topic of consumers' offsets to clean
log.cleaner.dedupe.buffer.size=4194304
"""
LOGGING = """rootLogger.level = {level}
rootLogger.appenderRef.out.ref = out
appender.out.name = out
appender.out.type = CONSOLE
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{{HH:mm:ss.SSS}} %-5p %c{{1}} %m%n
# A name that Flink's Kafka sink gives twice, at every checkpoint
logger.metrics.name = org.apache.flink.metrics.MetricGroup
logger.metrics.level = ERROR
"""


@dataclass(slots=True)
class LocalKafka:
    """folder: its records, configuration and log. jars: Kafka's, then the lab's own jar."""

    java: Java
    jars: tuple[Path, ...]
    folder: Path
    port: int
    process: JavaProcess | None = None
    has_records: bool = False

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Formats its folder at the first time. Raises CannotRun."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # written at each start: the port may be another, and the controller's is anybody's
        properties, data = self.folder / "server.properties", (self.folder / "data").resolve().as_posix()
        properties.write_text(
            PROPERTIES.format(port=self.port, controller=free_port(), data=data), encoding="utf-8"
        )
        self.has_records = (self.folder / "data/meta.properties").exists()
        if not self.has_records:
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties)]
            command = [str(self.java.program), *FLAGS, "-cp", classpath(self.jars), *tool]
            done = subprocess.run(command, capture_output=True, text=True, timeout=FORMAT_S, check=False)
            if done.returncode != 0:
                words = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
                raise CannotRun(f"Kafka could not prepare {self.folder}: {words[-1][:300]}")
        arguments = ["-cp", classpath(self.jars), "lab.f1.Tied", "kafka.Kafka", str(properties)]
        logging = self.folder / "log4j2.properties"
        logging.write_text(LOGGING.format(level="WARN"), encoding="utf-8")
        flags = [*HEAP, f"-Dlog4j.configurationFile={logging.resolve().as_uri()}"]
        self.process = JavaProcess("Kafka", self.java, arguments, self.folder / "kafka.log", flags)

    def await_ready(self) -> None:
        """Returns when it serves. Raises CannotRun."""

        def serves() -> bool:
            admin = AdminClient({"bootstrap.servers": self.bootstrap, **QUIET}, logger=librdkafka_log)
            try:
                return bool(admin.list_topics(timeout=1).brokers)
            except KafkaException:
                return False

        if self.process is not None:
            try:
                self.process.await_ready(serves, START_S)
            except CannotRun as error:
                if not self.has_records:
                    raise
                raise CannotRun(
                    f"{error}. If another version of Kafka wrote {self.folder / 'data'}, move that folder away; "
                    "races and their history are in the database."
                ) from None

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()
