"""The embedded lab with twenty races is killed, broker and all, and started again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from django.conf import settings

from bench.process import LabProcess
from races.recorder.chunks import unpack_frames
from tests.conftest import wait_for
from tests.integration.java import free_port

RACES = 20


@contextmanager
def lab(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], LabProcess]]:
    base = f"127.0.0.1:{free_port()}"
    environ = os.environ | {
        "F1_VAR_DIR": str(folder),
        "F1_MAX_RACES": "0",
        "F1_MAX_RACES_PER_CLIENT": "0",
    }
    manage = [sys.executable, "manage.py"]
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


def frames(folder: Path, race_id: str) -> list[int]:
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        rows = database.execute("SELECT data FROM races_boardchunk WHERE race_id = ?", (UUID(race_id).hex,))
        return [frame["tick"] for (data,) in rows for frame in unpack_frames(data)]


@pytest.mark.full
@pytest.mark.timeout(400)
def test_a_killed_lab_ends_all_its_races_after_its_next_start(tmp_path: Path) -> None:
    with lab(tmp_path) as (process, first):
        for seed in range(RACES):
            first.start_race(circuit="spielberg", laps=10, pace=30, seed=seed)
        wait_for(lambda: all(race["tick"] > 20 for race in races(first).values()), "all are on", 120)
        process.kill()
    before = time.monotonic()
    with lab(tmp_path) as (_, second):
        ticks = {race_id: race["tick"] for race_id, race in races(second).items()}
        assert len(ticks) == RACES
        wait_for(
            lambda: all(race["tick"] > ticks[race_id] + 20 for race_id, race in races(second).items()),
            "all go on",
            120,
        )
        print(
            f"\nlab killed: {RACES} races 20 ticks further {time.monotonic() - before:.1f} s after its start"
        )
        wait_for(lambda: all(race["status"] == "finished" for race in races(second).values()), "all end", 200)
        for race_id in ticks:
            race = second.get(f"/api/races/{race_id}/").json()
            got = frames(tmp_path, race_id)
            assert len(race["classification"]) == 22
            assert len(got) == len(set(got))
            assert len(got) + race["missing_ticks"] == race["tick"] + 1
            assert race["missing_ticks"] == 0
