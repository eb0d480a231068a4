"""A worker that holds 40 default races is killed in mid-race: seconds until the other one has all of them going again.

On a real Kafka, so it needs Java and Maven; BENCH_BOOTSTRAP names one that runs already. TAKEOVER_RACES changes the
number. The second worker is there from the start, as in an installation that is to survive this. The lease is 6 s.
"""

from __future__ import annotations

import time

from bench.harness import load_average, setting
from bench.services.cluster import cluster, running_ticks, start_races

RACES, LEASE_S, LIMIT_S = 40, 6.0, 120.0
RACED_S = 45.0  # half a default race
FURTHER = 20  # more than the reserve: ticks that nobody had published


def _going_again(base: str, before: dict[str, int], killed: float) -> list[float]:
    """Seconds after the kill, sorted, at which each race had gone on. Raises TimeoutError."""
    found: dict[str, float] = {}
    while len(found) < len(before):
        now = time.monotonic() - killed
        if now > LIMIT_S:
            raise TimeoutError(f"{len(found)} of {len(before)} races go on")
        for race, tick in running_ticks(base).items():
            if tick >= before.get(race, tick) + FURTHER:
                found.setdefault(race, now)
        time.sleep(0.1)
    return sorted(found.values())


def run() -> dict[str, object]:
    with cluster() as found:
        system = found.system
        holder = system.worker()
        _, base = system.web("daphne")
        start_races(system, base, int(setting("TAKEOVER_RACES", RACES)))
        heir = system.worker()
        time.sleep(RACED_S)
        assert heir.poll() is None, system.logs()
        before, killed = running_ticks(base), time.monotonic()
        holder.kill()
        times = _going_again(base, before, killed)
    return {
        "races": len(times),
        "ticks_at_the_kill": round(sum(before.values()) / len(before)),
        "first_s": round(times[0], 1),
        "median_s": round(times[len(times) // 2], 1),
        "last_s": round(times[-1], 1),
        "last_after_the_lease_s": round(times[-1] - LEASE_S - FURTHER * 0.2, 1),
        **load_average(),
        "must_be_under": {"last_after_the_lease_s": 15},
    }
