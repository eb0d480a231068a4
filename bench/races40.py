"""40 races at the default pace at once in the embedded lab of one process: how late ticks are, and what it costs.

RACES40_RACES and RACES40_SECONDS shorten it. Lateness: from a tick's due time to its hand-over to Kafka, per tick.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from statistics import median, quantiles

from bench.process import LabProcess, lab, rss_kb

RACES, SECONDS = 40, 60.0
START_LIMIT_S = 120.0
LAPS = 40  # a default race would be over before the last one is entered


def lateness_ms(process: LabProcess, races: Iterable[str], since: float, until: float) -> list[float]:
    """Of every tick that was due in the window, sorted. Only a lab that is the worker itself knows it."""
    found = []
    for race_id in races:
        for row in process.get(f"/api/races/{race_id}/trace/").json()["ticks"]:
            if "due" in row and "sent" in row and since <= row["due"] < until:
                found.append((row["sent"] - row["due"]) * 1000)
    return sorted(found)


def start(process: LabProcess, count: int) -> list[str]:
    """Their ids, once all of them publish."""
    races = [process.start_race(seed=seed, laps=LAPS) for seed in range(count)]
    until = time.monotonic() + START_LIMIT_S
    while process.metric("f1_worker_races") < count:
        if time.monotonic() > until:
            raise RuntimeError(f"{process.metric('f1_worker_races'):.0f} of {count} races run")
        time.sleep(0.2)
    return races


def run() -> dict[str, object]:
    count = int(os.environ.get("RACES40_RACES", RACES))
    seconds = float(os.environ.get("RACES40_SECONDS", SECONDS))
    with lab() as process:
        races = start(process, count)
        time.sleep(5)  # grids and lights are easier than racing
        used, began = process.cpu_s(), time.monotonic()
        time.sleep(seconds)
        took, cpu = time.monotonic() - began, process.cpu_s() - used
        # at the end, because asking costs the lab time too
        late = lateness_ms(process, races, began, began + seconds)
        cut = quantiles(late, n=100)
        return {
            "races": count,
            "ticks": len(late),
            "lateness_p50_ms": round(median(late), 1),
            "lateness_p99_ms": round(cut[98], 1),
            "lateness_max_ms": round(max(late), 1),
            "cpu_share": round(cpu / took, 2),
            "rss_mb": round(rss_kb(process.pid) / 1024),
            "load_average": os.getloadavg()[0],
            "must_be_under": {"lateness_p99_ms": 50},
        }
