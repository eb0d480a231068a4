"""Whether an answer to an exercise is right: its rows beside what the simulation knows of the race.

Pure: records in, a verdict out. What is missing is said by number and time, never by its values, so that a verdict
gives no answer away.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from races.flink.exercises import Exercise
from races.flink.exercises.truth import COMPARED, EXPECTED, LATE, READ, SETTLED_MS, Record, Row, Truth, Values

AN_INSTANT = 10**12  # a number beyond is epoch milliseconds


@dataclass(frozen=True, slots=True)
class Verdict:
    """right: every row that must be there is there, and no other. expected: how many must be. words: what to look at,
    one line each.
    """

    right: bool
    expected: int
    found: int
    words: tuple[str, ...]


def check(exercise: Exercise, rows: Iterable[Record], truth: Truth) -> Verdict:
    """Compares the rows of the learner's table with the right ones. Rows of other races do not count.

    rows: of a table with a key, the newest row of each.
    """
    answers = list(rows)
    if lacking := [name for name in exercise.names if answers and name not in answers[0]]:
        words = f"The table has no column {', '.join(lacking)}. It needs: {exercise.columns}"
        return Verdict(False, 0, len(answers), (words,))
    mine = [row for row in answers if row["race_id"] == truth.race_id]
    expected = sorted(EXPECTED[exercise.number](truth), key=lambda row: row.at)
    horizon = truth.seen_until(READ[exercise.number]) - SETTLED_MS
    due = [row for row in expected if row.at <= horizon]
    compared = COMPARED.get(exercise.number, exercise.names[1:])
    found = Counter(_comparable(tuple(row[name] for name in compared)) for row in mine)
    right = Counter(_comparable(row.values) for row in expected)
    left, missing = found.copy(), list[Row]()
    for row in due:
        values = _comparable(row.values)
        if not left[values]:
            missing.append(row)
        left[values] = max(0, left[values] - 1)
    wrong = list((found - right).elements())
    said = tuple(_words(exercise, compared, answers, mine, due, missing, wrong))
    return Verdict(not missing and not wrong and bool(mine or not due), len(due), len(mine), said)


def _words(
    exercise: Exercise,
    compared: Sequence[str],
    answers: Sequence[Record],
    mine: Sequence[Record],
    due: Sequence[Row],
    missing: Sequence[Row],
    wrong: Sequence[Values],
) -> Iterator[str]:
    if not answers:
        yield f"The topic has no row yet. Create the table, then INSERT INTO it: {exercise.create_table}"
    elif not mine and due:
        yield "The topic has rows, and none of this race. Does the statement still run, and does it keep race_id?"
    if missing and mine:
        yield (
            f"{len(missing)} of {len(due)} rows are missing, the first of {_clock(missing[0].at)}. "
            "Did the statement read the race from its beginning, and has it run to its end?"
        )
    if wrong:
        shown = ", ".join(
            f"{name} {_clock(value) if isinstance(value, int) and value > AN_INSTANT else str(value)[:40]}"
            for name, value in zip(compared, wrong[0], strict=True)
        )
        yield f"{len(wrong)} rows should not be there or not be so, one of them: {shown}."
    if exercise.number == LATE and wrong:
        yield "Late readings are lost to windows. What does table.exec.source.idle-timeout do to the watermark?"
    if not due and not mine:
        yield "In this race there is nothing to find so far. Wait, or try another race."


def _comparable(values: Values) -> Values:
    """Instants as epoch milliseconds, and numbers to the sixth digit: sums depend on the order of their terms."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, datetime):
            value = round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)
        elif isinstance(value, float):
            value = round(value, 6) if math.isfinite(value) else None
        found.append(value)
    return tuple(found)


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S} UTC"
