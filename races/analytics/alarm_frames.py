"""Readings of one instant, put together: what the alarm rule judges at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, NamedTuple

START_MS = 10_000  # until then it is not known which cars there are
PATIENCE_MS = 30_000  # records of one instant come from several partitions
AHEAD_MS = 10_000  # further on than half of the cars no single one can be
MOST_OPEN = 1000


class Sample(NamedTuple):
    """A reading in degrees Celsius with its forecast, interval and flag, as far as the record has them."""

    reading: float
    forecast: float | None
    lower: float | None
    upper: float | None
    flag: bool | None

    @property
    def surprise(self) -> float | None:
        """Signed degrees off the forecast, without one beyond the broken bound; None without either."""
        if self.forecast is not None:
            return self.reading - self.forecast
        if self.upper is not None and self.reading > self.upper:
            return self.reading - self.upper
        if self.lower is not None and self.reading < self.lower:
            return self.reading - self.lower
        return None


Frame = dict[str, Sample]


def sample_of(record: Mapping[str, Any]) -> Sample | None:
    """The sample of an anomaly record; None for a record without a reading."""
    reading = _finite(record.get("engine_temperature"))
    if reading is None:
        return None
    return Sample(
        reading,
        _finite(record.get("forecast_value")),
        _finite(record.get("lower_bound")),
        _finite(record.get("upper_bound")),
        record.get("is_anomaly"),
    )


NUMBER = (float, int)


def _finite(value: Any) -> float | None:
    return value if isinstance(value, NUMBER) and isfinite(value) else None


class Frames:
    """Puts the readings of one instant together, in order of time, late and repeated ones left out."""

    def __init__(self) -> None:
        self._open: dict[int, Frame] = {}
        self._cars: set[str] = set()
        self._last: dict[str, int] = {}
        self._oldest = self._newest = self._done = -1
        self._started = False

    def add(self, key: str, ts: int, sample: Sample) -> list[tuple[int, Frame]]:
        """Takes a sample in, and returns the instants that are complete now, in order."""
        self._cars.add(key)
        if ts <= self._done:
            return []
        frame = self._open.get(ts)
        if frame is None:
            frame = self._open[ts] = {}
            if len(self._open) > MOST_OPEN:
                del self._open[max(self._open)]
            self._oldest = min(self._open)
        self._move_clock(key, ts)
        frame.setdefault(key, sample)
        if len(frame) < len(self._cars) and self._newest - self._oldest < PATIENCE_MS:
            return []
        ripe = []
        while self._open:
            waited = self._newest - self._oldest
            self._started = self._started or waited >= START_MS
            complete = self._started and len(self._open[self._oldest]) == len(self._cars)
            if not complete and waited < PATIENCE_MS:
                break
            ripe.append(self._close())
        return ripe

    def _move_clock(self, key: str, ts: int) -> None:
        """Moves the clock to the newest instant that is not far ahead of half of the cars."""
        self._last[key] = max(ts, self._last.get(key, ts))
        if self._newest - AHEAD_MS <= ts <= self._newest:
            return
        instants = sorted(self._last.values())
        limit = instants[(len(instants) - 1) // 2] + AHEAD_MS
        self._newest = max(instant for instant in instants if instant <= limit)

    def rest(self) -> Iterator[tuple[int, Frame]]:
        while self._open:
            yield self._close()

    def _close(self) -> tuple[int, Frame]:
        ts = self._done = self._oldest
        frame = self._open.pop(ts)
        self._oldest = min(self._open, default=ts)
        if len(frame) < len(self._cars):  # a car that has gone is not waited for again
            self._cars = set(frame).union(*self._open.values())
        return ts, frame
