"""The embedded analytics of one race: records in, records out, with no clock, no randomness and no I/O.

What it has seen is its only state, so a worker that takes a race over feeds it the race's records again,
drops what comes out, and goes on where the other one stopped.

Feed records in the order of their event time, and a tick's race control before its positions: a line of
commentary is written when a tick's last position comes in, from what is known by then. A message that
comes late is used with the next tick; a record that comes twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from races.analytics.anomaly import AnomalyDetector
from races.analytics.average import AverageSpeed
from races.analytics.commentary import Commentator, Line

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Derived:
    """A record for the topic of `role`. `timestamp` is event time in epoch milliseconds.

    `line` comes with commentary: the facts behind it, for a language model to say in its own words.
    """

    role: str
    key: dict[str, Any] | str | None
    value: dict[str, Any]
    timestamp: int
    line: Line | None = None


class RaceAnalytics:
    """Average speed, commentary and (feature on) anomalies of one race; other races' records are ignored."""

    def __init__(self, race_id: str, anomaly: bool = False, commentary: bool = True) -> None:
        self.race_id = race_id
        self._average = AverageSpeed()
        self._commentator = Commentator(race_id) if commentary else None
        self._detector = AnomalyDetector() if anomaly else None

    def feed(self, role: str, record: Record, key: str | None = None) -> list[Derived]:
        """What follows from one record of positions, race_control or car_metrics; `key`: the metric's.

        A record of commentary is remembered as said: a worker that takes over doesn't say it again.
        """
        if record.get("race_id") != self.race_id:
            return []
        if role == "positions":
            return self._position(record)
        if role == "car_metrics":
            return self._metric(record, key or f"{self.race_id}:{record['driver_code']}")
        if self._commentator and role == "race_control":
            self._commentator.race_control(record)
        elif self._commentator and role == "commentary":
            self._commentator.was_said(record["message"])
        return []

    def _metric(self, record: Record, key: str) -> list[Derived]:
        value = self._detector.feed(key, record) if self._detector else None
        if value is None:
            return []
        when: int = record["timestamp"]
        return [Derived("car_metrics_anomalies", {"key": key, "ts": when}, value, when)]

    def _position(self, record: Record) -> list[Derived]:
        average = self._average.feed(record)
        line = self._commentator.position(record) if self._commentator else None
        if average is None and line is None:
            return []
        derived = [] if average is None else [self._average_record(record, average)]
        return derived if line is None else [*derived, self._commentary_record(line)]

    def _average_record(self, record: Record, average: float) -> Derived:
        key = {"driver_name": record["driver_name"], "race_id": self.race_id}
        return Derived("avg_speed", key, {"avg_speed": average}, record["timestamp"])

    def _commentary_record(self, line: Line) -> Derived:
        value = {
            "id": f"{self.race_id}:{line.tick}",
            "message": line.text,
            "timestamp": line.timestamp,
            "type": line.type,
            "race_id": self.race_id,
        }
        return Derived("commentary", None, value, line.timestamp, line)
