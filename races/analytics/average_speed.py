"""Average speed: what `AVG(speed)`, grouped by driver and race, gives on the same records.

Flink writes an upsert for every record that comes in. People who look at a page need one a second,
so the embedded engine writes each driver's average on every fifth tick, and always on the last one: the
value that stands at the end is the same to the last bit, since both add up doubles in the records' order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TICKS_BETWEEN = 5
"""One wall second: a driver's average is written on the ticks that this divides."""


class AverageSpeed:
    """Running means of one race. Every record counts, as in SQL: those on the grid and after the flag too."""

    def __init__(self) -> None:
        self._sums: dict[str, list[float]] = {}
        self._ticks: dict[str, int] = {}

    def feed(self, record: Mapping[str, Any]) -> float | None:
        """The driver's average in km/h if it is due at this record. A repeated tick counts once."""
        driver, tick = record["driver_name"], record["tick"]
        if tick <= self._ticks.get(driver, -1):
            return None
        self._ticks[driver] = tick
        total = self._sums.setdefault(driver, [0.0, 0])
        total[0] += record["speed"]
        total[1] += 1
        due = tick % TICKS_BETWEEN == 0 or record["phase"] == "over" or record["flag"] == "red"
        return total[0] / total[1] if due else None

    def of(self, driver_name: str) -> float | None:
        """The average so far, whether or not it has been written."""
        total = self._sums.get(driver_name)
        return total[0] / total[1] if total else None
