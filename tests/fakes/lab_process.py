"""The embedded lab as it is run for real, a process of its own, with twenty races that are to survive what comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from bench.harness import LabProcess
from bench.services.waiting import free_port
from tests.fakes.database import frames, race_of
from tests.fakes.expected import check_answer, check_frames, expected_ticks
from tests.fakes.waiting import wait_for

RACES = 20


@contextmanager
def lab(folder: Path, inside: Sequence[str] = ()) -> Iterator[tuple[subprocess.Popen[bytes], LabProcess]]:
    """Its files are in the folder's var. inside: what its commands begin with."""
    base = f"127.0.0.1:{free_port()}"
    environ = os.environ | {
        "F1_VAR_DIR": str(folder / "var"),
        "F1_MAX_RACES": "0",
        "F1_MAX_RACES_PER_CLIENT": "0",
    }
    manage = [*inside, sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=settings.BASE_DIR, env=environ, check=True)
    with (folder / "lab.log").open("ab") as log:
        process = subprocess.Popen(
            [*manage, "runlab", base], cwd=settings.BASE_DIR, env=environ, stdout=log, stderr=log
        )
    found = LabProcess(base, process.pid, 0.0, environ)

    def up() -> bool:
        assert process.poll() is None, (folder / "lab.log").read_text()
        try:
            return found.get("/livez").ok
        except requests.ConnectionError:
            return False

    try:
        wait_for(up, "the lab answers", 60)
        yield process, found
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(30)


def races(lab: LabProcess) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in lab.get("/api/races/").json()["races"]}


def ticks(lab: LabProcess) -> dict[str, int]:
    """As the pages show them; the list of races goes by the database, which may be behind."""
    return {race_id: lab.get(f"/api/races/{race_id}/").json()["tick"] for race_id in races(lab)}


def start_all(lab: LabProcess) -> None:
    for seed in range(RACES):
        lab.start_race(circuit="spielberg", laps=10, pace=30, seed=seed)
    wait_for(lambda: all(race["tick"] > 20 for race in races(lab).values()), "all are on", 120)


def all_go_on(lab: LabProcess, began: float, what: str) -> None:
    """Waits until each race is twenty ticks further. Prints the time since `began`."""
    before = ticks(lab)
    assert len(before) == RACES
    wait_for(
        lambda: all(tick > before[race_id] + 20 for race_id, tick in ticks(lab).items()), "all go on", 120
    )
    print(f"\n{what}: {RACES} races 20 ticks further after {time.monotonic() - began:.1f} s")


def all_end(lab: LabProcess) -> None:
    wait_for(lambda: all(race["status"] == "finished" for race in races(lab).values()), "all end", 200)


def check_all(lab: LabProcess, database: Path) -> None:
    """History, classification and API of each are its simulation's."""
    for race_id in races(lab):
        answer = lab.get(f"/api/races/{race_id}/").json()
        ticks = expected_ticks(race_of(database, race_id))
        check_frames(frames(database, race_id), ticks)
        check_answer(answer, ticks)
        assert answer["missing_ticks"] == 0
