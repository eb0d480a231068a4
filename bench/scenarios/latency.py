"""A tick's publishing to its WebSocket frame at one spectator, milliseconds; bytes a spectator gets a second."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import websockets

from bench.harness import LabProcess, lab, percentiles

SECONDS = 60
TICK = re.compile(r'data-tick="(\d+)"')


async def watch(process: LabProcess, race_id: str, seconds: float) -> dict[str, list[Any]]:
    """Arrival times by tick, and the size of every message after the snapshot."""
    url, origin = process.socket(race_id)
    arrivals: list[tuple[int, float]] = []
    sizes: list[int] = []
    async with websockets.connect(url, origin=origin, compression=None, max_size=None) as page:
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


def run() -> dict[str, object]:
    with lab() as process:
        race_id = process.start_race(seed=1)
        time.sleep(1.5)
        seen = asyncio.run(watch(process, race_id, SECONDS))
        published = process.traced(race_id, "simulated")  # when its hand-over to Kafka began
    racing = [(tick, at) for tick, at in seen["arrivals"] if tick in published and tick > 30]
    delays = [(at - published[tick]) * 1000 for tick, at in racing]
    return {
        **percentiles(delays),
        "frames": len(delays),
        "kb_per_s": round(sum(seen["sizes"]) / SECONDS / 1000, 2),
        "must_be_under": {"p50_ms": 15, "p99_ms": 40, "kb_per_s": 12},
    }
