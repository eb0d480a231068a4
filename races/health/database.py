"""The health check of the database: does it answer, and does it take writes?

Pages can be read from a database that somebody has locked, but races cannot go on. The check uses the request's own
connection, is short, and changes nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connections, transaction

from races.lib.database_errors import DiskFull

LOCKED_MS = 1500
# Shorter than PostgreSQL's deadlock_timeout, so that the check never ends somebody's transaction.
LOCKED_POSTGRESQL_MS = 800
ROOM = 2**20  # bytes; with less, a second of history may not fit


def database_part() -> dict[str, Any]:
    """The database's part of /healthz. Raises django.db.Error."""
    vendor = connections["default"].vendor
    limit_query_time()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
    {"sqlite": _sqlite, "postgresql": _postgresql}.get(vendor, lambda: None)()
    return {"ok": True, "engine": vendor}


def limit_query_time() -> None:
    """Limits each query of this request: a table that somebody has locked must not keep the answer waiting."""
    if connections["default"].vendor == "postgresql":
        with connections["default"].cursor() as cursor:
            cursor.execute("SET statement_timeout = '2s'")


def _sqlite() -> None:
    """Begins an immediate transaction, which waits for SQLite's one write lock. It needs no disk space, so that is
    checked separately.
    """
    with _waiting_for(LOCKED_MS), transaction.atomic():
        pass
    with connections["default"].cursor() as cursor:
        _, _, file = cursor.execute("PRAGMA database_list").fetchone()
    if file and (free := shutil.disk_usage(file).free) < ROOM:
        raise DiskFull(f"the disk is full: {free // 1024} KiB are left for the database")


@contextmanager
def _waiting_for(milliseconds: int) -> Iterator[None]:
    connection = connections["default"]
    with connection.cursor() as cursor:
        (usual,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


def _postgresql() -> None:
    """Takes the lock that every writer takes. It conflicts with no writer, only with somebody who locks a whole
    table.
    """
    tables = ", ".join(f'"{model._meta.db_table}"' for model in apps.get_app_config("races").get_models())
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCKED_POSTGRESQL_MS}")
        cursor.execute(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE")
