"""How a lab ends whose worker died: not as if somebody had stopped it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.integration.java import free_port

RUN = """
import sys, time, django
django.setup()
from django.core.management import execute_from_command_line
from races import whereabouts
from races.roles import Roles
from races.worker.worker import Worker
hangs = float(sys.argv.pop())
stop = Roles.stop
def run(worker):
    while not whereabouts.known_lab():
        time.sleep(0.05)
    raise RuntimeError("the worker's own end")
def slowly(roles, timeout=1.5):
    time.sleep(hangs)
    stop(roles, timeout)
Worker.run, Roles.stop = run, slowly
execute_from_command_line(["manage.py", "runlab", sys.argv.pop()])
"""


@pytest.mark.parametrize("hangs", ["0", "20"])
def test_a_lab_whose_worker_dies_ends_with_an_error_even_if_the_rest_hangs(
    tmp_path: Path, hangs: str
) -> None:
    environ = os.environ | {"F1_VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "f1site.settings"}

    def python(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env=environ,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    python("manage.py", "migrate", "-v0")
    done = python("-c", RUN, str(free_port()), hangs)
    assert done.returncode == 1, done.stderr + done.stdout
    assert "The worker died" in done.stderr
    assert "runs on" in done.stdout  # it stood: the end was not one at the start
