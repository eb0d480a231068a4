"""A race's history as the database has it."""

from __future__ import annotations

from typing import Any

from races.board.storage import unpack_frames
from races.models import BoardChunk, CommentaryLine, ControlMessage, Lap, Race, Result


def history(race: Race) -> dict[str, Any]:
    return {
        "results": list(Result.objects.filter(race=race).values_list("driver_code", "position", "gap_s")),
        "laps": list(
            Lap.objects.filter(race=race).order_by("driver_code", "lap").values_list("driver_code", "time_s")
        ),
        "control": list(ControlMessage.objects.filter(race=race).values_list("event", "message")),
        "commentary": list(CommentaryLine.objects.filter(race=race).values_list("identity", "message")),
        "frames": [
            f["tick"] for c in BoardChunk.objects.filter(race=race) for f in unpack_frames(bytes(c.data))
        ],
    }
