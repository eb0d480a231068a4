from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from races.flink.gateway import Change, Column, StatementRefused
from races.sql.explain import trees
from races.sql.terminal import LONGEST_CELL, heading, line, marked, text, tree

COLUMNS = [Column("code", "VARCHAR"), Column("kmh", "DOUBLE"), Column("at", "TIMESTAMP_WITHOUT_TIME_ZONE")]


def test_columns_stand_under_their_names() -> None:
    above = heading(COLUMNS, with_kind=True)
    below = line(Change("+U", ("NOR", 301.5, "2026-11-30T12:00:00.200")), COLUMNS, with_kind=True)
    assert above.index("code") == below.index("NOR")
    assert above.index("kmh") + 3 == below.index("301.5") + 5
    assert above.index("at") == below.index("2026-11-30 12:00:00.200")
    assert below.startswith("+U  ")


def test_values() -> None:
    assert text(None) == "NULL"
    assert text("Tk9S", "VARBINARY") == "NOR"
    assert text("/w==", "BINARY") == "/w=="
    assert text({"a": [1, True]}) == '{"a": [1, true]}'
    assert text("a\x1b[31m\nb") == "a·[31m·b"


@given(st.text(max_size=200))
def test_any_text_is_one_printable_cell(value: str) -> None:
    assert text(value).isprintable()
    assert len(text(value)) <= LONGEST_CELL


def test_error_below_its_line() -> None:
    error = StatementRefused("Column 'nope' not found", 2, 3, 2, 6)
    assert marked("SELECT\n  nope FROM x", error).splitlines() == [
        "Column 'nope' not found", "  nope FROM x", "  ^^^^"
    ]  # fmt: skip
    assert marked("SELECT 1", StatementRefused("no place")) == "no place"


def test_tree() -> None:
    assert tree(trees("Calc(a)\n+- Join(b)\n   :- Scan(c)\n   +- Scan(d)")).splitlines() == [
        "Calc  a", "+- Join  b", "   +- Scan  c", "   +- Scan  d"
    ]  # fmt: skip
