"""The lab's queries on a self-hosted Flink: deployed side by side, found again by name, started anew, stopped.

A job carries its query's name. What is running under that name is left alone, whoever started it; what is missing is
started, from its newest checkpoint where there is one.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from races.flink.cluster import Cluster, ClusterAway, Job
from races.flink.dialect import Query, in_sql_alone
from races.flink.gateway import Gateway, GatewayError, Session, StatementRefused
from races.flink.resume import Memories
from races.flink.tables import EARLIEST, Place, create_tables

log = logging.getLogger(__name__)
LOOK_EVERY_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 4.0, 60.0
PLAN_LIMIT_S = 120.0  # the first statement of a cold Flink takes 10 s, and on a busy machine more
SAVEPOINT_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Source:
    """What a deployed query reads and writes. kafka_id: which cluster, so that old offsets are never used on another.

    schema_id: of the commentary's JSON. begin_ms: the event time from which records matter.
    """

    names: Mapping[str, str]
    place: Place
    kafka_id: str
    schema_id: int
    begin_ms: int


class Deployer:
    """Keeps the queries running. source: asked before a deployment; it raises OSError or RuntimeError with one line
    where Kafka or the registry is away. troubles: query's name to why it is not deployed.
    """

    def __init__(
        self,
        gateway: Gateway,
        cluster: Cluster,
        queries: Sequence[Query],
        source: Callable[[], Source],
        memories: Memories,
        may_deploy: Callable[[], bool] = lambda: True,
    ) -> None:
        self._gateway, self._cluster = gateway, cluster
        self._queries, self._source, self._memories = queries, source, memories
        self._may_deploy = may_deploy
        self._stopping = threading.Event()
        self._resumed: dict[str, str] = {}  # job -> the query that it went on with
        self._of: dict[str, str] = {}
        self._pauses: dict[str, tuple[float, float]] = {}  # query -> not before, how long the pause is
        self.troubles: dict[str, str] = {}
        self.away = ""

    @property
    def trouble(self) -> str:
        """Why not all of the queries run, in one line; empty where they do."""
        return self.away or "; ".join(f"{name}: {words}" for name, words in sorted(self.troubles.items()))

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(LOOK_EVERY_S)

    def look(self) -> None:
        """One round: what is missing is deployed, and the newest checkpoints are noted."""
        if not self._may_deploy():
            return
        try:
            jobs = self._cluster.jobs()
            self._note(jobs)
            self._deploy(self._missing(jobs))
            self.away = ""
        except (ClusterAway, GatewayError, OSError, RuntimeError) as error:
            if str(error) != self.away:
                log.warning("Flink: %s", error)
            self.away = str(error)

    def _missing(self, jobs: Sequence[Job]) -> list[Query]:
        alive = {job.name for job in jobs if not job.ended}
        for job in jobs:
            if job.state == "FAILED" and (name := self._resumed.pop(job.id, "")):
                self._memories.note_point(name, "", "")  # it could not go on from there
        now = time.monotonic()
        return [
            query
            for query in self._queries
            if query.name not in alive
            and not self._memories.of(query.name).stopped
            and now >= self._pauses.get(query.name, (0.0, 0.0))[0]
        ]

    def _note(self, jobs: Sequence[Job]) -> None:
        by_name = {job.name: job for job in jobs if job.state == "RUNNING"}
        for query in self._queries:
            job, of = by_name.get(query.name), self._of.get(query.name)
            if job is not None:
                self.troubles.pop(query.name, None)
                self._pauses.pop(query.name, None)
                if of and (point := self._cluster.checkpoint(job.id).path):
                    self._memories.note_point(query.name, point, of)

    def _deploy(self, missing: Sequence[Query]) -> None:
        if not missing:
            return
        source = self._source()
        with ThreadPoolExecutor(len(missing)) as pool:
            troubles = pool.map(lambda query: self._start(query, source), missing)
            for query, trouble in zip(missing, troubles, strict=True):
                if trouble:
                    _, before = self._pauses.get(query.name, (0.0, FIRST_PAUSE_S / 2))
                    pause = min(2 * before, LONGEST_PAUSE_S)
                    self._pauses[query.name] = (time.monotonic() + pause, pause)
                    if self.troubles.get(query.name) != trouble:
                        log.warning("Flink: %s could not be started: %s", query.name, trouble)
                    self.troubles[query.name] = trouble

    def _start(self, query: Query, source: Source) -> str:
        """Why it is not deployed; empty where it is."""
        try:
            try:
                self._start_as(query, source)
            except StatementRefused:
                if not query.plain:
                    raise
                self._start_as(in_sql_alone(query), source)
                log.info("Flink does not take %s with the lab's function; it runs in SQL alone", query.name)
        except (GatewayError, TimeoutError) as error:
            return str(error)
        return ""

    def _start_as(self, query: Query, source: Source) -> None:
        """Starts it from its newest checkpoint, or anew where Flink refuses that. Raises GatewayError, TimeoutError."""
        of = self._of[query.name] = identity(query, source.kafka_id, source.names)
        point = self._memories.usable_point(query.name, of)
        try:
            job = deploy(self._gateway, query, source, point)
        except StatementRefused:
            if not point:
                raise
            self._memories.note_point(query.name, "", "")
            point = ""
            job = deploy(self._gateway, query, source)
        if point:
            self._resumed[job] = query.name
        log.info("Flink runs %s as job %s%s", query.name, job, f", from {point}" if point else "")


def identity(query: Query, kafka_id: str, topics: Mapping[str, str]) -> str:
    """A digest of the query's text and of the log that it reads. A checkpoint holds for one of them only."""
    text = "\n".join([query.sql, kafka_id, *sorted(topics.values())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def deploy(gateway: Gateway, query: Query, source: Source, point: str = "") -> str:
    """The job's id. point: a checkpoint or savepoint to go on from. Raises GatewayError, TimeoutError."""
    resume = {"execution.state-recovery.path": point} if point else {}
    if query.startup == "latest-offset":
        start = {"scan.startup.mode": "latest-offset"}
    elif source.begin_ms > 0:  # the oldest race that runs: what lies before it is history
        start = {"scan.startup.mode": "timestamp", "scan.startup.timestamp-millis": str(source.begin_ms)}
    else:
        start = dict(EARLIEST)
    tables = create_tables(source.names, source.place, start, source.schema_id)
    session = gateway.open(query.name)
    try:
        for statement in [*tables, *query.prepare]:
            session.run(statement, limit_s=PLAN_LIMIT_S)
        return session.run(query.sql, {**query.properties, **resume}, PLAN_LIMIT_S).job
    finally:
        _close(session)


def _close(session: Session) -> None:
    """The job lives on without its session, so a session that cannot be closed just now may run out by itself."""
    try:
        session.close()
    except GatewayError:
        log.debug("A session was not closed", exc_info=True)


def stop_with_savepoint(gateway: Gateway, job: str) -> str:
    """Ends a job and returns its savepoint's address, as Flink writes it. Raises GatewayError, TimeoutError."""
    session = gateway.open("f1-stop")
    try:
        found = session.run(f"STOP JOB '{job}' WITH SAVEPOINT", limit_s=SAVEPOINT_LIMIT_S)
        return str(found.rows[0][0]) if found.rows else ""
    finally:
        _close(session)
