"""The engines' readings and alarms of a race, at any instant of it."""

from __future__ import annotations

import uuid
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from math import isnan, nan
from typing import Any

from races.live.board_logs import TRACE_SECONDS, TRACED
from races.live.board_records import Anomaly, Sample, Trace
from races.models import Alarm, Race
from races.recorder.chunks import unpack_readings

RACES_KEPT = 2  # a Grand Prix in real time has 600,000 readings: 25 MB


@dataclass(slots=True)
class Readings:
    """One car's, in order of time; nan where the record said nothing."""

    at: array[int] = field(default_factory=lambda: array("q"))
    reading: array[float] = field(default_factory=lambda: array("d"))
    forecast: array[float] = field(default_factory=lambda: array("d"))
    lower: array[float] = field(default_factory=lambda: array("d"))
    upper: array[float] = field(default_factory=lambda: array("d"))
    flagged: array[int] = field(default_factory=lambda: array("q"))  # the instants

    def add(self, ts: int, record: dict[str, Any]) -> None:
        self.at.append(ts)
        self.reading.append(record["engine_temperature"])
        self.forecast.append(_known(record["forecast_value"]))
        self.lower.append(_known(record["lower_bound"]))
        self.upper.append(_known(record["upper_bound"]))
        if record["is_anomaly"]:
            self.flagged.append(ts)

    def is_flagged(self, ts: int) -> bool:
        place = bisect_left(self.flagged, ts)
        return place < len(self.flagged) and self.flagged[place] == ts

    def samples(self, now: int) -> list[Sample]:
        """One a second, a flagged one before its neighbours, as the live page draws them."""
        samples: dict[int, Sample] = {}
        end = bisect_right(self.at, now)
        for index in range(bisect_left(self.at, now - TRACE_SECONDS * 1000), end):
            second, flag = self.at[index] // 1000, self.is_flagged(self.at[index])
            if second not in samples or flag:
                bounds = _told(self.lower[index]), _told(self.upper[index])
                samples[second] = (self.reading[index], *bounds, flag)
        return [samples[second] for second in sorted(samples)[-TRACE_SECONDS:]]


def _known(value: float | None) -> float:
    return nan if value is None else value


def _told(value: float) -> float | None:
    return None if isnan(value) else value


@dataclass(frozen=True, slots=True)
class Engines:
    cars: dict[str, Readings] = field(default_factory=dict)
    alarms: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def newest(self, now: int) -> dict[str, Anomaly]:
        return {
            code: self._newest(code, car, place - 1, now)
            for code, car in self.cars.items()
            if (place := bisect_right(car.at, now))
        }

    def _newest(self, code: str, car: Readings, place: int, now: int) -> Anomaly:
        raised = self._raised(code, now)
        return Anomaly(
            ts=car.at[place],
            reading=car.reading[place],
            forecast=_told(car.forecast[place]),
            lower=_told(car.lower[place]),
            upper=_told(car.upper[place]),
            flag=car.is_flagged(car.at[place]),
            flags=bisect_right(car.flagged, now),
            alarm=max(raised, key=lambda alarm: (alarm["end"] is None, alarm["start"]), default=None),
            alarms=len(raised),
        )

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
        """The own car, then those with the newest alarms."""
        starts = {code: max((a["start"] for a in self._raised(code, now)), default=0) for code in self.cars}
        alarmed = sorted((code for code in starts if starts[code]), key=lambda code: -starts[code])
        codes = [own, *(code for code in alarmed if code != own)][:TRACED]
        found = {code: self.cars[code].samples(now) for code in codes if code in self.cars}
        return {code: Trace(samples=samples) for code, samples in found.items() if samples}


def engines_of(race: Race) -> Engines:
    return _engines(race.pk, race.reading_chunks.count())


@lru_cache(maxsize=RACES_KEPT)
def _engines(race_id: uuid.UUID, chunks: int) -> Engines:
    """`chunks` is part of the key: Flink's last words come after the flag."""
    readings: dict[str, dict[int, dict[str, Any]]] = {}
    race = Race.objects.only("pk").get(pk=race_id)
    for chunk in race.reading_chunks.all():
        for key, record in unpack_readings(str(race_id), bytes(chunk.data)):
            readings.setdefault(key["key"].rpartition(":")[2], {}).setdefault(int(key["ts"]), record)
    cars = {code: Readings() for code in sorted(readings)}
    for code, car in cars.items():
        for ts in sorted(readings[code]):
            car.add(ts, readings[code][ts])
    return Engines(cars, _alarms(race))


def _alarms(race: Race) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for alarm in Alarm.objects.filter(race=race):
        plain = {
            "kind": alarm.kind,
            "severity": alarm.severity,
            "start": alarm.start_ms,
            "end": alarm.end_ms,
        }
        found.setdefault(alarm.driver_code, []).append(plain)
    return found
