"""What a flush writes, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from races.board.storage import pack_frames, pack_readings
from races.lib.cooperative import courtesy
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
from races.recorder.column_clamping import fit, fitted
from races.recorder.race_recording import Recording, control_row, results
from races.streams.consumer import Offsets

Rows = dict[tuple[uuid.UUID, Any], tuple[Race, Mapping[str, Any]]]
KINDS = ("info", "warning", "highlight")


@dataclass(slots=True)
class Pending:
    control: Rows = field(default_factory=dict)
    commentary: Rows = field(default_factory=dict)


def saved_offsets() -> tuple[str | None, Offsets]:
    """(incarnation, role -> partition -> next offset) of the newest incarnation recorded."""
    newest = RecorderOffset.objects.order_by("-id").values_list("incarnation", flat=True).first()
    offsets: Offsets = {}
    for row in RecorderOffset.objects.filter(incarnation=newest or ""):
        offsets.setdefault(row.topic, {})[row.partition] = row.next_offset
    return newest, offsets


def flush(
    recordings: list[Recording],
    pending: Pending,
    incarnation: str,
    offsets: Offsets,
    over_before: float,
    ours: Callable[[], bool] = lambda: True,
) -> bool:
    """ours() is asked in the transaction; false, and nothing is written, where another recorder took over."""
    ended: list[tuple[Recording, str]] = []
    rows = _rows(recordings, pending)  # before the transaction: SQLite has one writer, and others wait for it
    with transaction.atomic():
        if not ours():
            return False
        for model, new in rows:
            model.objects.bulk_create(new, ignore_conflicts=True)
        for recording in recordings:
            _recording(recording)
            if recording.over_at is not None and recording.over_at <= over_before:
                ended.append((recording, _finish(recording)))
        _offsets(incarnation, offsets)
    for recording, status in ended:
        recording.race.status = status
    for recording in recordings:
        recording.frames, recording.laps, recording.readings = [], [], []
        recording.alarms.clear()
        recording.missing, recording.dirty_results = 0, recording.dirty_results and recording.race.is_active
    return True


def _rows(recordings: list[Recording], pending: Pending) -> list[tuple[Any, list[Any]]]:
    """(model, its new rows); a row that is there already changes nothing."""
    apart = courtesy.between  # a chunk takes a millisecond or two
    return [
        (ControlMessage, [fitted(control_row(race, record)) for race, record in pending.control.values()]),
        (CommentaryLine, [fitted(_line(race, record)) for race, record in pending.commentary.values()]),
        (BoardChunk, [_chunk(recording) for recording in apart(recordings, 1) if recording.frames]),
        (Lap, [fitted(lap) for recording in recordings for lap in recording.laps]),
        (ReadingChunk, [_readings(recording) for recording in apart(recordings, 1) if recording.readings]),
    ]


def _line(race: Race, record: Mapping[str, Any]) -> CommentaryLine:
    return CommentaryLine(
        race=race,
        identity=str(record["id"]),
        timestamp=int(record["timestamp"]),
        type=record["type"] if record["type"] in KINDS else "info",
        message=str(record["message"]),
    )


def _chunk(recording: Recording) -> BoardChunk:
    frames = recording.frames
    return BoardChunk(
        race=recording.race,
        first_tick=frames[0]["tick"],
        last_tick=frames[-1]["tick"],
        data=pack_frames(frames),
    )


def _readings(recording: Recording) -> ReadingChunk:
    return ReadingChunk(race=recording.race, data=pack_readings(recording.readings))


def _recording(recording: Recording) -> None:
    race = recording.race
    if recording.frames:
        Race.objects.filter(pk=race.pk).update(
            recorded_tick=fit(Race, "recorded_tick", recording.frames[-1]["tick"]),
            missing_ticks=F("missing_ticks") + recording.missing,
        )
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
        _averages(recording)


def _finish(recording: Recording) -> str:
    """Results and status together: `finished` means that the classification is whole. Returns the status."""
    race, frame = recording.race, recording.previous
    status = Race.objects.values_list("status", flat=True).get(pk=race.pk)
    if frame is None or status not in ACTIVE:
        return status
    rows = results(race, frame, recording.board.averages)
    Result.objects.bulk_create(map(fitted, rows), ignore_conflicts=True)
    status = Race.Status.STOPPED if frame["flag"] == "red" else Race.Status.FINISHED
    Race.objects.filter(pk=race.pk).update(
        status=status, ended_at=timezone.now(), waiting_for="", lap=fit(Race, "lap", frame["lap"])
    )
    return status


def _averages(recording: Recording) -> None:
    for name, average in recording.board.averages.items():
        Result.objects.filter(race=recording.race, driver_name=name).update(average_speed_kmh=average)


def _offsets(incarnation: str, offsets: Offsets) -> None:
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
