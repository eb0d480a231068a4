"""The write-ahead log: turned on while somebody else writes, and given up in a line after a while."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_django
from django.db import OperationalError, connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from bench.services.waiting import free_port
from f1site import sqlite

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def allowed(django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """Files of the test's own are no test database."""
    with django_db_blocker.unblock():
        yield


def opened(path: Path) -> DatabaseWrapper:
    """A connection of Django's to a file, with the settings' own options."""
    return DatabaseWrapper({**connections["default"].settings_dict, "NAME": str(path)}, "other")


def writer(path: Path) -> sqlite3.Connection:
    """A connection that has begun to write, in a file without a write-ahead log."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("create table if not exists one (two)")
    connection.execute("begin immediate")
    connection.execute("insert into one values (1)")
    return connection


def test_it_waits_for_a_writer(tmp_path: Path) -> None:
    other = writer(tmp_path / "db.sqlite3")
    timer = threading.Timer(0.5, other.rollback)
    timer.start()
    connection = opened(tmp_path / "db.sqlite3")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
    timer.join()
    connection.close()
    other.close()


def test_endless_writer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "SQLITE_TIMEOUT_S", 0.3)
    other = writer(tmp_path / "db.sqlite3")
    with pytest.raises(OperationalError, match="locked"):
        opened(tmp_path / "db.sqlite3").connect()
    other.close()


@pytest.mark.parametrize(
    "command", [["migrate", "-v0"], pytest.param(["prune_races", "--keep", "9"], marks=pytest.mark.full)]
)
def test_server_that_is_away_is_one_line(command: list[str], tmp_path: Path) -> None:
    """Django's own commands have a traceback for it."""
    url = f"postgres://lab:zq-secret@127.0.0.1:{free_port()}/lab"
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={**os.environ, "F1_VAR_DIR": str(tmp_path), "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "zq-secret" not in line
