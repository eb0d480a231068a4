"""Reads boards and frames from the database: what a page shows before this process has read the stream."""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.db.models import Min, Q

from races.board.board import Board
from races.board.frames import Frame
from races.board.own_race import OTHERS, TRAFFIC, LapEnd, OwnRace
from races.board.race_info import RaceInfo
from races.board.storage import unpack_frames, unpack_readings
from races.models import Race

LINES = 40


def wall_ms() -> int:
    return round(time.time() * 1000)


def race_of(race_id: str) -> Race | None:
    try:
        return Race.objects.filter(pk=uuid.UUID(race_id)).first()
    except ValueError:
        return None


def last_frame(race: Race) -> Frame | None:
    """The newest stored frame, without its logs."""
    chunk = race.chunks.order_by("-last_tick").first()
    return unpack_frames(bytes(chunk.data))[-1] if chunk else None


def control_record(race: Race, row: Any) -> dict[str, Any]:
    return {
        "race_id": str(race.pk),
        "tick": row.tick,
        "timestamp": row.timestamp,
        "type": row.type,
        "driver_code": row.driver_code,
        "lap": row.lap,
        "message": row.message,
        "event": row.event,
        "other_code": row.other_code,
        "position": row.position,
        "value": row.value,
    }


def commentary_record(race: Race, row: Any) -> dict[str, Any]:
    return {
        "id": row.identity,
        "message": row.message,
        "timestamp": row.timestamp,
        "type": row.type,
        "race_id": str(race.pk),
        "drivers": row.drivers,
    }


def lap_starts(race: Race) -> list[int]:
    """The instants at which the leader began laps 1, 2 and so on, as far as the history goes; none before the start."""
    if race.started_ms is None:
        return []
    begun = race.control.filter(type="lights_out").values_list("timestamp", flat=True)[:1]
    ended = race.lap_set.filter(lap__lt=race.laps).order_by("lap").values("lap").annotate(first=Min("tick"))
    return [*begun, *(race.event_ms(row["first"]) for row in ended)]


def fill_own_race(own: OwnRace, race: Race) -> None:
    """Adds the laps and messages of the picked driver's race, as far as the history goes; nothing before the start."""
    if race.started_ms is None:
        return
    code = race.driver_code
    mine = Q(driver_code=code) | Q(other_code=code) | Q(type__in=(*OTHERS, *TRAFFIC))
    for message in race.control.filter(mine):
        own.control(control_record(race, message))
    for row in race.lap_set.filter(driver_code=code):
        at = race.event_ms(row.tick)
        own.lap(LapEnd(row.lap, at, row.position, row.time_s, row.tyre, row.tyre_age))


def live_board(race: Race) -> Board | None:
    """A board as far as the history goes; the stream goes on from there. None where the race has no entry list."""
    if not race.frozen:
        return None
    info = RaceInfo.from_json(race.frozen)
    board = Board(info, last_frame(race), race.started_ms, lap_starts=lap_starts(race))
    fill_own_race(board.own_race, race)
    # the board shows no overtakes, and there are enough of them to fill all the lines
    for row in reversed(race.control.exclude(type="overtake").order_by("-tick", "-id")[:LINES]):
        board.apply("race_control", control_record(race, row))
    for line in reversed(race.commentary.order_by("-timestamp", "-id")[:LINES]):
        board.apply("commentary", commentary_record(race, line))
    for chunk in race.reading_chunks.all():
        for engine, ts, record in unpack_readings(bytes(chunk.data)):
            key = {"key": board.info.engine_key(engine), "ts": ts}
            board.apply("car_metrics_anomalies", record, key)
    board.reject_after(wall_ms)
    return board
