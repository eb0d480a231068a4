"""Best sectors, by car and overall: what the board remembers from earlier ticks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from races.board.frames import Frame


class SectorBests:
    """Remembers the best of each sector, by car and overall: a single tick does not tell it."""

    def __init__(self, last: Frame | None, ends: tuple[float, float] = (1 / 3, 2 / 3)) -> None:
        self._ends = ends
        cars = last["cars"] if last else []
        self._cars = {car["driver_code"]: list(car["best_sectors"]) for car in cars}
        self._overall: list[float | None] = list(last["best_sectors"]) if last else [None] * 3
        self._heard: dict[str, tuple[float | None, ...]] = {}  # sector times change three times a lap

    def learn(self, records: list[dict[str, Any]]) -> None:
        for car in records:
            code, times = car["driver_code"], (car["sector_1_s"], car["sector_2_s"], car["sector_3_s"])
            if self._heard.get(code) == times:
                continue
            self._heard[code] = times
            bests = self._cars.setdefault(code, [None, None, None])
            for index, time in enumerate(times):
                if time is not None:
                    bests[index] = _better(time, bests[index])
                    self._overall[index] = _better(time, self._overall[index])

    def overall(self) -> list[float | None]:
        return list(self._overall)

    def of(self, code: str) -> list[float | None]:
        return list(self._cars[code])

    def news(self, share: float) -> bool:
        """Returns whether a car is in the first half of a sector: so long the times of its last one have a colour."""
        ends = (0.0, *self._ends, 1.0)
        return any(start <= share < (start + end) / 2 for start, end in pairwise(ends))

    def marks(self, code: str, sectors: list[float | None], lap: int, share: float) -> list[str]:
        """Marks the newest sector while its time is news; a first lap's sectors are always a car's best.

        share: of the lap that the car has covered.
        """
        marks = ["", "", ""]
        if not self.news(share):
            return marks
        newest = sum(share >= end for end in self._ends) - 1
        time, own, overall = sectors[newest], self._cars[code][newest], self._overall[newest]
        first = lap <= (2 if newest == -1 else 1)
        if time is not None and time == overall:
            marks[newest] = "purple"
        elif time is not None and time == own and not first:
            marks[newest] = "green"
        return marks


def _better(time: float, best: float | None) -> float:
    return time if best is None or time < best else best
