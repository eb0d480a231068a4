"""Seek in a finished default race: from the request to the whole page's cells at that tick, milliseconds."""

from __future__ import annotations

import random
import time
from statistics import median

from bench.harness import LabProcess, lab, percentiles

SEEKS = 200
FINISH_WITHIN_S = 240


def run() -> dict[str, object]:
    with lab(F1_ANOMALY_DETECTION="1") as process:
        race = process.start_race(seed=11)
        last = _finished(process, race)
        draw = random.Random(1)
        seeks = [_ms(process, f"/races/{race}/replay/{draw.randint(0, last)}/") for _ in range(SEEKS)]
        batches = sorted(
            _ms(process, f"/races/{race}/replay/{last // 9 * n}/on/?step=8&count=25") for n in range(8)
        )
    return {
        **percentiles(seeks, "seek_"),
        "five_seconds_at_8x_p50_ms": round(median(batches), 1),
        "ticks": last + 1,
        "seeks": SEEKS,
        "must_be_under_ms": 150,
    }


def _finished(process: LabProcess, race: str) -> int:
    """The last tick. Raises TimeoutError."""
    end = time.monotonic() + FINISH_WITHIN_S
    while time.monotonic() < end:
        state = process.get(f"/api/races/{race}/").json()
        if state["status"] == "finished":
            return int(state["tick"])
        time.sleep(0.5)
    raise TimeoutError(f"the race did not finish within {FINISH_WITHIN_S} s")


def _ms(process: LabProcess, path: str) -> float:
    began = time.perf_counter()
    process.get(path).raise_for_status()
    return (time.perf_counter() - began) * 1000
