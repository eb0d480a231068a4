from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from races.flink.local.errors import CannotRun
from races.flink.local.java import Java
from races.flink.local.kafka import LocalKafka
from races.flink.local.ports import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in of Java is a shell script")
REASON = "java.lang.RuntimeException: No readable meta.properties files found."


def kafka(folder: Path, words: str) -> LocalKafka:
    """One whose Java says these words and ends."""
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{words}'\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    return LocalKafka(Java(program, 17), (), folder / "kafka", free_port())


def test_folder_of_another_version(tmp_path: Path) -> None:
    """Kafka's own reason, and what to do about it."""
    found = kafka(tmp_path, REASON)
    data = tmp_path / "kafka/data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=2")
    found.launch()
    with pytest.raises(CannotRun) as refused:
        found.await_ready()
    words = str(refused.value)
    assert REASON in words
    assert f"wrote {data}, move that folder away" in words
    assert "\n" not in words
    found.stop()


def test_folder_that_cannot_be_prepared(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=f"Kafka could not prepare {tmp_path / 'kafka'}: no room"):
        kafka(tmp_path, "no room").launch()
