"""The engines' readings and alarms of a race, at any instant of it."""

from __future__ import annotations

import uuid
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from math import isnan, nan
from typing import Any

from races.analytics.alarm_frames import Sample
from races.board.frames import Anomaly, Trace
from races.board.logs import TRACE_SECONDS, in_order, trace_of
from races.board.storage import unpack_readings
from races.models import Alarm, Race

RACES_KEPT = 2  # a Grand Prix in real time has 600,000 readings: 25 MB


@dataclass(slots=True)
class Readings:
    """The readings of one car in the order of time; nan where a record has no value."""

    at: array[int] = field(default_factory=lambda: array("q"))
    reading: array[float] = field(default_factory=lambda: array("d"))
    forecast: array[float] = field(default_factory=lambda: array("d"))
    lower: array[float] = field(default_factory=lambda: array("d"))
    upper: array[float] = field(default_factory=lambda: array("d"))
    flagged: array[int] = field(default_factory=lambda: array("q"))  # the instants

    def add(self, ts: int, record: dict[str, Any]) -> None:
        self.at.append(ts)
        self.reading.append(record["engine_temperature"])
        self.forecast.append(_or_nan(record["forecast_value"]))
        self.lower.append(_or_nan(record["lower_bound"]))
        self.upper.append(_or_nan(record["upper_bound"]))
        if record["is_anomaly"]:
            self.flagged.append(ts)

    def is_flagged(self, ts: int) -> bool:
        place = bisect_left(self.flagged, ts)
        return place < len(self.flagged) and self.flagged[place] == ts

    def trace(self, now: int) -> Trace | None:
        """One sample a second, a flagged one before its neighbours, as the live page draws them."""
        samples: dict[int, Sample] = {}
        end = bisect_right(self.at, now)
        for index in range(bisect_left(self.at, now - TRACE_SECONDS * 1000), end):
            second, flag = self.at[index] // 1000, self.is_flagged(self.at[index])
            if second not in samples or flag:
                forecast, lower, upper = self.forecast[index], self.lower[index], self.upper[index]
                samples[second] = Sample(
                    self.reading[index], _or_none(forecast), _or_none(lower), _or_none(upper), flag
                )
        return trace_of(samples) if samples else None


def _or_nan(value: float | None) -> float:
    return nan if value is None else value


def _or_none(value: float) -> float | None:
    return None if isnan(value) else value


@dataclass(frozen=True, slots=True)
class Engines:
    cars: dict[str, Readings] = field(default_factory=dict)
    alarms: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def newest(self, now: int) -> dict[str, Anomaly]:
        found = {}
        for code, car in self.cars.items():
            place = bisect_right(car.at, now) - 1
            if place < 0:
                continue
            raised = self._raised(code, now)
            found[code] = Anomaly(
                ts=car.at[place],
                reading=car.reading[place],
                forecast=_or_none(car.forecast[place]),
                lower=_or_none(car.lower[place]),
                upper=_or_none(car.upper[place]),
                flag=car.is_flagged(car.at[place]),
                flags=bisect_right(car.flagged, now),
                alarm=max(raised, key=lambda alarm: (alarm["end"] is None, alarm["start"]), default=None),
                alarms=len(raised),
            )
        return found

    def _raised(self, code: str, now: int) -> list[dict[str, Any]]:
        """How bad an alarm gets is known at its end only; while it lasts its severity stays open."""
        return [
            alarm
            if alarm["end"] is not None and alarm["end"] <= now
            else alarm | {"end": None, "severity": ""}
            for alarm in self.alarms.get(code, [])
            if alarm["start"] <= now
        ]

    def traces(self, now: int, own: str) -> dict[str, Trace]:
        """Returns the traces that the board would give at this instant."""
        raised = {code: self._raised(code, now) for code in self.cars}
        starts = {code: max(alarm["start"] for alarm in found) for code, found in raised.items() if found}
        traces = ((code, self.cars[code].trace(now)) for code in in_order(self.cars, starts, own))
        return {code: trace for code, trace in traces if trace}


def engines_of(race: Race) -> Engines:
    return stored_engines(race.pk, race.reading_chunks.count())


@lru_cache(maxsize=RACES_KEPT)
def stored_engines(race_id: uuid.UUID, chunks: int) -> Engines:
    """Reads all readings of a race. `chunks` is part of the cache's key: Flink's last records come after the flag."""
    readings: dict[str, dict[int, dict[str, Any]]] = {}
    race = Race.objects.only("pk").get(pk=race_id)
    for chunk in race.reading_chunks.all():
        for code, ts, record in unpack_readings(bytes(chunk.data)):
            readings.setdefault(code, {}).setdefault(ts, record)
    cars = {code: Readings() for code in sorted(readings)}
    for code, car in cars.items():
        for ts in sorted(readings[code]):
            car.add(ts, readings[code][ts])
    found: dict[str, list[dict[str, Any]]] = {}
    for alarm in Alarm.objects.filter(race=race):
        plain = {
            "kind": alarm.kind,
            "severity": alarm.severity,
            "start": alarm.start_ms,
            "end": alarm.end_ms,
            "size_c": alarm.size_c,
        }
        found.setdefault(alarm.driver_code, []).append(plain)
    return Engines(cars, found)
