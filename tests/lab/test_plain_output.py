"""A lab and the commands beside it where output is ASCII: in a container without a locale, or into a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from bench.harness import LabProcess
from tests.fakes.lab_process import lab
from tests.fakes.waiting import wait_for

pytestmark = [pytest.mark.full, pytest.mark.timeout(180)]


def said(found: LabProcess, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=found.environ,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    return done.stdout.decode("ascii")


@pytest.mark.parametrize("code", ["ascii", "cp1252"])
def test_a_race_is_followed_in_ascii(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A circuit and drivers with accents, a bar of blocks, and records with whatever people are called."""
    for name, value in {"PYTHONIOENCODING": f"{code}", "LC_ALL": "C", "PYTHONUTF8": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    with lab(tmp_path) as (_, found), (tmp_path / "followed").open("wb") as out:
        following = subprocess.Popen(
            [sys.executable, "manage.py", "start_race", "--driver", "PER", "--circuit", "interlagos", "--wait"],
            cwd=settings.BASE_DIR, env=found.environ, stdout=out, stderr=out,
        )  # fmt: skip
        wait_for(lambda: b"lap" in (tmp_path / "followed").read_bytes(), "the race is on its first lap", 60)
        race_id = (tmp_path / "followed").read_text(code).split()[0]
        assert "PER" in said(found, "tail_topic", "positions", "--race", race_id, "--count", "22")
        assert said(found, "trace_tick", race_id)
        assert said(found, "prune_races", "--keep", "5")
        said(found, "stop_race", race_id)
        assert following.wait(60) == 0
    told = (tmp_path / "followed").read_text(code)
    assert "Traceback" not in told
    assert "Traceback" not in (tmp_path / "lab.log").read_text(code)
