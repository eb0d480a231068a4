"""The components that run in this process beside the web: worker, analytics and recorder."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric

from races.flink.deployer import Deployer
from races.lab.flink import make_deployer
from races.lib.clock import Clocks
from races.live.service import service
from races.recorder.recorder import Recorder
from races.streams.connection import Connection
from races.streams.lag import Ends, Lag
from races.streams.producer import Publisher
from races.streams.topics import ANALYTICS_ROLES, RECORDED_ROLES, WORKER_ROLES
from races.worker.analytics_runner import AnalyticsRunner
from races.worker.backpressure import Reader
from races.worker.drills import Drills
from races.worker.heartbeat import ComponentStatus
from races.worker.language_model import LanguageModel
from races.worker.webhook import Webhook
from races.worker.worker import Worker

log = logging.getLogger(__name__)
# Nobody needs these within a tick, so they may wait for each other. The embedded broker searches all that it holds for
# a record, piece by piece; averages that were sent one by one would make thousands of pieces.
ANALYTICS_MS, HISTORY_MS = 20, 100


def derived_roles() -> frozenset[str]:
    """The topics that the embedded analytics write: all derived ones, or those that Flink leaves to them."""
    lab = settings.LAB
    if lab.engine == "embedded":
        return frozenset(ANALYTICS_ROLES)
    return frozenset({"commentary"}) if lab.commentator == "embedded" else frozenset()


@dataclass(slots=True)
class Components:
    """Worker, analytics, recorder and the deployer of Flink's queries, each in a thread. One that dies takes the
    process down: a half-working worker is worse than one that somebody starts again.
    """

    kafka: Connection
    publishers: tuple[Publisher, ...]
    worker: Worker
    analytics: AnalyticsRunner | None
    recorder: Recorder
    status: ComponentStatus
    deployer: Deployer | None = None
    webhook: Webhook | None = None
    drills: Drills = field(default_factory=Drills)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, on_death: Callable[[str], None]) -> None:
        """Starts the threads. on_death(name) is called from the thread of a component that dies."""
        for name, component in self._all():
            thread = threading.Thread(
                target=self._run, args=(name, component.run, on_death), name=name, daemon=True
            )
            self.threads.append(thread)
            thread.start()

    def _all(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [("worker", self.worker), ("recorder", self.recorder)]
        more = (("analytics", self.analytics), ("flink", self.deployer), ("webhook", self.webhook))
        return [*((name, one) for name, one in more if one is not None), *found]

    def _run(self, name: str, run: Callable[[], None], on_death: Callable[[str], None]) -> None:
        try:
            run()
        except Exception:
            log.exception("The %s died", name)
            on_death(name)

    def stop(self, timeout: float = 1.5) -> None:
        """Stops the threads and waits for them for so many seconds."""
        for _, component in self._all():
            component.stop()
        until = time.monotonic() + timeout
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))
        for publisher in self.publishers:
            publisher.close(0.2)

    def ends(self) -> Ends:
        """Returns where each partition that this process writes to ends."""
        return {place: end for publisher in self.publishers for place, end in publisher.ends.copy().items()}

    def health(self, component: str) -> dict[str, Any]:
        """Figures for /healthz. component: recorder or analytics."""
        if component == "recorder":
            return {"active": self.recorder.active, "skipped_records": dict(self.recorder.bad)}
        if self.analytics is None:
            return {}
        return {"records": self.analytics.records, "skipped_records": self.analytics.bad_records}


def language_model() -> LanguageModel | None:
    model = settings.LAB.commentary
    return LanguageModel(model.base_url, model.model, model.api_key) if model.configured else None


_current: Components | None = None


def make_components(kafka: Connection, clocks: Clocks | None = None) -> Components:
    """Makes this process's components. `current` returns them from now on."""
    global _current
    publishers = [kafka.publisher()]
    derived = derived_roles()
    analytics, drills = None, Drills()
    if derived:
        tail = kafka.tail(WORKER_ROLES, "end", patience_ms=ANALYTICS_MS)
        publishers.append(kafka.publisher(ANALYTICS_MS))
        analytics = AnalyticsRunner(tail, kafka.codec, publishers[-1], derived, language_model(), drills)
    recorder = Recorder(
        lambda start, incarnation: kafka.tail(RECORDED_ROLES, start, incarnation, HISTORY_MS), kafka.codec
    )
    deployer = make_deployer(kafka, lambda: recorder.active)
    status = ComponentStatus(recorder, analytics, publishers, deployer)
    readers = _readers(publishers, recorder, analytics, drills) if kafka.settings.embedded else []
    worker = Worker(publishers[0], analytics, kafka.registry_error, status, readers, clocks, drills=drills)
    webhook = None
    if settings.LAB.webhook is not None:
        tail = kafka.tail(["race_control"], "end", patience_ms=HISTORY_MS)
        webhook = Webhook(settings.LAB.webhook, tail, kafka.codec, lambda: recorder.active)
    _current = Components(
        kafka, tuple(publishers), worker, analytics, recorder, status, deployer, webhook, drills
    )
    return _current


def _readers(
    publishers: list[Publisher], recorder: Recorder, analytics: AnalyticsRunner | None, drills: Drills
) -> list[Reader]:
    """Whom the worker of an embedded Kafka waits for.

    Pages show ticks at once, so they may be least behind. A history that waits for its database may be as far behind as
    the window reaches.
    """

    def ends() -> Ends:
        return {place: end for publisher in publishers for place, end in publisher.ends.copy().items()}

    def history() -> Lag:
        lag = recorder.lag(ends())
        return replace(lag, seconds=0.0) if recorder.stalled else lag

    readers = [
        Reader("the page", lambda: service().feed.lag(ends()), 2.0),
        Reader("the history", history, 5.0),
    ]
    if analytics is not None:

        def analysis() -> Lag:
            """The lag is the lesson of a drill: the race does not wait for it."""
            lag = analytics.lag(ends())
            return replace(lag, seconds=0.0) if drills.on("pause") else lag

        readers.append(Reader("the analysis", analysis, 5.0))
    return readers


def current() -> Components | None:
    """This process's components; None where it serves pages only."""
    return _current


def metric_families() -> list[Metric]:
    """Prometheus' figures of this process's components; none where it serves pages only."""
    if _current is None:
        return []
    worker, recorder = _current.worker, _current.recorder
    waiting = sum(one.waiting for one in _current.publishers)
    return [
        GaugeMetricFamily("f1_worker_races", "Races that this worker holds.", len(worker.scheduler.races)),
        GaugeMetricFamily(
            "f1_worker_worst_lateness_seconds",
            "The worst lateness of a tick in the last minute.",
            worker.worst_lateness_s(),
        ),
        GaugeMetricFamily(
            "f1_publisher_waiting_records", "Records that Kafka has not acknowledged yet.", waiting
        ),
        GaugeMetricFamily(
            "f1_recorder_active",
            "Whether the recorder of this process holds the lease.",
            int(recorder.active),
        ),
        GaugeMetricFamily("f1_recorder_ok", "Whether history is being written.", int(not recorder.trouble)),
        *lag_families("recorder", recorder.lag()),
        *(lag_families("analytics", _current.analytics.lag()) if _current.analytics else ()),
    ]


def lag_families(reader: str, lag: Lag) -> list[Metric]:
    return [
        GaugeMetricFamily(
            f"f1_{reader}_lag_records", f"Records that the {reader} has still to read.", lag.records
        ),
        GaugeMetricFamily(
            f"f1_{reader}_lag_seconds",
            f"How old the newest record is that the {reader} has read.",
            lag.seconds,
        ),
    ]
