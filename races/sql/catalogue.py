"""The lab's tables for a person to read: columns with their types and meaning, and where the schemas are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from races.flink.tables import TableColumn, key_columns, value_columns
from races.streams.topics import TOPICS, subject

ABOUT = {
    "positions": "Every car, five times a second",
    "race_control": "What happens: overtakes, stops, flags",
    "car_metrics": "Engine temperatures",
    "avg_speed": "Average speed of each driver, written by analytics",
    "commentary": "Lines of commentary, written by analytics",
    "car_metrics_anomalies": "Readings with forecast and bounds, written by analytics",
}
ROWTIME = TableColumn("$rowtime", "TIMESTAMP_LTZ(3)", "event time: the record's timestamp, with a watermark")


@dataclass(frozen=True, slots=True)
class Table:
    """name: as SQL needs it, quoted where it must be. key: of an upsert table, the columns that make a row one."""

    name: str
    topic: str
    about: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]
    subjects: tuple[str, ...]


def catalogue(names: Mapping[str, str]) -> list[Table]:
    """names: role to topic name."""
    tables = []
    for role, topic in TOPICS.items():
        if role in names:
            keys = tuple(key_columns(topic))
            upsert = topic.key_format == "avro"
            columns = (*keys, *value_columns(topic), *(() if upsert else (ROWTIME,)))
            primary = tuple(one.name for one in keys) if upsert else ()
            parts = ("key", "value") if upsert else ("value",)
            subjects = tuple(subject(names[role], part) for part in parts)
            tables.append(Table(role, names[role], ABOUT[role], columns, primary, subjects))
    return tables


def backquotes(words: str) -> str:
    """What to add to Flink's words where a column of the lab is a word of SQL too, such as position; else nothing."""
    found = re.match(r"(?:Encountered \"|Incorrect syntax near the keyword ')(\w+)", words)
    if found is None or found[1].lower() not in _column_names():
        return ""
    return f" Is {found[1]} a column? Write it in backquotes: `{found[1]}`."


@cache
def _column_names() -> frozenset[str]:
    found = (column for topic in TOPICS.values() for column in [*key_columns(topic), *value_columns(topic)])
    return frozenset(column.name for column in found)
