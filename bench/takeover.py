"""A worker that holds 40 default races is killed in mid-race: seconds until the other one has all of them going again.

On a real Kafka, so it needs Java and Maven. TAKEOVER_RACES changes the number, RACES100_BOOTSTRAP names a Kafka that
runs already. The second worker is there from the start, as it is where somebody cares; the lease is 6 s.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from bench.races100 import kafka, progress, start, streams
from races.streams.registry.service import Registry
from tests.integration.system import System
from tests.streams.registry_http import serve

RACES, LEASE_S, LIMIT_S = 40, 6.0, 120.0
RACED_S = 45.0  # half a default race
FURTHER = 20  # more than the reserve: ticks that nobody had published


def _going_again(base: str, before: dict[str, int], killed: float) -> list[float]:
    """Seconds after the kill, sorted, at which each race had gone on."""
    found: dict[str, float] = {}
    while len(found) < len(before):
        now = time.monotonic() - killed
        if now > LIMIT_S:
            raise RuntimeError(f"{len(found)} of {len(before)} races go on")
        for race, tick in progress(base).items():
            if tick >= before.get(race, tick) + FURTHER:
                found.setdefault(race, now)
        time.sleep(0.1)
    return sorted(found.values())


def run() -> dict[str, object]:
    count = int(os.environ.get("TAKEOVER_RACES", RACES))
    with (
        tempfile.TemporaryDirectory() as name,
        kafka(Path(name)) as (bootstrap, _),
        serve(Registry()) as registry,
    ):
        system = System(Path(name) / "system", streams(bootstrap, registry.url), registry.url)
        try:
            holder = system.worker()
            _, base = system.web("daphne")
            start(system, base, count)
            heir = system.worker()
            time.sleep(RACED_S)
            assert heir.poll() is None, system.logs()
            before, killed = progress(base), time.monotonic()
            holder.kill()
            times = _going_again(base, before, killed)
        finally:
            system.close()
    return {
        "races": len(times),
        "ticks_at_the_kill": round(sum(before.values()) / len(before)),
        "first_s": round(times[0], 1),
        "median_s": round(times[len(times) // 2], 1),
        "last_s": round(times[-1], 1),
        "last_after_the_lease_s": round(times[-1] - LEASE_S - FURTHER * 0.2, 1),
        "load_average": os.getloadavg()[0],
        "must_be_under": {"last_after_the_lease_s": 15},
    }
