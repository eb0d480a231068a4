"""A lab's SQLite database from outside: locked for a while, and the history that it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

from races.recorder.chunks import unpack_frames


@contextmanager
def locked(database: Path | str) -> Iterator[None]:
    """Somebody else has the one write lock."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def frames(database: Path, race_id: str) -> list[int]:
    """The ticks of its history, as often as they are there."""
    rows = "SELECT data FROM races_boardchunk WHERE race_id = ? ORDER BY first_tick"
    with closing(sqlite3.connect(database)) as found:
        chunks = found.execute(rows, (UUID(race_id).hex,)).fetchall()
    return [frame["tick"] for (data,) in chunks for frame in unpack_frames(data)]
