"""manage.py without the packages: it finds .venv, or says what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.guide import ROOT


def manage(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs `manage.py version` with a Python that has none of our packages."""
    command = [sys.executable, "-I", "-S", "-c", RUN, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


# as a start of manage.py would be; -I and -S leave out every installed package
RUN = (
    "import sys, runpy; sys.path.insert(0, sys.argv[1]); sys.argv = [sys.argv[1] + '/manage.py', 'version']; "
)
RUN += "runpy.run_path(sys.argv[0], run_name='__main__')"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "manage.py", tmp_path)
    (tmp_path / "races" / "lib").mkdir(parents=True)
    for name in ("memory.py", "spelling.py"):
        shutil.copy(ROOT / "races" / "lib" / name, tmp_path / "races" / "lib")
    return tmp_path


def test_the_environment_of_make_is_found(clone: Path) -> None:
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "run $2 by .venv"\n')
    python.chmod(0o755)
    assert manage(clone).stdout == "run version by .venv\n"


def test_without_it_the_words_say_what_to_do(clone: Path) -> None:
    done = manage(clone)
    assert done.returncode == 1
    assert done.stderr == "This Python has no Django. First: make setup\n"


def test_the_stand_in_says_it_in_a_line() -> None:
    run = "import sys, runpy; sys.path.insert(0, sys.argv[1]); runpy.run_module('provisioning.standin')"
    command = [sys.executable, "-I", "-S", "-c", run, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("This Python has no packages of the lab. First: source .venv/bin/activate")
    assert done.stderr.count("\n") == 1
