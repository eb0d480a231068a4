"""Database errors in words that anybody may read. An error may name host and user, so only the log has its text."""

from __future__ import annotations

from django.db import OperationalError

DESCRIPTIONS = {
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


class DiskFull(OperationalError):
    """The lab itself found too little room for the database. Its text may be shown to anybody."""


def public_message(error: Exception) -> str:
    """A sentence for /healthz."""
    return str(error) if isinstance(error, DiskFull) else f"the database {describe(error)}"


def describe(error: Exception) -> str:
    """What is wrong, without the subject: "is locked and takes no writes"."""
    text = str(error).lower()
    return next((words for sign, words in DESCRIPTIONS.items() if sign in text), "does not answer")
