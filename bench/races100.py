"""100 races at the default pace on a real Kafka, worker and web processes of their own: pace kept, processor, memory.

Needs Java and Maven, as `make test-integration` does. RACES100_RACES, RACES100_SECONDS shorten it;
RACES100_WORKERS and RACES100_BOOTSTRAP (a Kafka that runs already, else one is started here) change it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bench.process import cpu_seconds, rss_kb
from races.streams.config import StreamSettings
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES
from tests.integration.kafka import RealKafka
from tests.integration.system import System
from tests.streams.registry_http import serve

RACES, SECONDS, WORKERS = 100, 60.0, 2  # workers: as many as there are cores
START_LIMIT_S = 240.0
LAPS = 50  # so that the first still runs when the last has started
TICKS_PER_S = 5.0


@contextmanager
def kafka(folder: Path) -> Iterator[tuple[str, int | None]]:
    """Bootstrap, and the broker's process id where it is ours."""
    given = os.environ.get("RACES100_BOOTSTRAP")
    if given:
        yield given, None
        return
    broker = RealKafka(folder)
    broker.start()
    try:
        yield broker.bootstrap, broker.process._process.pid
    finally:
        broker.stop()


def streams(bootstrap: str, registry_url: str) -> StreamSettings:
    return StreamSettings(
        embedded=False,
        librdkafka={"bootstrap.servers": bootstrap},
        registry_url=registry_url,
        topics={role: f"b{os.getpid()}-{topic}" for role, topic in DEFAULT_NAMES.items()},
    )


def progress(base: str) -> dict[str, int]:
    """Published or recorded ticks by race, of those that run."""
    rows = requests.get(f"http://{base}/api/races/", timeout=60).json()["races"]
    return {row["id"]: row["tick"] for row in rows if row["status"] == "running"}


def start(system: System, base: str, count: int) -> float:
    """Seconds until every race is on."""
    began = time.monotonic()
    session = requests.Session()
    session.get(f"http://{base}/", timeout=60)
    for seed in range(count):
        fields = {
            "driver": "NOR",
            "seed": seed,
            "laps": LAPS,
            "csrfmiddlewaretoken": session.cookies["csrftoken"],
        }
        session.post(
            f"http://{base}/races/", data=fields, allow_redirects=False, timeout=60
        ).raise_for_status()
    while len(progress(base)) < count:
        if time.monotonic() - began > START_LIMIT_S:
            raise RuntimeError(f"{len(progress(base))} of {count} races run\n{system.logs()}")
        time.sleep(0.5)
    return time.monotonic() - began


def _measured(base: str, pids: dict[str, int], seconds: float) -> dict[str, Any]:
    used, first, began = {n: cpu_seconds(p) for n, p in pids.items()}, progress(base), time.monotonic()
    time.sleep(seconds)
    last, took = progress(base), time.monotonic() - began
    pace = sorted((last[race] - first[race]) / took / TICKS_PER_S for race in first if race in last)
    return {
        "races": len(pace),
        "pace_kept_min": round(pace[0], 3),
        "pace_kept_median": round(pace[len(pace) // 2], 3),
        "cpu_share": {n: round((cpu_seconds(p) - used[n]) / took, 2) for n, p in pids.items()},
        "rss_mb": {n: round(rss_kb(p) / 1024) for n, p in pids.items()},
    }


def run() -> dict[str, object]:
    count, seconds = (
        int(os.environ.get("RACES100_RACES", RACES)),
        float(os.environ.get("RACES100_SECONDS", SECONDS)),
    )
    workers = int(os.environ.get("RACES100_WORKERS", WORKERS))
    with (
        tempfile.TemporaryDirectory() as name,
        kafka(Path(name)) as (bootstrap, broker),
        serve(Registry()) as registry,
    ):
        system = System(Path(name) / "system", streams(bootstrap, registry.url), registry.url)
        try:
            pids = {f"worker {number}": system.worker().pid for number in range(workers)}
            web, base = system.web("daphne")
            pids |= {"web": web.pid} | ({"broker": broker} if broker else {})
            started_s = start(system, base, count)
            time.sleep(10)  # grids are easier than racing
            figures = _measured(base, pids, seconds)
        finally:
            system.close()
    return figures | {
        "all_running_after_s": round(started_s, 1),
        "workers": workers,
        "load_average": os.getloadavg()[0],
        "must_be": {"pace_kept_min": 0.98},
    }
