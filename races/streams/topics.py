"""The one list of topics: their names, keys, formats and retention.

The code speaks of a topic by its role. The configuration may change its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

SCHEMAS = Path(__file__).with_name("schemas")
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """key_format: text, avro, none; value_format: avro, json; base_fields: what a reader may insist on."""

    role: str
    name: str
    key_format: str
    value_format: str
    base_fields: tuple[str, ...]
    written_by: str
    partitions: int = 4  # the embedded cluster's number, so that both behave alike
    retention_ms: int = DAY_MS
    cleanup_policy: str = "delete"

    @property
    def value_schema(self) -> str:
        suffix = "avsc" if self.value_format == "avro" else "json"
        return _schema_text(f"{_FILES.get(self.role, self.role)}.{suffix}")

    @property
    def key_schema(self) -> str | None:
        return (
            _schema_text(f"{_FILES.get(self.role, self.role)}_key.avsc")
            if self.key_format == "avro"
            else None
        )


_FILES = {"car_metrics_anomalies": "anomalies"}


@cache
def _schema_text(file: str) -> str:
    return (SCHEMAS / file).read_text(encoding="utf-8")


_ALL = (
    Topic(
        role="positions",
        name="f1-driver-positions",
        key_format="text",
        value_format="avro",
        base_fields=("driver_name", "position", "timestamp", "race_id", "team_name", "speed"),
        written_by="worker",
    ),
    Topic(
        role="race_control",
        name="f1-race-control",
        key_format="text",
        value_format="avro",
        base_fields=("race_id", "tick", "timestamp", "type", "driver_code", "lap", "message"),
        written_by="worker",
    ),
    Topic(
        role="car_metrics",
        name="f1-car-metrics",
        key_format="text",
        value_format="avro",
        base_fields=("team_name", "timestamp", "engine_temperature"),
        written_by="worker",
    ),
    Topic(
        role="avg_speed",
        name="f1-driver-avg-speed",
        key_format="avro",
        value_format="avro",
        base_fields=("avg_speed",),
        written_by="analytics",
    ),
    Topic(
        role="commentary",
        name="f1-commentary",
        key_format="none",
        value_format="json",
        base_fields=("id", "message", "timestamp", "type"),
        written_by="analytics",
    ),
    Topic(
        role="car_metrics_anomalies",
        name="f1-car-metrics-anomalies",
        key_format="avro",
        value_format="avro",
        base_fields=("team_name", "engine_temperature", "is_anomaly"),
        written_by="analytics",
    ),
)
TOPICS: dict[str, Topic] = {topic.role: topic for topic in _ALL}
DEFAULT_NAMES: dict[str, str] = {topic.role: topic.name for topic in _ALL}
ROLES = tuple(TOPICS)
WORKER_ROLES = tuple(topic.role for topic in _ALL if topic.written_by == "worker")
ANALYTICS_ROLES = tuple(topic.role for topic in _ALL if topic.written_by == "analytics")
RECORDED_ROLES = tuple(
    role for role in ROLES if role != "car_metrics"
)  # the anomalies repeat the engine readings


def subject(topic_name: str, part: str) -> str:
    """part: key or value."""
    return f"{topic_name}-{part}"


def compatibility(part: str, value_format: str = "avro") -> str:
    """Returns the level at which a subject of ours may change.

    Values may grow. In Avro that is BACKWARD: a new field has a default. A JSON Schema that does not forbid other
    properties is open, and under BACKWARD it cannot gain one: an older record may hold anything by that name. Under
    FORWARD it can: who reads with the older schema passes over what it does not know. Keys mean identity, so that
    both directions must hold (FULL).
    """
    if part == "key":
        return "FULL"
    return "FORWARD" if value_format == "json" else "BACKWARD"


def may_be_set(standing: str | None, level: str) -> bool:
    """Whether the lab may give a subject this level: it has none of its own, or the one that the lab's earlier
    versions gave to JSON. Any other is a person's choice and stays.
    """
    return standing is None or (standing, level) == ("BACKWARD", "FORWARD")
