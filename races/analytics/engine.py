"""The embedded analytics of one race: records in, records out, with no clock, no randomness and no I/O.

What it has seen is its only state, so a worker that takes a race over feeds it the race's records again,
drops what comes out, and goes on where the other one stopped.

Feed each topic in its own order; how the topics interleave changes nothing. A line of commentary is written when
all of a tick is in, its positions and the race control that they announce. A record that comes twice is ignored,
one that cannot be true of the race is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from races.analytics.alarms import AlarmRule
from races.analytics.anomaly import AnomalyDetector
from races.analytics.average_speed import AverageSpeed
from races.analytics.commentary.commentator import Commentator, Line
from races.analytics.plausibility import Plan, Plausibility

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Derived:
    """A record for the topic of `role`. `timestamp` is event time in epoch milliseconds.

    `line` comes with commentary: it holds the facts, so that a language model can say them in its own words.
    """

    role: str
    key: dict[str, Any] | str | None
    value: dict[str, Any]
    timestamp: int
    line: Line | None = None


class RaceAnalytics:
    """Average speed, commentary and (feature on) anomalies of one race; other races' records are ignored."""

    def __init__(
        self,
        race_id: str,
        anomaly: bool = False,
        commentary: bool = True,
        plan: Plan | None = None,
        alarms: bool = False,
    ) -> None:
        """alarms: the commentary speaks of alarms, which the same rule makes of these anomalies as the board does."""
        self.race_id = race_id
        self._plausibility = Plausibility(race_id, plan)
        self._average = AverageSpeed()
        self._rule = AlarmRule() if anomaly and commentary and alarms else None
        self._commentator = Commentator(race_id, alarms=self._rule is not None) if commentary else None
        self._at_the_end: set[str] = set()
        self._all_finished = False
        self._detector = AnomalyDetector() if anomaly else None

    @property
    def ended(self) -> bool:
        """Whether the last tick's positions are in."""
        return self._all_finished

    @property
    def over(self) -> bool:
        """Whether the last tick has been analysed, its race control too."""
        return self._all_finished and not (self._commentator and self._commentator.waits)

    def give_up_waiting(self) -> list[Derived]:
        """The lines that waited for announced race control which did not come. `over` is true afterwards."""
        lines = self._commentator.give_up_waiting() if self._commentator else []
        return [self._commentary_record(line) for line in lines]

    def feed(self, role: str, record: Record, key: str | None = None) -> list[Derived]:
        """The records that follow from one of positions, race_control or car_metrics. `key` is the metric's key.

        Raises Implausible for one that cannot be true of this race; it has changed nothing then.
        """
        if record.get("race_id") != self.race_id:
            return []
        self._plausibility.check(role, record, key)
        if role == "positions":
            return self._position(record)
        if role == "car_metrics":
            return self._metric(record, key or f"{self.race_id}:{record['driver_code']}")
        if self._commentator and role == "race_control":
            return [self._commentary_record(line) for line in self._commentator.race_control(record)]
        return []

    def _metric(self, record: Record, key: str) -> list[Derived]:
        value = self._detector.feed(key, record) if self._detector else None
        if value is None:
            return []
        when: int = record["timestamp"]
        derived = [Derived("car_metrics_anomalies", {"key": key, "ts": when}, value, when)]
        if self._rule and self._commentator:
            alarms = [alarm for alarm in self._rule.feed(key, when, value) if alarm.end is None]
            for line in self._commentator.reading(record["tick"], alarms):
                derived.append(self._commentary_record(line))
        return derived

    def _position(self, record: Record) -> list[Derived]:
        if record["phase"] == "over":
            self._at_the_end.add(record["driver_code"])
            self._all_finished = len(self._at_the_end) == record["field_size"]
        average = self._average.feed(record)
        lines = self._commentator.position(record) if self._commentator else []
        derived = []
        if average is not None:
            key = {"driver_name": record["driver_name"], "race_id": self.race_id}
            derived.append(Derived("avg_speed", key, {"avg_speed": average}, record["timestamp"]))
        return derived + [self._commentary_record(line) for line in lines] if lines else derived

    def _commentary_record(self, line: Line) -> Derived:
        value = {
            "id": f"{self.race_id}:{line.tick}",
            "message": line.text,
            "timestamp": line.timestamp,
            "type": line.type,
            "race_id": self.race_id,
            "drivers": list(line.codes) or None,
        }
        return Derived("commentary", None, value, line.timestamp, line)
