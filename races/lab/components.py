"""The parts that run in this process beside the web: worker, analytics, recorder; and how they do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from races.recorder.recorder import ROLES as RECORDED
from races.recorder.recorder import Recorder
from races.streams.connection import Connection
from races.streams.producer import Publisher, PublisherState
from races.worker.analytics_runner import ROLES as ANALYSED
from races.worker.analytics_runner import Analysis
from races.worker.heartbeat import analytics_trouble, written
from races.worker.language_model import LanguageModel
from races.worker.worker import Worker

log = logging.getLogger(__name__)
RESTART_S = 1.0
# What nobody looks at within a tick can come and go in larger pieces. The embedded broker looks for a record through
# all that it holds, piece by piece, and averages that came one by one would make thousands of them.
ANALYTICS_MS, HISTORY_MS = 20, 100


def derived_roles() -> frozenset[str]:
    """The topics that the embedded analytics writes: all, or what Flink leaves to it."""
    lab = settings.LAB
    if lab.engine == "embedded":
        return frozenset({"avg_speed", "commentary", "car_metrics_anomalies"})
    return frozenset({"commentary"}) if lab.commentator == "embedded" else frozenset()


@dataclass(slots=True)
class Roles:
    """Worker with its analytics, and the recorder, as threads. One that dies takes the process down with it:
    a half-working worker is worse than one that somebody starts again."""

    kafka: Connection
    publishers: tuple[Publisher, ...]
    worker: Worker
    analysis: Analysis | None
    recorder: Recorder
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, on_death: Callable[[str], None]) -> None:
        for name, part in self._parts():
            thread = threading.Thread(
                target=self._run, args=(name, part.run, on_death), name=name, daemon=True
            )
            self.threads.append(thread)
            thread.start()

    def _parts(self) -> list[tuple[str, Any]]:
        parts: list[tuple[str, Any]] = [("worker", self.worker), ("recorder", self.recorder)]
        return parts if self.analysis is None else [("analytics", self.analysis), *parts]

    def _run(self, name: str, run: Callable[[], None], on_death: Callable[[str], None]) -> None:
        try:
            run()
        except Exception:
            log.exception("The %s died", name)
            on_death(name)

    def stop(self, timeout: float = 1.5) -> None:
        for _, part in self._parts():
            part.stop()
        until = time.monotonic() + timeout
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))
        for publisher in self.publishers:
            publisher.close(0.2)

    def ails(self) -> dict[str, str]:
        """Part -> what is wrong with it; empty words where it is well."""
        return {
            "recorder": self.recorder.trouble,
            "analytics": analytics_trouble(self.analysis, self.publishing),
        }

    @property
    def publishing(self) -> PublisherState:
        """Of the publisher that is worst off."""
        states = [publisher.state for publisher in self.publishers]
        return min(states, key=lambda state: (state.ok, -state.waiting))


def language_model() -> LanguageModel | None:
    model = settings.LAB.commentary
    return LanguageModel(model.base_url, model.model, model.api_key) if model.configured else None


_here: Roles | None = None


def make_roles(kafka: Connection) -> Roles:
    """The roles of this process, which /healthz then speaks of."""
    global _here
    publishers = [kafka.publisher()]
    derived = derived_roles()
    analysis = None
    if derived:
        tail = kafka.tail(ANALYSED, "end", patience_ms=ANALYTICS_MS)
        publishers.append(kafka.publisher(ANALYTICS_MS))
        analysis = Analysis(tail, kafka.codec, publishers[-1], derived, language_model())
    recorder = Recorder(
        lambda start, incarnation: kafka.tail(RECORDED, start, incarnation, HISTORY_MS), kafka.codec
    )
    worker = Worker(publishers[0], analysis, kafka.registry_error)
    found = _here = Roles(kafka, tuple(publishers), worker, analysis, recorder)
    # one that is only starting yet is no matter for others
    worker.ails = lambda: written(recorder.trouble, "" if found.publishing.ok else found.publishing.text)
    return found


def here() -> Roles | None:
    """This process's own roles; None where it is a web without them."""
    return _here


def recorder_part(roles: Roles) -> dict[str, Any]:
    recorder = roles.recorder
    return {"active": recorder.active, "skipped_records": dict(recorder.bad)}


def analytics_part(roles: Roles) -> dict[str, Any]:
    if roles.analysis is None:
        return {}
    return {"records": roles.analysis.records, "skipped_records": roles.analysis.bad_records}


def metric_lines() -> list[str]:
    if _here is None:
        return []
    worker = _here.worker
    lateness = worker.conductor.lateness.worst(worker.clocks.monotonic())
    return [
        f"f1_worker_races {len(worker.conductor.held)}",
        f"f1_worker_worst_lateness_seconds {lateness:.3f}",
        f"f1_publisher_waiting_records {sum(one.waiting for one in _here.publishers)}",
        f"f1_recorder_active {int(_here.recorder.active)}",
        f"f1_recorder_ok {int(not _here.recorder.trouble)}",
    ]
