"""Writes history: everything of one flush in one transaction.

Anybody may write to a topic, and the codec checks types only. A row that the database refuses (SQLite's checks,
PostgreSQL's lengths and ranges) would be refused again for ever, with the history of all races waiting behind it. So
every value is clamped to what its column holds.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, TypeVar

from django.db import transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Model

from races.board.storage import pack_frames, pack_readings
from races.lib.cooperative import yielder
from races.models import (
    ACTIVE,
    Alarm,
    BoardChunk,
    CommentaryLine,
    ControlMessage,
    Lap,
    Race,
    ReadingChunk,
    RecorderOffset,
    Result,
)
from races.recorder.race_recording import RaceRecording, control_row, results
from races.streams.consumer import Offsets

Rows = dict[tuple[uuid.UUID, Any], tuple[Race, Mapping[str, Any]]]
KINDS = ("info", "warning", "highlight")
RANGES = BaseDatabaseOperations.integer_field_ranges
Row = TypeVar("Row", bound=Model)


@dataclass(slots=True)
class PendingRows:
    """Messages to be written with the next flush, each by its identity."""

    control: Rows = dataclass_field(default_factory=dict)
    commentary: Rows = dataclass_field(default_factory=dict)


def saved_offsets() -> tuple[str | None, Offsets]:
    """Where to go on: (incarnation of the cluster, role -> partition -> next offset)."""
    newest = RecorderOffset.objects.order_by("-id").values_list("incarnation", flat=True).first()
    offsets: Offsets = {}
    for row in RecorderOffset.objects.filter(incarnation=newest or ""):
        offsets.setdefault(row.topic, {})[row.partition] = row.next_offset
    return newest, offsets


def flush(
    recordings: list[RaceRecording],
    pending: PendingRows,
    incarnation: str,
    offsets: Offsets,
    over_before: float,
    ours: Callable[[], bool] = lambda: True,
) -> bool:
    """Writes what the recordings have gathered. Returns False, with nothing written, where ours() says in the
    transaction that another recorder has taken over. Races that were over before `over_before` are finished.
    """
    ended: list[tuple[RaceRecording, str]] = []
    rows = _rows(recordings, pending)  # before the transaction: SQLite has one writer, and others wait for it
    with transaction.atomic():
        if not ours():
            return False
        for model, new in rows:
            model.objects.bulk_create(new, ignore_conflicts=True)
        for recording in recordings:
            _save_recording(recording)
            if recording.over_at is not None and recording.over_at <= over_before:
                ended.append((recording, _finish(recording)))
        _save_offsets(incarnation, offsets)
    for recording, status in ended:
        recording.race.status = status
    for recording in recordings:
        recording.frames, recording.laps, recording.readings = [], [], []
        recording.alarms.clear()
        recording.missing, recording.dirty_results = 0, recording.dirty_results and recording.race.is_active
    return True


def _rows(recordings: list[RaceRecording], pending: PendingRows) -> list[tuple[Any, list[Any]]]:
    """(model, its new rows). A row that is there already changes nothing."""
    between = yielder.between  # making a chunk takes a millisecond or two
    return [
        (ControlMessage, [clamped(control_row(race, record)) for race, record in pending.control.values()]),
        (CommentaryLine, [clamped(_line(race, record)) for race, record in pending.commentary.values()]),
        (
            BoardChunk,
            [
                BoardChunk(
                    race=recording.race,
                    first_tick=recording.frames[0]["tick"],
                    last_tick=recording.frames[-1]["tick"],
                    data=pack_frames(recording.frames),
                )
                for recording in between(recordings, 1)
                if recording.frames
            ],
        ),
        (Lap, [clamped(lap) for recording in recordings for lap in recording.laps]),
        (
            ReadingChunk,
            [
                ReadingChunk(race=recording.race, data=pack_readings(recording.readings))
                for recording in between(recordings, 1)
                if recording.readings
            ],
        ),
    ]


def _line(race: Race, record: Mapping[str, Any]) -> CommentaryLine:
    return CommentaryLine(
        race=race,
        identity=str(record["id"]),
        timestamp=int(record["timestamp"]),
        type=record["type"] if record["type"] in KINDS else "info",
        message=str(record["message"]),
        drivers=record.get("drivers") or [],
    )


def _save_recording(recording: RaceRecording) -> None:
    race = recording.race
    if recording.frames:
        tick = clamp(Race, "recorded_tick", recording.frames[-1]["tick"])
        Race.objects.filter(pk=race.pk).save_recorded(tick, recording.missing)
    for alarm in recording.alarms.values():
        Alarm.objects.update_or_create(
            race=race,
            driver_code=alarm["driver_code"],
            kind=alarm["kind"],
            start_ms=alarm["start"],
            defaults={
                "end_ms": alarm["end"],
                "severity": alarm["severity"],
                "direction": alarm["direction"],
                "size_c": alarm["size_c"],
                "reading": alarm["reading"],
            },
        )
    if recording.dirty_results and not race.is_active:
        for name, average in recording.board.averages.items():
            Result.objects.filter(race=race, driver_name=name).update(average_speed_kmh=average)


def _finish(recording: RaceRecording) -> str:
    """Writes results and status together, so a finished race has its whole classification. Returns the status."""
    race, frame = recording.race, recording.previous
    status = Race.objects.values_list("status", flat=True).get(pk=race.pk)
    if frame is None or status not in ACTIVE:
        return status
    rows = results(race, frame, recording.board.averages)
    Result.objects.bulk_create(map(clamped, rows), ignore_conflicts=True)
    status = Race.Status.STOPPED if frame["flag"] == "red" else Race.Status.FINISHED
    Race.objects.filter(pk=race.pk).finish(status, clamp(Race, "lap", frame["lap"]))
    return status


def _save_offsets(incarnation: str, offsets: Offsets) -> None:
    RecorderOffset.objects.exclude(incarnation=incarnation).delete()
    rows = [
        RecorderOffset(incarnation=incarnation, topic=role, partition=partition, next_offset=offset)
        for role, partitions in offsets.items()
        for partition, offset in partitions.items()
    ]
    RecorderOffset.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["incarnation", "topic", "partition"],
        update_fields=["next_offset"],
    )


def clamped(row: Row) -> Row:
    """The same row, with texts cut and numbers clamped to what their columns hold."""
    for field in row._meta.concrete_fields:
        setattr(row, field.attname, _clamp(field, getattr(row, field.attname)))
    return row


def clamp(model: type[Model], column: str, value: Any) -> Any:
    """One value, clamped to what its column holds."""
    return _clamp(model._meta.get_field(column), value)


def _clamp(field: Any, value: Any) -> Any:
    if isinstance(value, str):
        return value[: field.max_length]
    if type(value) is int and field.get_internal_type() in RANGES:
        low, high = RANGES[field.get_internal_type()]
        return min(max(value, low), high)
    return value
