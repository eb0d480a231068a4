"""An embedded lab with twenty races, whose database takes no writes for a while: it is locked, or its disk full."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from bench.harness import LabProcess
from races.models.race import RESERVE
from tests.fakes.database import locked
from tests.fakes.lab_process import all_end, all_go_on, check_all, lab, start_all, ticks
from tests.fakes.small_disk import small_disk
from tests.fakes.waiting import wait_for

pytestmark = [pytest.mark.full, pytest.mark.timeout(400)]
AWAY_S = 10.0  # longer than a lease


def told(lab: LabProcess, words: str, history: str) -> None:
    """By the database and by the recorder, for ten seconds in which nothing ends."""
    end = time.monotonic() + AWAY_S
    wait_for(lambda: words in lab.get("/healthz").json()["database"].get("error", ""), "it is told", 9)
    wait_for(lambda: history in lab.get("/healthz").json()["recorder"].get("error", ""), "history waits", 9)
    assert lab.get("/healthz").status_code == 503
    while time.monotonic() < end:
        assert lab.get("/livez").ok
        time.sleep(0.5)


def recovers(process: subprocess.Popen[bytes], lab: LabProcess, what: str) -> None:
    all_go_on(lab, time.monotonic(), f"{what} for {AWAY_S:.0f} s")
    wait_for(lambda: lab.get("/healthz").ok, "it is told that all is well", 30)
    all_end(lab)
    assert process.poll() is None


def test_locked_database_holds_twenty_races(tmp_path: Path) -> None:
    database = tmp_path / "var" / "db.sqlite3"
    with lab(tmp_path) as (process, found):
        start_all(found)
        with locked(database):
            before = ticks(found)
            told(found, "locked", "no history for")
            assert all(tick < before[race_id] + 2 * RESERVE for race_id, tick in ticks(found).items()), (
                "fifty were due"
            )
        recovers(process, found, "database locked")
        check_all(found, database)


def test_a_full_disk_costs_twenty_races_no_tick(tmp_path: Path) -> None:
    with small_disk(tmp_path / "var", "256m") as disk, lab(tmp_path, disk.inside) as (process, found):
        start_all(found)
        disk.fill()
        told(found, "full", "database or disk is full")
        disk.free()
        recovers(process, found, "disk full")
        check_all(found, disk.copied("db.sqlite3", tmp_path / "copy.sqlite3"))
