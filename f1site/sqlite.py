"""SQLite's write-ahead log, which lets pages read while worker and recorder write."""

from __future__ import annotations

import time
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

SQLITE_TIMEOUT_S = 20
RETRY_S = 0.1


def use_write_ahead_log(connection: BaseDatabaseWrapper, **signal: Any) -> None:
    """Turns WAL on for a new connection. Raises OperationalError where the file stays locked for too long.

    Connected to Django's `connection_created`. SQLite does not wait for the lock by itself here: where another program
    writes to a file that has no WAL yet, it refuses at once.
    """
    if connection.vendor != "sqlite":
        return
    end = time.monotonic() + SQLITE_TIMEOUT_S
    with connection.cursor() as cursor:
        while True:
            try:
                cursor.execute("PRAGMA journal_mode=WAL")
                break
            except OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(RETRY_S)
        cursor.execute("PRAGMA synchronous=NORMAL")
