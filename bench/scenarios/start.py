"""Warm start: from `runlab` to the first 200 on /, seconds."""

from __future__ import annotations

from statistics import median

from bench.harness import lab

RUNS = 5


def run() -> dict[str, object]:
    seconds = []
    for _ in range(RUNS):
        with lab() as process:
            seconds.append(round(process.started_s, 2))
    return {"start_s": median(seconds), "runs": seconds, "must_be_under_s": 1.5}
