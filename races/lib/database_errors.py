"""What a database's error says to anybody: of what kind it is. Its own words may name host and user; the log has
them."""

from __future__ import annotations

from django.db import OperationalError

SIGNS = {
    "locked": "is locked and takes no writes",  # SQLite
    "lock timeout": "is locked and takes no writes",  # PostgreSQL
    "statement timeout": "does not answer in time",
    "readonly": "is read-only",
    "read-only": "is read-only",
    "disk is full": "has no room: database or disk is full",
    "no space left": "has no room: database or disk is full",
    "no such table": "lacks tables: run manage.py migrate",
    "does not exist": "lacks tables: run manage.py migrate",
}


class NoRoom(OperationalError):
    """Found by the lab itself: its words are fit for anybody."""


def told(error: Exception) -> str:
    """The sentence for /healthz."""
    return str(error) if isinstance(error, NoRoom) else f"the database {kind_of(error)}"


def kind_of(error: Exception) -> str:
    said = str(error).lower()
    return next((words for sign, words in SIGNS.items() if sign in said), "does not answer")
