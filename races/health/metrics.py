"""/metrics: what this process counts, in Prometheus' text format. No secret is in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from races.health.database import limit_query_time
from races.lab import components
from races.lib.metrics import REGISTRY
from races.live.service import service
from races.middleware.allowed_methods import allow_methods
from races.models import Race

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Families = Iterable[Metric]


class _Families:
    """All that generate_latest asks of a registry."""

    def __init__(self, *sources: Callable[[], Families]) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        for source in self._sources:
            yield from source()


def text_of(*sources: Callable[[], Families]) -> bytes:
    """The counted figures, those of the process, and the families of the sources."""
    return generate_latest(cast(CollectorRegistry, _Families(REGISTRY.collect, *sources)))


def worker_text() -> bytes:
    """The figures of a worker that serves no pages."""
    return text_of(components.metric_families)


@allow_methods("GET")
def metrics(request: HttpRequest) -> HttpResponse:
    text = text_of(feed_families, socket_families, database_families, components.metric_families)
    return HttpResponse(text, content_type=CONTENT_TYPE)


def feed_families() -> Families:
    feed = service().feed
    records = CounterMetricFamily(
        "f1_feed_records", "Records that the page's feed has read.", labels=["topic"]
    )
    lag = GaugeMetricFamily(
        "f1_feed_lag", "Records that the page's feed has still to read.", labels=["topic"]
    )
    skipped = CounterMetricFamily(
        "f1_feed_skipped_records", "Records that could not be decoded and were skipped.", labels=["topic"]
    )
    lags = feed.lags()
    for role, name in settings.LAB.topics.items():
        records.add_metric([name], feed.rates.total(role))
        lag.add_metric([name], lags.get(role, 0))
        skipped.add_metric([name], feed.bad[role])
    return [records, lag, skipped, *components.lag_families("feed", feed.lag())]


def socket_families() -> Families:
    live = service()
    return [
        GaugeMetricFamily("f1_sockets", "Open sockets of pages.", live.hub.count()),
        CounterMetricFamily("f1_frames_sent", "Frames sent to pages.", live.hub.frames),
        CounterMetricFamily("f1_frames_skipped", "Frames left out for slow pages.", live.hub.skipped),
        CounterMetricFamily("f1_feed_restarts", "How often the feed had to begin again.", live.restarts),
        GaugeMetricFamily("f1_tasks", "Tasks of the event loop.", live.tasks()),
        GaugeMetricFamily("f1_threads", "Threads of the process.", threading.active_count()),
    ]


def database_families() -> Families:
    up = "Whether the database answers within seconds: 1 or 0."
    try:
        limit_query_time()
        active = Race.objects.active().count()
    except AnyDatabaseError:
        return [GaugeMetricFamily("f1_database_up", up, 0)]
    return [
        GaugeMetricFamily("f1_database_up", up, 1),
        GaugeMetricFamily("f1_races_active", "Races that are queued or running.", active),
    ]
