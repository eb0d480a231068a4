"""A real Apache Flink as make flink starts it: job manager, task manager, SQL gateway and dashboard in one JVM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

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

# A learner's mistake: the pattern tries every way to cut a text of 1,000 characters in eight, and hears no interrupt.
TEXTS = "CREATE TEMPORARY TABLE texts (s STRING) WITH ('connector' = 'datagen', 'fields.s.length' = '1000')"
ENDLESS = r"SELECT s FROM texts WHERE REGEXP(s, '^(.*)(.*)(.*)(.*)(.*)(.*)(.*)\1\2\3z$')"
IMPATIENT = {"task.cancellation.timeout": "1000", "task.cancellation.interval": "100"}


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


def lose_task_manager(gateway: Gateway, cluster: Cluster) -> None:
    """Stops a statement whose task does not end. Flink takes that for a fatal error of its one task manager and closes
    it: after three minutes by default, after one second here. Returns when it is gone.
    """
    session = gateway.open("endless")
    session.run(TEXTS)
    before = {job.id for job in cluster.jobs()}
    operation = session.start(ENDLESS, IMPATIENT)
    wait_for(lambda: operation.fetch().job, "the endless statement has a job", 60)
    (endless,) = {job.id for job in cluster.jobs()} - before
    wait_for(lambda: "java.util.regex" in _threads(cluster.url), "its task matches a text", 60)
    cluster.cancel(endless)
    wait_for(lambda: cluster.slots().task_managers == 0, "the task manager is gone", 60)


def _threads(url: str) -> str:
    """What each thread of the one task manager is doing."""
    (manager,) = requests.get(f"{url}/taskmanagers", timeout=10).json()["taskmanagers"]
    return requests.get(f"{url}/taskmanagers/{manager['id']}/thread-dump", timeout=10).text
