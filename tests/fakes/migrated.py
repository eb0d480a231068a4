"""A database with the lab's tables for processes of their own: made once a test process, copied for each test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.conf import settings

Migrated = Callable[[Path], Path]


@pytest.fixture(scope="session")
def migrated() -> Iterator[Migrated]:
    """Called with a folder for the lab's files: puts the database there and returns the folder."""
    with TemporaryDirectory() as name:
        template = Path(name)
        environ = os.environ | {"F1_VAR_DIR": name, "DATABASE_URL": ""}

        def copy(folder: Path) -> Path:
            if not (template / "db.sqlite3").exists():
                command = [sys.executable, "manage.py", "migrate", "-v0"]
                subprocess.run(command, cwd=settings.BASE_DIR, env=environ, check=True, timeout=90)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(template / "db.sqlite3", folder / "db.sqlite3")
            return folder

        yield copy
