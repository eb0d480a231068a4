"""A real Apache Flink as make flink starts it: job manager, task manager, SQL gateway and dashboard in one JVM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.services.java import JARS, ProgramMissing, jars, require
from bench.services.waiting import free_port, wait_for
from races.flink.cluster import Cluster
from races.flink.deployer import Deployer, Source
from races.flink.dialect import Query
from races.flink.gateway import Gateway
from races.flink.local.build import build
from races.flink.local.errors import CannotRun
from races.flink.local.flink import LocalFlink
from races.flink.local.java import find_java
from races.flink.resume import Memories
from races.flink.tables import Place
from races.streams.admin import cluster_id
from races.streams.codec import Codec
from races.streams.config import StreamSettings


class RealFlink:
    """Its addresses stay the same over stop, kill and start. folder: its checkpoints, log and what is remembered."""

    def __init__(self, folder: Path) -> None:
        require("java")
        try:
            java = find_java()
            folders = tuple(jars(name) for name in ("flink", "model"))
            ours = build(java, folders[0], JARS / "lab", print)
        except CannotRun as error:
            raise ProgramMissing(str(error)) from None
        self.local = LocalFlink(
            java, (*folders, ours), folder, free_port(), free_port(), "http://127.0.0.1:1"
        )
        self.gateway, self.cluster = Gateway(self.local.gateway_url), Cluster(self.local.rest_url)
        self.memories = Memories(folder / "statements.json")

    def start(self) -> None:
        self.local.launch()
        self.local.await_ready()

    def stop(self) -> None:
        self.local.stop()

    def kill(self) -> None:
        if self.local.process is not None:
            self.local.process.kill()

    def deployer(
        self, queries: Sequence[Query], settings: StreamSettings, codec: Codec, begin_ms: int = 0
    ) -> Deployer:
        """A deployer of these queries, on the topics of these settings."""
        codec.prepare()
        source = Source(
            settings.topics,
            Place(settings.bootstrap, settings.registry_url),
            cluster_id(settings),
            codec.schema_id("commentary"),
            begin_ms,
        )
        return Deployer(self.gateway, self.cluster, queries, lambda: source, self.memories)

    def states(self) -> Mapping[str, str]:
        """Job's name to its newest state."""
        return {job.name: job.state for job in reversed(self.cluster.jobs())}

    def cancel_all(self) -> None:
        """Cancels every job, so that none runs on in the next test."""
        for job in self.cluster.jobs():
            if not job.ended:
                self.cluster.cancel(job.id)
        wait_for(lambda: all(job.ended for job in self.cluster.jobs()), "all jobs have ended", 30)
