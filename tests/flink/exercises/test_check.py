from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from races.flink.exercises import Exercise, exercises
from races.flink.exercises.check import check
from races.flink.exercises.truth import COMPARED, EXPECTED, Truth
from races.streams.topics import DEFAULT_NAMES
from tests.analytics.simulated import race_records

EXERCISES = exercises(DEFAULT_NAMES)


@cache
def truth() -> Truth:
    records = race_records("monza", 3, metrics=True)
    of = {
        role: [record.value for record in records if record.role == role]
        for role in ("positions", "race_control", "car_metrics")
    }
    return Truth(records[0].value["race_id"], of["positions"], of["race_control"], of["car_metrics"])


def right_rows(exercise: Exercise, of: Truth) -> list[dict[str, Any]]:
    """What Flink writes, as an integration test shows."""
    names = COMPARED.get(exercise.number, exercise.names[1:])
    others = dict.fromkeys(exercise.names, "another driver")
    rows = sorted(EXPECTED[exercise.number](of), key=lambda row: row.at)
    return [others | {"race_id": of.race_id, **dict(zip(names, row.values, strict=True))} for row in rows]


def test_twelve_with_question_and_table() -> None:
    assert [one.number for one in EXERCISES] == list(range(1, 13))
    for one in EXERCISES:
        assert one.names[0] == "race_id"
        assert one.see
        assert one.create_table.startswith(
            f"CREATE TABLE IF NOT EXISTS `exercise-{one.number}` (`race_id` STRING"
        )


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.name.replace(" ", "-"))
def test_right_rows_are_right(exercise: Exercise) -> None:
    rows = right_rows(exercise, truth())
    verdict = check(exercise, [*rows, *({**row, "race_id": "another"} for row in rows)], truth())
    assert verdict.right
    assert verdict.words == () or not rows


@pytest.mark.parametrize("number", [1, 2, 3, 6, 8, 9, 12])
def test_rows_of_the_end_may_still_come(number: int) -> None:
    rows = right_rows(EXERCISES[number - 1], truth())
    assert check(
        EXERCISES[number - 1], rows[: check(EXERCISES[number - 1], rows, truth()).expected], truth()
    ).right


@pytest.mark.parametrize("number", [1, 2, 3, 6, 8, 9, 12])
def test_missing_row_is_counted_and_not_shown(number: int) -> None:
    exercise = EXERCISES[number - 1]
    rows = right_rows(exercise, truth())
    verdict = check(exercise, rows[1:], truth())
    assert not verdict.right
    (words,) = verdict.words
    assert words.startswith(f"1 of {verdict.expected} rows are missing, the first of ")
    assert rows[0]["driver_code" if "driver_code" in rows[0] else "race_id"] not in words


@pytest.mark.parametrize("number", [1, 4, 6, 8, 12])
def test_wrong_value_is_shown_as_it_came(number: int) -> None:
    exercise = EXERCISES[number - 1]
    rows = right_rows(exercise, truth())
    name = COMPARED.get(number, exercise.names)[-1]
    rows[0] = rows[0] | {name: 12345.5}
    verdict = check(exercise, rows, truth())
    assert not verdict.right
    assert f"{name} 12345.5" in verdict.words[-1]


def test_row_that_comes_twice_is_wrong() -> None:
    rows = right_rows(EXERCISES[7], truth())
    assert not check(EXERCISES[7], [*rows, rows[0]], truth()).right


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "The topic has no row yet."),
        ([{"race_id": "another", "driver_code": "NOR", "lap": 1, "stood_s": 2.0}], "none of this race"),
        ([{"race_id": "x", "driver": "NOR"}], "no column driver_code, lap, stood_s"),
    ],
)
def test_what_to_look_at(rows: list[dict[str, Any]], words: str) -> None:
    verdict = check(EXERCISES[7], rows, truth())
    assert not verdict.right
    assert words in verdict.words[0]


def test_late_readings_name_the_setting() -> None:
    rows = [{"race_id": truth().race_id, "late": 2486, "readings": 9000}]
    verdict = check(EXERCISES[9], rows, truth())
    assert not verdict.right
    assert "idle-timeout" in verdict.words[-1]


def test_only_stopped_sensors_are_stuck() -> None:
    rows = right_rows(EXERCISES[6], truth())
    assert len(rows) > 0
    first = next(EXPECTED[7](truth()))
    assert check(EXERCISES[6], rows, replace(truth(), stuck=[])).right is False
    assert list(EXPECTED[7](replace(truth(), stuck=[(first.values[0], -5)]))) == []


def test_race_in_which_nothing_happens() -> None:
    nothing = Truth("r", truth().positions[:22], [], truth().car_metrics[:22])
    verdict = check(EXERCISES[10], [], nothing)
    assert "nothing to find" in verdict.words[-1]
