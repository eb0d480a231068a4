"""Where the registry keeps schemas, versions and levels: a small sqlite3 file of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

GLOBAL = ""  # the config row that holds for every subject without one
TABLES = """
CREATE TABLE IF NOT EXISTS schemas (
  id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (type, text));
CREATE TABLE IF NOT EXISTS versions (
  subject TEXT NOT NULL, version INTEGER NOT NULL, schema_id INTEGER NOT NULL REFERENCES schemas,
  deleted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (subject, version));
CREATE TABLE IF NOT EXISTS config (subject TEXT PRIMARY KEY, level TEXT NOT NULL);
"""


class Store:
    """One connection behind one lock: callers are few, because every client caches."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self._lock = RLock()
        self._db = sqlite3.connect(path, timeout=5, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(TABLES)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        found = self.rows(sql, *values)
        return found[0] if found else None

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def subjects(self, prefix: str, deleted: bool) -> list[str]:
        rows = self.rows(
            "SELECT DISTINCT subject FROM versions WHERE deleted <= ? AND substr(subject, 1, ?) = ?"
            " ORDER BY subject",
            int(deleted),
            len(prefix),
            prefix,
        )
        return [row["subject"] for row in rows]

    def versions(self, subject: str, deleted: bool = False) -> list[sqlite3.Row]:
        """The versions of one subject, oldest first: version, id, type, text, deleted."""
        return self.rows(
            "SELECT version, schemas.id, type, text, deleted FROM versions"
            " JOIN schemas ON schemas.id = schema_id WHERE subject = ? AND deleted <= ? ORDER BY version",
            subject,
            int(deleted),
        )

    def schemas(self) -> list[sqlite3.Row]:
        return self.rows("SELECT id, type, text FROM schemas")

    def schema(self, schema_id: int) -> sqlite3.Row | None:
        return self.row("SELECT type, text FROM schemas WHERE id = ?", schema_id)

    def uses(self, schema_id: int, deleted: bool) -> list[sqlite3.Row]:
        return self.rows(
            "SELECT subject, version FROM versions WHERE schema_id = ? AND deleted <= ?"
            " ORDER BY subject, version",
            schema_id,
            int(deleted),
        )

    def add(self, subject: str, schema_type: str, text: str) -> int:
        """The schema's id, which it keeps wherever else it is registered. Inside a transaction."""
        self._db.execute("INSERT OR IGNORE INTO schemas (type, text) VALUES (?, ?)", (schema_type, text))
        found = self.row("SELECT id FROM schemas WHERE type = ? AND text = ?", schema_type, text)
        assert found is not None  # noqa: S101 (just inserted)
        self._db.execute(
            "INSERT INTO versions (subject, version, schema_id)"
            " SELECT ?, coalesce(max(version), 0) + 1, ? FROM versions WHERE subject = ?",
            (subject, found["id"], subject),
        )
        return int(found["id"])

    def delete(self, subject: str, versions: list[int], permanent: bool) -> None:
        """Inside a transaction. A schema goes with the last version that used it."""
        for version in versions:
            if permanent:
                self._db.execute("DELETE FROM versions WHERE subject = ? AND version = ?", (subject, version))
            else:
                self._db.execute(
                    "UPDATE versions SET deleted = 1 WHERE subject = ? AND version = ?", (subject, version)
                )
        if permanent:
            self._db.execute("DELETE FROM schemas WHERE id NOT IN (SELECT schema_id FROM versions)")

    def level(self, subject: str) -> str | None:
        found = self.row("SELECT level FROM config WHERE subject = ?", subject)
        return found["level"] if found else None

    def set_level(self, subject: str, level: str | None) -> None:
        with self.transaction() as db:
            if level is None:
                db.execute("DELETE FROM config WHERE subject = ?", (subject,))
            else:
                db.execute("INSERT OR REPLACE INTO config VALUES (?, ?)", (subject, level))
