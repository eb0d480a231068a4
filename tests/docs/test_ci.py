"""The gate's choice of Pythons: those that work, wherever they were installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.guide import ROOT

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
SHIM = "echo 'pyenv: python3.13: command not found' >&2; exit 127"


def put(path: Path, minor: int | None) -> Path:
    """A program that answers as Python 3.`minor` does, or as a shim of pyenv that refuses."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The script asks one question: whether the version is the one it looks for.
    answer = f'case "$2" in *"(3, {minor})"*) echo {path};; *) exit 1;; esac'
    path.write_text(f"#!/bin/sh\n{SHIM if minor is None else answer}\n")
    path.chmod(0o755)
    return path


def found(home: Path, path: Path) -> list[str]:
    environ = {"HOME": str(home), "PATH": f"{path}:{os.defpath}", "RUNNER_TOOL_CACHE": str(home / "tools")}
    done = subprocess.run(
        ["bash", ROOT / ".ci" / "pythons"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stdout.splitlines()
    return [line for line in lines if line.startswith(str(home))]  # the machine's own may stand among them


def test_each_place_is_looked_at(tmp_path: Path) -> None:
    places = [
        put(tmp_path / "bin" / "python3.11", 11),
        put(tmp_path / ".pyenv" / "versions" / "3.12.1" / "bin" / "python3.12", 12),
        put(tmp_path / ".local/share/uv/python/cpython-3.13.2-linux/bin/python3.13", 13),
        put(tmp_path / "tools" / "Python" / "3.14.0" / "x64" / "bin" / "python3.14", 14),
    ]
    assert found(tmp_path, tmp_path / "bin") == [str(path) for path in places]


def test_shim_that_refuses_hides_nothing(tmp_path: Path) -> None:
    put(tmp_path / "shims" / "python3.13", None)
    real = put(tmp_path / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3.13", 13)
    assert found(tmp_path, tmp_path / "shims") == [str(real)]


def test_version_of_another_name_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "bin" / "python3.14", 10)
    put(tmp_path / ".pyenv" / "versions" / "3.10.13" / "bin" / "python3.10", 10)
    assert found(tmp_path, tmp_path / "bin") == []


def test_gate_runs_oldest_and_newest() -> None:
    run = (ROOT / ".ci" / "run").read_text()
    assert 'make test PYTHON="$oldest"' in run
    assert 'make test-fast PYTHON="$newest"' in run


def test_gate_skips_nothing_for_lack_of_a_tool() -> None:
    """With CI=true, `tests.fakes.waiting.lacking` fails; so does whoever forgets to install something here."""
    assert "\nexport CI=true" in (ROOT / ".ci" / "run").read_text()
