"""The embedded lab with twenty races is killed, broker and all, and started again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.fakes.lab_process import all_end, all_go_on, check_all, lab, start_all
from tests.fakes.waiting import wait_for


@pytest.mark.full
@pytest.mark.timeout(400)
def test_a_killed_lab_ends_all_its_races_after_its_next_start(tmp_path: Path) -> None:
    with lab(tmp_path) as (process, first):
        start_all(first)
        process.kill()
    began = time.monotonic()
    with lab(tmp_path) as (_, second):
        all_go_on(second, began, "lab killed, its start included")
        wait_for(lambda: second.get("/healthz").ok, "it is told that all is well", 30)
        all_end(second)
        check_all(second, tmp_path / "var" / "db.sqlite3")
