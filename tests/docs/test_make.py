"""What make says where the machine's Python is not enough: one line with the remedy, and nothing is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.docs.guide import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def answering(*version: int) -> str:
    """A Python that answers each question as one of that version would."""
    asked = f'exec {sys.executable} -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2"'
    return f'case "$1" in --version) echo Python {".".join(map(str, version))};; *) {asked};; esac'


OLD, NEW = answering(3, 9, 6), answering(3, 15, 0)
# Answers each question as this Python does, and the one about the C library with yes.
MUSL = f"""case "$*" in *musl*) exit 0;; *) exec {sys.executable} "$@";; esac"""
# The same for the question about macOS: as one before 15 answers it.
OLD_MAC = f"""case "$*" in *darwin*) exit 1;; *) exec {sys.executable} "$@";; esac"""
WITHOUT_VENV = f"""case "$*" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac"""


@pytest.mark.parametrize(
    ("python", "words"),
    [
        (OLD, ["Python 3.11 to 3.14", "is Python 3.9.6", "PYTHON=python3"]),
        (None, ["Python 3.11 to 3.14", "is not there", "PYTHON=python3"]),
        (NEW, ["Python 3.11 to 3.14", "is Python 3.15.0"]),
        (MUSL, ["musl", "such as Debian"]),
        (OLD_MAC, ["macOS 15", "Apple's own processors", "Docker"]),
        (WITHOUT_VENV, ["lacks venv or ensurepip", "apt install python3-venv"]),
    ],
)
def test_unfit_python_gets_a_remedy(tmp_path: Path, python: str | None, words: list[str]) -> None:
    for name in ("Makefile", "requirements.txt", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    if python is not None:
        (tmp_path / "python").write_text(f"#!/bin/sh\n{python}\n")
        (tmp_path / "python").chmod(0o755)
    done = subprocess.run(
        ["make", "--silent", "setup", "PYTHON=./python"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    line, makes_own = done.stderr.splitlines()
    assert makes_own.startswith("make")
    assert not done.stdout
    assert not (tmp_path / ".venv").exists()
    for word in words:
        assert word in line


def test_help_names_every_goal_and_needs_no_setup(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = subprocess.run(
        ["make", "--silent", "help"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True
    )
    named = {line.split()[1] for line in done.stdout.splitlines()}
    phony = (ROOT / "Makefile").read_text(encoding="utf-8").partition(".PHONY:")[2].partition("\n")[0]
    assert named == set(phony.split()) - {"migrate"}


# An environment whose pip fails, and whose Python is this one for all else.
FAILING_PIP = f"""case "$*" in *"pip install"*) echo "No matching distribution" >&2; exit 1;;
*lock.py*|-c*) exit 0;; *) exec {sys.executable} "$@";; esac"""


@pytest.mark.parametrize("answers", [False, True])
def test_a_first_run_without_a_network_says_so(tmp_path: Path, answers: bool) -> None:
    """pip's own words, that nothing matches, read as if the lock were wrong."""
    for name in ("Makefile", "requirements.txt", "requirements.lock", ".ci"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"
    python.write_text(f"#!/bin/sh\n{FAILING_PIP}\n")
    python.chmod(0o755)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as index:
        url = f"http://127.0.0.1:{index.server_port}/simple/"
        if answers:
            threading.Thread(target=index.handle_request, daemon=True).start()
        else:
            index.socket.close()
        environ = os.environ | {"PIP_INDEX_URL": url, "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            ["make", "--silent", "setup"],
            cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    line = done.stderr.splitlines()[-2]
    assert line.startswith(
        "pip could not install" if answers else f"The package index at {url} does not answer"
    )


@pytest.mark.full
def test_packages_land_in_the_environment(tmp_path: Path) -> None:
    """Whatever a person's pip.conf says of user, target and prefix. The package is made here, as nothing is fetched."""
    (tmp_path / "home/.config/pip").mkdir(parents=True)
    elsewhere = f"[install]\nuser = true\ntarget = {tmp_path}/elsewhere\nprefix = {tmp_path}/prefix\n"
    (tmp_path / "home/.config/pip/pip.conf").write_text(elsewhere)
    environ = os.environ | {
        "HOME": str(tmp_path / "home"),
        "PIP_USER": "1",
        "PIP_TARGET": f"{tmp_path}/there",
    }
    wheel = tmp_path / "made_here-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("made_here.py", "")
        archive.writestr(
            "made_here-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: made-here\nVersion: 1\n"
        )
        archive.writestr(
            "made_here-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("made_here-1.dist-info/RECORD", "")
    project = tmp_path / "my lab"
    subprocess.run([sys.executable, "-m", "venv", str(project / ".venv")], check=True, timeout=60)
    text = (ROOT / "Makefile").read_text().replace("\\\n", "")
    pip = next(line for line in text.splitlines() if line.startswith("PIP :="))
    pip = pip.replace("--require-hashes", "--no-index")
    makefile = f"VENV := .venv\nBIN := $(VENV)/bin\n{pip}\nall:\n\t@$(PIP) '{wheel}'\n"
    (project / "Makefile").write_text(makefile)
    subprocess.run(["make", "--silent"], cwd=project, env=environ, check=True, timeout=60)
    assert list((project / ".venv").rglob("made_here.py"))
    assert not any((tmp_path / name).exists() for name in ("elsewhere", "prefix", "there"))
