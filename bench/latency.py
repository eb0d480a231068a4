"""A tick's publishing to its WebSocket frame at one spectator, milliseconds; bytes a spectator gets a second."""

from __future__ import annotations

import asyncio
import re
import time
from statistics import median, quantiles
from typing import Any

import websockets
from websockets.typing import Origin

from bench.process import LabProcess, lab

SECONDS = 60
TICK = re.compile(r'data-tick="(\d+)"')


async def watch(process: LabProcess, race_id: str, seconds: float) -> dict[str, list[Any]]:
    """Arrival times by tick, and the size of every message after the snapshot."""
    url = f"ws://{process.base}/ws/races/{race_id}/"
    arrivals: list[tuple[int, float]] = []
    sizes: list[int] = []
    async with websockets.connect(
        url, origin=Origin(f"http://{process.base}"), compression=None, max_size=None
    ) as page:
        await page.recv()
        began = acked = time.monotonic()
        while time.monotonic() - began < seconds:
            message = await asyncio.wait_for(page.recv(), 10)
            at = time.monotonic()
            sizes.append(len(message))
            found = TICK.search(str(message))
            if found is None:
                continue
            arrivals.append((int(found[1]), at))
            if time.monotonic() - acked >= 1:
                acked = time.monotonic()
                await page.send(f"ack {found[1]}")
    return {"arrivals": arrivals, "sizes": sizes}


def published_at(process: LabProcess, race_id: str) -> dict[int, float]:
    """When the worker began to hand each tick to Kafka, on the machine's monotonic clock."""
    rows = process.get(f"/api/races/{race_id}/trace/").json()["ticks"]
    return {row["tick"]: row["simulated"] for row in rows if "simulated" in row}


def run() -> dict[str, object]:
    with lab() as process:
        race_id = process.start_race(seed=1)
        time.sleep(1.5)
        seen = asyncio.run(watch(process, race_id, SECONDS))
        published = published_at(process, race_id)
    delays = sorted(
        (at - published[tick]) * 1000 for tick, at in seen["arrivals"] if tick in published and tick > 30
    )
    cut = quantiles(delays, n=100)
    return {
        "p50_ms": round(median(delays), 1),
        "p99_ms": round(cut[98], 1),
        "max_ms": round(delays[-1], 1),
        "frames": len(delays),
        "kb_per_s": round(sum(seen["sizes"]) / SECONDS / 1000, 2),
        "must_be_under": {"p50_ms": 15, "p99_ms": 40, "kb_per_s": 12},
    }
