"""Answers of a process whose database is away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

ASK = """
import json, time, django
django.setup()
from django.test import Client
answers = {}
for path in ("/healthz", "/metrics", "/livez", "/races/"):
    began = time.monotonic()
    answer = Client(headers={"host": "localhost"}).get(path)
    answers[path] = [answer.status_code, time.monotonic() - began, answer.content.decode()]
print(json.dumps(answers))
"""


def asked(database: str, folder: Path) -> dict[str, tuple[int, float, str]]:
    """Status, seconds and text of each answer of a process with that database."""
    environ = {
        "DATABASE_URL": database,
        "F1_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "f1site.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=settings.BASE_DIR,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]
