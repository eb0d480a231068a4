from __future__ import annotations

import pytest

from races.sql.catalogue import catalogue
from races.sql.examples import Example, examples
from races.sql.statements import kind, split
from races.streams.topics import DEFAULT_NAMES, TOPICS

NAMES = {role: f"my-{role}" for role in TOPICS}


@pytest.mark.parametrize("example", examples(NAMES), ids=lambda one: one.name)
def test_example(example: Example) -> None:
    assert example.title
    assert len(example.about) < 120
    assert "${" not in example.sql
    assert all(name not in example.sql for name in DEFAULT_NAMES.values())
    for piece in split(example.sql):
        kind(piece.sql, NAMES.values())


def test_catalogue() -> None:
    tables = {table.name: table for table in catalogue(DEFAULT_NAMES)}
    assert list(tables) == list(TOPICS)
    assert [column.name for column in tables["avg_speed"].columns] == ["driver_name", "race_id", "avg_speed"]
    assert tables["avg_speed"].key == ("driver_name", "race_id")
    assert tables["avg_speed"].subjects == ("f1-driver-avg-speed-key", "f1-driver-avg-speed-value")
    assert tables["positions"].columns[-1].name == "$rowtime"
    assert tables["positions"].key == ()
