"""A lab's SQLite database from outside: locked for a while, and the history that it holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

from races.board.frames import Frame
from races.board.storage import unpack_frames
from races.models import Race


@contextmanager
def locked(database: Path | str) -> Iterator[None]:
    """Somebody else has the one write lock."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def race_of(database: Path, race_id: str) -> Race:
    """What its records follow from."""
    query = "SELECT * FROM races_race WHERE id = ?"
    with closing(sqlite3.connect(database)) as found:
        found.row_factory = sqlite3.Row
        row = found.execute(query, (UUID(race_id).hex,)).fetchone()
    same = {name: row[name] for name in ("circuit", "laps", "pace", "seed", "started_ms")}
    choices = {name: bool(row[name]) for name in ("incidents", "anomaly_detection")}
    return Race(pk=race_id, waits=json.loads(row["waits"]), **same, **choices)


def frames(database: Path, race_id: str) -> list[Frame]:
    """Its history, each frame as often as it is there."""
    rows = "SELECT data FROM races_boardchunk WHERE race_id = ? ORDER BY first_tick"
    with closing(sqlite3.connect(database)) as found:
        chunks = found.execute(rows, (UUID(race_id).hex,)).fetchall()
    return [frame for (data,) in chunks for frame in unpack_frames(data)]
