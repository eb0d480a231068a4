"""The truth of a self-hosted Flink in a few words: which of the lab's statements run, and if not, why."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from races.flink.cluster import Cluster, ClusterAway, Job
from races.flink.gateway import Gateway, GatewayError

LOOK_EVERY_S = 2.0
GOING = frozenset({"INITIALIZING", "CREATED", "RECONCILING"})


@dataclass(frozen=True, slots=True)
class StatementStatus:
    """words: its state, records and checkpoint, or the root cause, in one line. url: its page on the dashboard."""

    name: str
    ok: bool
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """words: the whole in a line. url: the dashboard."""

    ok: bool
    words: str
    url: str
    statements: tuple[StatementStatus, ...] = ()


class EngineWatch:
    """Asks at most every two seconds. wanted: the names of the statements that are to run, with a short name each."""

    def __init__(
        self,
        gateway: Gateway,
        cluster: Cluster,
        wanted: Sequence[tuple[str, str]],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._gateway, self._cluster, self._wanted = gateway, cluster, wanted
        self._clock, self._wall = clock, wall
        self._asked = float("-inf")
        self._unanswered: dict[str, int] = {}
        self._status = EngineStatus(False, "flink: not asked yet", cluster.url)

    def status(self) -> EngineStatus:
        if self._clock() - self._asked >= LOOK_EVERY_S:
            self._status = self._look()
            self._asked = self._clock()
        return self._status

    def _look(self) -> EngineStatus:
        try:
            slots, jobs = self._cluster.slots(), self._cluster.jobs()
            statements = tuple(self._statement(name, short, jobs) for name, short in self._wanted)
            self._gateway.version()
        except (ClusterAway, GatewayError) as error:
            return EngineStatus(False, f"flink: {error}", self._cluster.url)
        if slots.task_managers == 0:
            return EngineStatus(False, "flink has no task manager", self._cluster.url, statements)
        running = sum(one.ok for one in statements)
        every = running == len(statements)
        words = f"flink, {running} running" if every else f"flink, {running} of {len(statements)} running"
        return EngineStatus(every, words, self._cluster.url, statements)

    def _statement(self, name: str, short: str, jobs: Sequence[Job]) -> StatementStatus:
        """The newest job of that name: the job manager lists ended ones too."""
        job = next((one for one in jobs if one.name == name and not one.ended), None)
        job = job or next((one for one in jobs if one.name == name), None)
        if job is None:
            return StatementStatus(short, False, "is not deployed", self._cluster.url)
        url = f"{self._cluster.url}/#/job/{'completed' if job.ended else 'running'}/{job.id}/overview"
        if job.state == "RUNNING":
            return StatementStatus(short, True, self._figures(job), url)
        if job.state == "FINISHED":  # a query without an end finishes in no other way
            return StatementStatus(short, False, "stopped with a savepoint", url)
        cause = "" if job.state in GOING else self._cluster.root_cause(job.id)
        return StatementStatus(short, False, f"{job.state.lower()}{f': {cause}' if cause else ''}", url)

    def _figures(self, job: Job) -> str:
        records, checkpoint = self._cluster.records(job.id), self._cluster.checkpoint(job.id)
        age = max(0.0, self._wall() - checkpoint.at_ms / 1000)
        saved = f"checkpoint {age:.0f} s ago" if checkpoint.at_ms else "no checkpoint yet"
        # a call that is still on its way has no answer either; one that has failed never gets one
        failed = min(records.unanswered, self._unanswered.get(job.id, 0))
        self._unanswered[job.id] = records.unanswered
        calls = f", {failed} model call{'s' if failed > 1 else ''} failed" if failed else ""
        return f"{records.read:,} records in, {records.written:,} out{calls}, {saved}"
