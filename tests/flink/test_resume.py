from __future__ import annotations

from pathlib import Path

import pytest

from races.flink.resume import Memories


@pytest.fixture
def memories(tmp_path: Path) -> Memories:
    return Memories(tmp_path / "flink" / "statements.json")


def test_nothing_is_remembered_at_first(memories: Memories) -> None:
    assert memories.usable_point("a", "x") == ""
    assert not memories.of("a").stopped
    assert memories.points() == set()


def test_point_is_of_one_query_and_one_kafka(memories: Memories, tmp_path: Path) -> None:
    point = tmp_path.as_uri()
    memories.note_point("a", point, "x")
    assert memories.usable_point("a", "x") == point
    assert memories.usable_point("a", "y") == ""
    assert memories.usable_point("b", "x") == ""


def test_point_that_is_gone_is_not_used(memories: Memories, tmp_path: Path) -> None:
    memories.note_point("a", (tmp_path / "chk-7").as_uri(), "x")
    assert memories.usable_point("a", "x") == ""
    memories.note_point("b", "s3://bucket/chk-7", "x")  # nobody here can tell
    assert memories.usable_point("b", "x") == "s3://bucket/chk-7"


def test_point_that_was_replaced_leads_to_its_successor(memories: Memories, tmp_path: Path) -> None:
    for name in ("chk-9", "chk-10", "chk-11"):
        (tmp_path / "job" / name).mkdir(parents=True)
    for whole in ("chk-9", "chk-10"):
        (tmp_path / "job" / whole / "_metadata").touch()
    memories.note_point("a", (tmp_path / "job/chk-8").as_uri(), "x")
    assert memories.usable_point("a", "x") == (tmp_path / "job/chk-10").as_uri()


def test_stopping_keeps_the_point(memories: Memories, tmp_path: Path) -> None:
    memories.note_point("a", tmp_path.as_uri(), "x")
    memories.note_stopped("a", True)
    memories.note_point("a", (tmp_path / "b").as_uri(), "x")
    assert memories.of("a").stopped
    memories.note_stopped("a", False)
    assert memories.of("a").point == (tmp_path / "b").as_uri()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": {"point": "p"}}', "\udcff"])
def test_a_broken_file_is_no_memory(tmp_path: Path, text: str) -> None:
    file = tmp_path / "statements.json"
    file.write_text(text, errors="surrogateescape")
    memories = Memories(file)
    assert memories.usable_point("a", "x") == ""
    memories.note_stopped("a", True)
    assert memories.of("a").stopped
