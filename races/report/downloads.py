"""A race's rows for spreadsheets and programs."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse

from races.admin import cell
from races.models import Race
from races.report.report import standing

# What the file is called, the race's rows, their columns.
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "results": (
        "results",
        (
            "position", "grid", "driver_code", "driver_name", "team_name", "laps", "laps_down", "gap_s", "interval_s",
            "best_lap_s", "last_lap_s", "average_speed_kmh", "stints", "stops", "status",
        ),
    ),
    "laps": (
        "lap_set",
        (
            "lap", "driver_code", "position", "time_s", "sector_1_s", "sector_2_s", "sector_3_s", "gap_s", "tyre",
            "tyre_age", "tick",
        ),
    ),
    "commentary": ("commentary", ("timestamp", "type", "message")),
    "control": (
        "control",
        ("tick", "timestamp", "type", "driver_code", "other_code", "lap", "position", "value", "message"),
    ),
    "alarms": (
        "alarms",
        ("driver_code", "kind", "severity", "direction", "start_ms", "end_ms", "size_c", "reading"),
    ),
    "faults": ("faults", ("driver_code", "kind", "start_tick", "end_tick", "size_c")),
}  # fmt: skip
RACE = (
    "driver_code", "driver_name", "circuit", "circuit_name", "laps", "pace", "seed", "incidents", "anomaly_detection",
    "model_version", "status", "status_reason", "started_ms", "recorded_tick", "missing_ticks",
)  # fmt: skip


def name(race: Race) -> str:
    """A file name: the circuit's slug, the day, the beginning of the id."""
    return f"{race.circuit}-{race.created_at:%Y-%m-%d}-{str(race.pk)[:8]}"


def _rows(race: Race, what: str) -> Iterable[tuple[Any, ...]]:
    related, columns = TABLES[what]
    if what == "results":
        return [tuple(getattr(row, name) for name in columns) for row in standing(race)]
    rows: Iterable[tuple[Any, ...]] = getattr(race, related).values_list(*columns)
    return rows


def write_csv(response: HttpResponse, race: Race, what: str) -> None:
    writer = csv.writer(response)
    writer.writerow(TABLES[what][1])
    for row in _rows(race, what):
        writer.writerow([cell(value) for value in row])


def whole(race: Race) -> dict[str, Any]:
    tables = {
        what: [dict(zip(columns, row, strict=True)) for row in _rows(race, what)]
        for what, (_, columns) in TABLES.items()
    }
    settings = {"id": str(race.pk)} | {field: getattr(race, field) for field in RACE}
    return {"race": settings} | tables  # apart: a race has a number of laps, and a table of them
