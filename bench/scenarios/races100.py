"""100 races at the default pace on a real Kafka, worker and web processes of their own: pace kept, processor, memory.

Needs Java and Maven, as `make test-integration` does. RACES100_RACES, RACES100_SECONDS and RACES100_WORKERS change it;
BENCH_BOOTSTRAP names a Kafka that runs already.
"""

from __future__ import annotations

import time
from typing import Any

from bench.harness import Usage, load_average, setting
from bench.services.cluster import cluster, running_ticks, start_races

RACES, SECONDS, WORKERS = 100, 60.0, 2  # workers: as many as there are cores
RACING_AFTER_S = 10.0  # grids are easier than racing
TICKS_PER_S = 5.0


def _measured(base: str, pids: dict[str, int], seconds: float) -> dict[str, Any]:
    usage, first, began = Usage(pids), running_ticks(base), time.monotonic()
    time.sleep(seconds)
    last, took = running_ticks(base), time.monotonic() - began
    pace = sorted((last[race] - first[race]) / took / TICKS_PER_S for race in first if race in last)
    return {
        "races": len(pace),
        "pace_kept_min": round(pace[0], 3),
        "pace_kept_median": round(pace[len(pace) // 2], 3),
        **usage.figures(),
    }


def run() -> dict[str, object]:
    count, seconds = int(setting("RACES100_RACES", RACES)), setting("RACES100_SECONDS", SECONDS)
    workers = int(setting("RACES100_WORKERS", WORKERS))
    with cluster() as found:
        pids = {f"worker {number}": found.system.worker().pid for number in range(workers)}
        web, base = found.system.web("daphne")
        pids |= {"web": web.pid} | ({"broker": found.broker} if found.broker else {})
        started_s = start_races(found.system, base, count)
        time.sleep(RACING_AFTER_S)
        figures = _measured(base, pids, seconds)
    return figures | {
        "all_running_after_s": round(started_s, 1),
        "workers": workers,
        **load_average(),
        "must_be": {"pace_kept_min": 0.98},
    }
