"""What environment variables and folders' names may hold: it is taken as it is meant, or refused in a line."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from f1site.environment import POSTGRESQL, database, own_folder

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["my c#", "what?", "feature%2Fx", "a%20b", "100%", "%41", "a b;c@d:e[x]&+'", "früh"]


@pytest.mark.parametrize("name", NAMES)
def test_database_lies_in_its_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = database("DATABASE_URL", tmp_path / name / "db.sqlite3")
    assert found["NAME"] == str(tmp_path / name / "db.sqlite3")


def test_folders_with_signs_stay_apart(tmp_path: Path) -> None:
    """Migrates in `c#` and `c?`: each has its tables in its own file, and nothing lies beside the folders."""
    for name in ("c#", "c?"):
        environ = {**os.environ, "F1_VAR_DIR": str(tmp_path / name), "DATABASE_URL": ""}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environ, check=True, timeout=60)
        with sqlite3.connect(tmp_path / name / "db.sqlite3") as tables:
            assert tables.execute("select count(*) from races_race").fetchone() == (0,)
    assert {path.name for path in tmp_path.iterdir()} == {"c#", "c?"}


def test_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("F1_VAR_DIR", "file:var")
    assert own_folder("F1_VAR_DIR", tmp_path) == tmp_path / "file:var"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////tmp/my c#/x", "write # as %23"),
        ("sqlite:////tmp/what?/x", "write # as %23"),
        ("postgres://u:p#w@h/db", "write # as %23"),
        ("postgres://u:p?w@h/db", "? as %3F"),
        ("postgres://u:p/w@h/db", "/ as %2F"),
        ("postgres://u:p[w@h/db", "[ as %5B"),
        ("postgres://u:pw@h/db?schema=public", "no option 'schema'"),
        ("postgres://u:pw@h/db?pgbouncer=true", "no option 'pgbouncer'"),
        ("postgres://u:pw@h/db?connection_limit=5", "no option 'connection_limit'"),
        ("mysql://u:pw@h/db", "allowed: sqlite"),
    ],
)
def test_address_is_refused_with_a_remedy(url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit) as refused:
        database("DATABASE_URL", Path("unused"))
    said = str(refused.value)
    assert words in said
    assert "pw" not in said and "\n" not in said


def test_options_of_libpq_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://u:p%23w@h:5433/db?sslmode=require&currentSchema=x&connect_timeout=9"
    monkeypatch.setenv("DATABASE_URL", url)
    found = database("DATABASE_URL", Path("unused"))
    assert (found["ENGINE"], found["PASSWORD"], found["OPTIONS"]["sslmode"]) == (POSTGRESQL, "p#w", "require")
