"""A recorded race on a real Kafka, and what the embedded engine makes of it: what Flink is held against."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bench.services.waiting import wait_for
from races.analytics.average_speed import AverageSpeed
from races.analytics.engine import RaceAnalytics
from races.streams.admin import ensure_topics
from races.streams.codec import Codec
from races.streams.config import StreamSettings, with_topics
from races.streams.consumer import Tail
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from races.worker.records import KeyedRecord
from tests.analytics.simulated import plan_for, race_records

Row = dict[str, Any]


class Keyed(dict[tuple[Any, ...], list[Row]]):
    """Key's values to the records' values, in order."""


@dataclass(frozen=True)
class RaceOnKafka:
    """records: as published, event times within the last minutes."""

    settings: StreamSettings
    codec: Codec
    records: tuple[KeyedRecord, ...]

    @property
    def begin_ms(self) -> int:
        return int(self.records[0].value["timestamp"])

    def publish(self, records: tuple[KeyedRecord, ...] | None = None) -> None:
        publisher = Publisher(self.settings, self.codec)
        for record in records if records is not None else self.records:
            publisher.send(record.role, record.key, record.value, record.value["timestamp"])
        assert publisher.flush(60) == 0
        publisher.close()

    def read(self, role: str, enough: Callable[[list[tuple[Any, Row]]], bool], seconds: float = 90) -> Keyed:
        """Everything of a topic until there is enough, by key, each key's values in order."""
        tail = Tail(self.settings, [role], "beginning")
        found: list[tuple[Any, Row]] = []

        def look() -> bool:
            for message in tail.poll(5000, 0.2):
                key = self.codec.decode_key(role, message.key) if message.key else None
                found.append((key, self.codec.decode(role, message.value or b"")))
            return enough(found)

        try:
            wait_for(look, f"records of {role}", seconds)
        finally:
            tail.close()
        rows = Keyed()
        for key, value in found:
            rows.setdefault(tuple(key.values()) if isinstance(key, dict) else (), []).append(value)
        return rows

    def averages(self) -> Keyed:
        """The embedded engine's running averages, one for each position, by driver's name and race."""
        engine, rows = AverageSpeed(), Keyed()
        for record in self.records:
            if record.role == "positions":
                engine.feed(record.value)
                name = record.value["driver_name"]
                rows.setdefault((name, record.value["race_id"]), []).append({"avg_speed": engine.of(name)})
        return rows

    def anomalies(self) -> Keyed:
        """The embedded engine's judgement of each reading, by key and instant."""
        engine = RaceAnalytics(self.records[0].value["race_id"], anomaly=True, plan=plan_for(self.records))
        rows = Keyed()
        for record in self.records:
            for derived in engine.feed(record.role, record.value, record.key):
                if derived.role == "car_metrics_anomalies" and isinstance(derived.key, dict):
                    rows.setdefault(tuple(derived.key.values()), []).append(derived.value)
        return rows


def recorded_race(
    circuit: str = "monza", seed: int = 1, laps: int = 12, pace: int = 12
) -> tuple[KeyedRecord, ...]:
    """A whole race whose last tick is now, so that no topic has forgotten its first."""
    records = race_records(circuit, seed, laps, pace, metrics=True)
    shift = int(time.time() * 1000) - max(record.value["timestamp"] for record in records)
    return tuple(
        replace(record, value=record.value | {"timestamp": record.value["timestamp"] + shift})
        for record in records
    )


def on_kafka(
    place: StreamSettings, names: Mapping[str, str], registry: Registry, records: tuple[KeyedRecord, ...]
) -> RaceOnKafka:
    """Makes topics of these names where there are none; nothing is published yet."""
    settings = with_topics(place, names)
    ensure_topics(settings)
    codec = Codec(settings, registry)
    codec.prepare()
    return RaceOnKafka(settings, codec, records)
