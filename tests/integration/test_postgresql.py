"""What only PostgreSQL shows: transactions that run side by side, and tables that somebody locks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.fakes.database_away import asked
from tests.integration.postgres import PostgreSQL

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[2]


def run(database: str, folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database, "F1_VAR_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_limits_hold_at_the_same_instant(postgres: PostgreSQL, tmp_path: Path) -> None:
    """The same tests as on SQLite, in a process of their own with this database."""
    said = run(postgres.url, tmp_path, "-m", "pytest", "-q", "--create-db", "tests/models/test_creation.py")
    assert re.search(r"\d+ passed", said)  # and none failed, or it would not have ended with 0
    assert "skipped" not in said


def test_preparer_outlives_its_connection(postgres: PostgreSQL, tmp_path: Path) -> None:
    """The server refuses what SQLite takes, and a connection that it has ended is of no use again."""
    tests = ["tests/worker/test_worker_waits.py", "-k", "preparation_reconnects or columns"]
    said = run(postgres.url, tmp_path, "-m", "pytest", "-q", "--create-db", *tests)
    assert "2 passed" in said


def test_locked_table_delays_no_answer(postgres: PostgreSQL, tmp_path: Path) -> None:
    run(postgres.url, tmp_path, "manage.py", "migrate", "--verbosity", "0")
    with psycopg.connect(postgres.url) as other:
        other.execute("LOCK TABLE races_race, races_workerheartbeat")
        began = time.monotonic()
        answers = asked(postgres.url, tmp_path)
        other.rollback()
    for path in ("/healthz", "/metrics"):
        assert answers[path][1] < 8
    assert "f1_database_up 0" in answers["/metrics"][2]
    assert time.monotonic() - began < 60
    assert "f1_database_up 1" in asked(postgres.url, tmp_path)["/metrics"][2]
