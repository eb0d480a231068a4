"""Figures for Prometheus that are counted where they happen; /metrics reads them and adds the state of its process."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no type for it
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

TICK_LATENESS = Histogram(
    "f1_tick_lateness_seconds",
    "How late a tick was sent to Kafka, measured from the instant when it was due.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),
    registry=REGISTRY,
)
PAGE_DELAY = Histogram(
    "f1_page_delay_seconds",
    "The time from reading a tick off Kafka to handing its message to the sockets, in this process.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),
    registry=REGISTRY,
)
KAFKA_REFUSED = Counter(
    "f1_embedded_kafka_refused",
    "Connections to the embedded Kafka that were closed because of what they sent.",
    registry=REGISTRY,
)
