"""40 races at the default pace at once in the embedded lab of one process: how late ticks are, and what it costs.

RACES40_RACES and RACES40_SECONDS shorten it. Lateness runs from a tick's due time to its hand-over to Kafka.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from bench.harness import RACING_AFTER_S, LabProcess, lab, load_average, percentiles, setting

RACES, SECONDS = 40, 60.0
LAPS = 40  # a default race would be over before the last one is entered


def lateness_ms(process: LabProcess, races: Iterable[str], since: float, until: float) -> list[float]:
    """Lateness of every tick that was due in the window. Only a lab that is the worker itself knows it."""
    found = []
    for race_id in races:
        sent = process.traced(race_id, "sent")
        due = {tick: at for tick, at in process.due_times(race_id).items() if since <= at < until}
        found += [(sent[tick] - at) * 1000 for tick, at in due.items() if tick in sent]
    return found


def run() -> dict[str, object]:
    count, seconds = int(setting("RACES40_RACES", RACES)), setting("RACES40_SECONDS", SECONDS)
    with lab() as process:
        races = process.start_races(count, LAPS)
        time.sleep(RACING_AFTER_S)
        usage, began = process.usage(), time.monotonic()
        time.sleep(seconds)
        used = {name: by["lab"] for name, by in usage.figures().items()}
        # Asking for the traces costs the lab time, so it comes last.
        late = lateness_ms(process, races, began, began + seconds)
    return {
        "races": count,
        "ticks": len(late),
        **percentiles(late, "lateness_"),
        **used,
        **load_average(),
        "must_be_under": {"lateness_p99_ms": 50},
    }
