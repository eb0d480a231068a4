"""A whole lab for a benchmark: real Kafka, registry, and a System with worker and web processes of their own."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.services.kafka import RealKafka
from bench.services.registry_http import serve
from bench.services.system import System
from races.streams.config import StreamSettings
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES

LAPS = 50  # so that the first race still runs when the last has started
START_LIMIT_S = 240.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """`broker` is the broker's process id, None where the Kafka was there already."""

    system: System
    broker: int | None


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Ends with the context. A Kafka that BENCH_BOOTSTRAP names is used; else one is started."""
    with (
        tempfile.TemporaryDirectory() as name,
        _kafka(Path(name)) as (bootstrap, broker),
        serve(Registry()) as registry,
    ):
        settings = StreamSettings(
            embedded=False,
            librdkafka={"bootstrap.servers": bootstrap},
            registry_url=registry.url,
            topics={role: f"b{os.getpid()}-{topic}" for role, topic in DEFAULT_NAMES.items()},
        )
        with System(Path(name) / "system", settings, registry.url) as system:
            yield Cluster(system, broker)


@contextmanager
def _kafka(folder: Path) -> Iterator[tuple[str, int | None]]:
    if given := os.environ.get("BENCH_BOOTSTRAP"):
        yield given, None
        return
    broker = RealKafka(folder)
    broker.start()
    try:
        yield broker.bootstrap, broker.process.pid
    finally:
        broker.stop()


def running_ticks(base: str) -> dict[str, int]:
    """The tick of each race that runs, published or recorded."""
    rows = requests.get(f"http://{base}/api/races/", timeout=60).json()["races"]
    return {row["id"]: row["tick"] for row in rows if row["status"] == "running"}


def start_races(system: System, base: str, count: int) -> float:
    """Enters races, and returns the seconds until every one runs. Raises TimeoutError."""
    began = time.monotonic()
    session = requests.Session()
    session.get(f"http://{base}/", timeout=60)
    token = session.cookies["csrftoken"]
    for seed in range(count):
        fields: dict[str, str | int] = {
            "driver": "NOR",
            "seed": seed,
            "laps": LAPS,
            "csrfmiddlewaretoken": token,
        }
        answer = session.post(f"http://{base}/races/", data=fields, allow_redirects=False, timeout=60)
        answer.raise_for_status()
    system.wait(lambda: len(running_ticks(base)) >= count, f"{count} races run", START_LIMIT_S)
    return time.monotonic() - began
