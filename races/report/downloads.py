"""A race's rows for spreadsheets and programs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from races.lib.csv import escape_cell
from races.models import Race
from races.report.laps import points
from races.report.report import standing

Rows = Iterable[tuple[Any, ...]]


IDENTITY = ("race_id", "race_circuit", "race_created_at")
"""The columns in front of a table of several races."""


class Writable(Protocol):
    def write(self, text: str, /) -> object: ...


class Table(NamedTuple):
    columns: tuple[str, ...]
    rows: Callable[[Race], Rows]


def _stored(related: str, *columns: str) -> Table:
    def rows(race: Race) -> Rows:
        found: Rows = getattr(race, related).values_list(*columns)
        return found

    return Table(columns, rows)


def _with_tick(name: str, ms: str, stored: Table) -> Table:
    """A tick before what has a time only, so that it can be laid beside what has a tick only."""
    place = stored.columns.index(ms)

    def rows(race: Race) -> Iterator[tuple[Any, ...]]:
        return ((race.tick_at(row[place]), *row) for row in stored.rows(race))

    return Table((name, *stored.columns), rows)


def _laps(race: Race) -> Iterator[tuple[Any, ...]]:
    """Position and gap at the line itself, as the report's charts and tables have them."""
    at_line = {
        code: {point.lap: point for point in mine} for code, mine in points(race.lap_set.all()).items()
    }
    laps = [(at_line[row.driver_code][row.lap], row) for row in race.lap_set.all()]
    for point, row in sorted(laps, key=lambda pair: (pair[0].lap, pair[0].position)):
        timed = (row.sector_1_s, row.sector_2_s, row.sector_3_s)
        at = (row.lap, row.driver_code, point.position, point.gap_s, point.crossed_s, row.time_s)
        yield *at, *timed, row.tyre, row.tyre_age, row.tick


RESULTS = (
    "position", "grid", "driver_code", "driver_name", "team_name", "laps", "laps_down", "gap_s", "interval_s",
    "best_lap_s", "last_lap_s", "average_speed_kmh", "stints", "stops", "status",
)  # fmt: skip
LAPS = (
    "lap", "driver_code", "position", "gap_s", "race_time_s", "time_s", "sector_1_s", "sector_2_s", "sector_3_s",
    "tyre", "tyre_age", "tick",
)  # fmt: skip
ALARMS = ("driver_code", "kind", "severity", "direction", "start_ms", "end_ms", "size_c", "reading")
CONTROL = ("tick", "timestamp", "type", "driver_code", "other_code", "lap", "position", "value", "message")
TABLES = {
    "results": Table(
        RESULTS,
        lambda race: (
            tuple(row.all_stints if name == "stints" else getattr(row, name) for name in RESULTS)
            for row in standing(race)
        ),
    ),
    "laps": Table(LAPS, _laps),
    "commentary": _with_tick("tick", "timestamp", _stored("commentary", "timestamp", "type", "message")),
    "control": _stored("control", *CONTROL),
    "alarms": _with_tick("start_tick", "start_ms", _stored("alarms", *ALARMS)),
    "faults": _stored("faults", "driver_code", "kind", "start_tick", "end_tick", "size_c"),
}
RACE = (
    "driver_code", "driver_name", "circuit", "circuit_name", "laps", "pace", "seed", "incidents", "anomaly_detection",
    "model_version", "status", "status_reason", "created_at", "ended_at", "started_ms", "recorded_tick",
    "missing_ticks",
)  # fmt: skip


def name(race: Race) -> str:
    """A file name: the circuit's slug, the day, the beginning of the id."""
    return f"{race.circuit}-{race.created_at:%Y-%m-%d}-{str(race.pk)[:8]}"


def rows_of(what: str, races: Iterable[Race]) -> Iterator[tuple[Any, ...]]:
    """Yields the rows of a table of several races, each with IDENTITY in front."""
    for race in races:
        identity = (str(race.pk), race.circuit, race.created_at)
        yield from ((*identity, *row) for row in TABLES[what].rows(race))


def write_csv(file: Writable, what: str, race: Race) -> None:
    """Writes a table of one race."""
    _write(file, TABLES[what].columns, TABLES[what].rows(race))


def write_all_csv(file: Writable, what: str, races: Iterable[Race]) -> None:
    """Writes a table of several races, with IDENTITY in front."""
    _write(file, (*IDENTITY, *TABLES[what].columns), rows_of(what, races))


def _write(file: Writable, columns: Iterable[str], rows: Rows) -> None:
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([escape_cell(value) for value in row] for row in rows)


def whole(race: Race) -> dict[str, Any]:
    tables = {
        what: [dict(zip(columns, row, strict=True)) for row in rows(race)]
        for what, (columns, rows) in TABLES.items()
    }
    settings = {"id": str(race.pk)} | {field: getattr(race, field) for field in RACE}
    return {"race": settings} | tables  # apart: a race has a number of laps, and a table of them
