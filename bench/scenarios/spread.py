"""500 spectators spread over 20 races of one embedded lab: whether each gets every tick of its race, and how late.

Delay: from a tick's due time to its arrival at each spectator. A tick that is missing, comes twice or belongs to
another race breaks a spectator's count and is a gap. SPREAD_RACES, SPREAD_SOCKETS and SPREAD_SECONDS change it.
"""

from __future__ import annotations

import time

from bench.harness import RACING_AFTER_S, LabProcess, lab, load_average, percentiles, setting
from bench.loadclient import Audience
from bench.scenarios.races40 import LAPS

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
        (number, tick): at
        for number, race_id in enumerate(races)
        for tick, at in process.due_times(race_id).items()
    }
    return [(at - due[race, tick]) * 1000 for race, tick, at in arrivals if (race, tick) in due]


def run() -> dict[str, object]:
    races, sockets = int(setting("SPREAD_RACES", RACES)), int(setting("SPREAD_SOCKETS", SOCKETS))
    seconds = setting("SPREAD_SECONDS", SECONDS)
    with lab() as process:
        running = process.start_races(races, LAPS)
        time.sleep(RACING_AFTER_S)
        usage = process.usage()
        audience, arrivals = _watch(process, running, sockets, seconds)
        cpu_share = usage.figures()["cpu_share"]["lab"]
        delays = _delays_ms(process, running, arrivals)
        here, gaps = len(audience.joined), sum(one.gaps for one in audience.spectators)
        audience.close()
    return {
        "races": races,
        "sockets": sockets,
        "still_there": here,
        "delivered": len(arrivals),
        "expected": round(sockets * seconds * 5),
        "gaps": gaps,
        **percentiles(delays),
        "cpu_share": cpu_share,
        **load_average(),
        "must_be": {"gaps": 0, "p99_ms": "under 150"},
    }
