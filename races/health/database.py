"""Whether the database answers, and takes what is written to it. Asked for /healthz on its request's own connection,
not for long, and changing nothing: pages may be read from a database that somebody has locked, races cannot go on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connections, transaction

from races.lib.database_errors import NoRoom

LOCKED_MS = 1500
# Shorter than PostgreSQL's wait before it looks for a deadlock: the question must never end somebody's transaction.
LOCKED_POSTGRESQL_MS = 800
ROOM = 2**20  # with less a second of history may not fit


def database_part() -> dict[str, Any]:
    """Raises django.db.Error."""
    vendor = connections["default"].vendor
    ask_briefly()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
    {"sqlite": _sqlite, "postgresql": _postgresql}.get(vendor, lambda: None)()
    return {"ok": True, "engine": vendor}


def ask_briefly() -> None:
    """For this request's connection: a table that somebody has locked must not keep the answer waiting."""
    if connections["default"].vendor == "postgresql":
        with connections["default"].cursor() as cursor:
            cursor.execute("SET statement_timeout = '2s'")


def _sqlite() -> None:
    """SQLite has one writer: an immediate transaction waits for its turn. It needs no room, so that is asked apart."""
    with _waiting_for(LOCKED_MS), transaction.atomic():
        pass
    with connections["default"].cursor() as cursor:
        _, _, file = cursor.execute("PRAGMA database_list").fetchone()
    if file and (free := shutil.disk_usage(file).free) < ROOM:
        raise NoRoom(f"the disk is full: {free // 1024} KiB are left for the database")


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
    """The lock that every writer takes: it meets none of theirs, only somebody's who locks a whole table."""
    tables = ", ".join(f'"{model._meta.db_table}"' for model in apps.get_app_config("races").get_models())
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCKED_POSTGRESQL_MS}")
        cursor.execute(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE")
