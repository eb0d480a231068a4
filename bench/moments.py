"""A big moment on the track to its line of commentary at the page, in milliseconds; six default races at once.

From the due time of the tick that holds the moment to the arrival of the message with the line. A line counts where it
belongs to the moment's own tick: it does when nothing was said in the two seconds before. What is told later is told
within 3 s or dropped, by the commentator's own rule, which tests/analytics holds. MOMENTS_SECONDS shortens it.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import time
from statistics import median, quantiles
from typing import Any

import websockets
from websockets.typing import Origin

from bench.process import LabProcess, lab

RACES, SECONDS = 6, 100.0
LINE = re.compile(r"<span>(.*?)</span></li>")
TICK = re.compile(r'data-tick="(\d+)"')
BIG = frozenset(
    {"lights_out", "chequered", "safety_car", "vsc", "green", "last_lap", "yellow", "retirement", "overtake"}
)
Seen = dict[str, float]


async def listen(process: LabProcess, race_id: str, seconds: float) -> Seen:
    """When each text came first, on the machine's monotonic clock."""
    seen: Seen = {}
    url, origin = f"ws://{process.base}/ws/races/{race_id}/", Origin(f"http://{process.base}")
    until = acked = time.monotonic()
    until += seconds
    async with websockets.connect(url, origin=origin, compression=None, max_size=None) as page:
        while time.monotonic() < until:
            message, at = str(await asyncio.wait_for(page.recv(), 20)), time.monotonic()
            for text in LINE.findall(message):
                seen.setdefault(html.unescape(text), at)
            tick = TICK.search(message)
            if tick and at - acked >= 1:
                acked = at
                await page.send(f"ack {tick[1]}")
    return seen


async def listen_to_all(process: LabProcess, races: list[str], seconds: float) -> list[Seen]:
    return list(await asyncio.gather(*(listen(process, race_id, seconds) for race_id in races)))


def delays_ms(process: LabProcess, race_id: str, seen: Seen) -> list[float]:
    """Of the lines that belong to a big moment's own tick."""
    report = process.get(f"/races/{race_id}/report.json").json()
    rows = process.get(f"/api/races/{race_id}/trace/").json()["ticks"]
    due = {row["tick"]: row["due"] for row in rows if "due" in row}
    big = {row["timestamp"]: row["tick"] for row in report["control"] if row["type"] in BIG}
    lines = [row for row in report["commentary"] if row["timestamp"] in big and row["message"] in seen]
    return [
        (seen[row["message"]] - due[big[row["timestamp"]]]) * 1000
        for row in lines
        if big[row["timestamp"]] in due
    ]


def run() -> dict[str, Any]:
    seconds = float(os.environ.get("MOMENTS_SECONDS", SECONDS))
    with lab() as process:
        races = [process.start_race(seed=seed) for seed in range(RACES)]
        time.sleep(1.5)
        heard = asyncio.run(listen_to_all(process, races, seconds))
        time.sleep(2)  # the recorder's last words
        found = [delays_ms(process, race_id, seen) for race_id, seen in zip(races, heard, strict=True)]
    delays = sorted(delay for one in found for delay in one)
    return {
        "races": len(races),
        "lines": sum(map(len, heard)),
        "told_at_once": len(delays),
        "p50_ms": round(median(delays), 1),
        "p90_ms": round(quantiles(delays, n=10)[8], 1),
        "max_ms": round(delays[-1], 1),
        "load_average": os.getloadavg()[0],
        "must_be_under": {"p50_ms": 300},
    }
