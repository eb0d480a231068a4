"""500 spectators spread over 20 races of one embedded lab: whether each gets every tick of its race, and how late.

Delay: from a tick's due time to its arrival at each spectator. A tick that is missing, comes twice or belongs to
another race breaks a spectator's count and is a gap. SPREAD_RACES, SPREAD_SOCKETS and SPREAD_SECONDS change it.
"""

from __future__ import annotations

import os
import time
from statistics import quantiles

from bench.loadclient import Audience
from bench.process import LabProcess, lab
from bench.races40 import start

RACES, SOCKETS, SECONDS = 20, 500, 40.0
JOIN_LIMIT_S = 30.0
Arrival = tuple[int, int, float]  # race, tick, when


def _watch(
    process: LabProcess, races: list[str], sockets: int, seconds: float
) -> tuple[Audience, list[Arrival]]:
    arrivals: list[Arrival] = []
    host, port = process.base.split(":")
    paths = [f"/ws/races/{race_id}/" for race_id in races]
    audience = Audience(
        (host, int(port)), paths, lambda race, tick: arrivals.append((race, tick, time.monotonic()))
    )
    audience.join(sockets, JOIN_LIMIT_S)
    audience.acknowledge = audience.measuring = True
    audience.run(seconds)
    return audience, arrivals


def _delays_ms(process: LabProcess, races: list[str], arrivals: list[Arrival]) -> list[float]:
    due = {
        (number, row["tick"]): row["due"]
        for number, race_id in enumerate(races)
        for row in process.get(f"/api/races/{race_id}/trace/").json()["ticks"]
        if "due" in row
    }
    return sorted((at - due[race, tick]) * 1000 for race, tick, at in arrivals if (race, tick) in due)


def run() -> dict[str, object]:
    races, sockets = (
        int(os.environ.get("SPREAD_RACES", RACES)),
        int(os.environ.get("SPREAD_SOCKETS", SOCKETS)),
    )
    seconds = float(os.environ.get("SPREAD_SECONDS", SECONDS))
    with lab() as process:
        running = start(process, races)
        time.sleep(5)  # grids and lights are easier than racing
        used, began = process.cpu_s(), time.monotonic()
        audience, arrivals = _watch(process, running, sockets, seconds)
        took, cpu = time.monotonic() - began, process.cpu_s() - used
        delays = _delays_ms(process, running, arrivals)
        cut = quantiles(delays, n=100)
        here, gaps = len(audience.joined), sum(one.gaps for one in audience.spectators)
        audience.close()
    return {
        "races": races,
        "sockets": sockets,
        "still_there": here,
        "delivered": len(arrivals),
        "expected": round(sockets * seconds * 5),
        "gaps": gaps,
        "p50_ms": round(cut[49], 1),
        "p99_ms": round(cut[98], 1),
        "cpu_share": round(cpu / took, 2),
        "load_average": os.getloadavg()[0],
        "must_be": {"gaps": 0, "p99_ms": "under 150"},
    }
