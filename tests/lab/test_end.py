"""How a lab ends whose worker died: not as if somebody had stopped it. And one that is stopped while it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from bench.services.waiting import free_port
from tests.fakes.migrated import Migrated

RUN = """
import sys, time, django
django.setup()
from django.core.management import execute_from_command_line
from races.lab import addresses
from races.lab.components import Components
from races.worker.worker import Worker
hangs = float(sys.argv.pop())
stop = Components.stop
def run(worker):
    while not addresses.running_lab():
        time.sleep(0.05)
    raise RuntimeError("the worker's own end")
def slowly(components, timeout=1.5):
    time.sleep(hangs)
    stop(components, timeout)
Worker.run, Components.stop = run, slowly
execute_from_command_line(["manage.py", "runlab", sys.argv.pop()])
"""


# Runs manage.py with one function replaced by one that says that it is there, and stays
STAYS = """
import importlib, runpy, sys, time, django
def stay(*args, **options):
    print("here", flush=True)
    time.sleep(60)
module, name = sys.argv.pop().split(":")
if module.startswith("races"):
    django.setup()
setattr(importlib.import_module(module), name, stay)
sys.argv[0] = "manage.py"
runpy.run_path("manage.py", run_name="__main__")
"""


def environ(folder: Path) -> dict[str, str]:
    return os.environ | {"F1_VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "f1site.settings"}


@pytest.fixture
def var(tmp_path: Path, migrated: Migrated) -> Path:
    return migrated(tmp_path)


@pytest.mark.parametrize(
    ("at", "sign"),
    [
        ("races.management.commands.run_worker:reach_kafka", signal.SIGINT),
        pytest.param(
            "django.core.management:execute_from_command_line", signal.SIGINT, marks=pytest.mark.full
        ),
        pytest.param(
            "races.management.commands.runlab:check_migrations", signal.SIGTERM, marks=pytest.mark.full
        ),
        pytest.param("races.lab.runtime:EmbeddedKafka", signal.SIGINT, marks=pytest.mark.full),
        pytest.param("races.lab.runtime:make_components", signal.SIGTERM, marks=pytest.mark.full),
        ("races.management.commands.runlab:serve", signal.SIGINT),
    ],
)
def test_stop_during_the_start(var: Path, at: str, sign: signal.Signals) -> None:
    config = var / "config.yaml"
    config.write_text("kafka: {bootstrap.servers: '127.0.0.1:1', schema_registry_url: 'http://127.0.0.1:1'}")
    worker = "run_worker" in at
    command = ["run_worker"] if worker else ["runlab", str(free_port())]
    with subprocess.Popen(
        [sys.executable, "-c", STAYS, *command, at],
        cwd=settings.BASE_DIR,
        env=environ(var) | ({"F1_CONFIG": str(config)} if worker else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "here\n"
        began = time.monotonic()
        started.send_signal(sign)
        try:
            said = started.communicate(timeout=20)
        finally:
            started.kill()
        assert time.monotonic() - began < 4  # two seconds, on a machine that has nothing else to do
    assert (started.returncode, said) == (0, ("", ""))


@pytest.mark.parametrize("hangs", ["0", "20"])
def test_dead_worker_ends_a_hanging_lab(var: Path, hangs: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(free_port()), hangs],
        cwd=settings.BASE_DIR,
        env=environ(var),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1, done.stderr + done.stdout
    assert "The worker died" in done.stderr
    assert "runs on" in done.stdout  # it stood: the end was not one at the start


def test_two_signals_at_once_are_one(var: Path) -> None:
    """`timeout` and a terminal's Ctrl-C send theirs together."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "runlab", str(free_port())],
        cwd=settings.BASE_DIR,
        env=environ(var),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as lab:
        assert lab.stdout is not None
        while "Ctrl-C stops it" not in lab.stdout.readline():
            assert lab.poll() is None
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            lab.send_signal(sign)
            time.sleep(0.005)
        try:
            _, said = lab.communicate(timeout=20)
        finally:
            lab.kill()
    assert lab.returncode == 0
    assert "Traceback" not in said  # that its own Kafka went first may be logged
