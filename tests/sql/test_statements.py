from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.sql.statements import LONGEST, NotAllowed, code, kind, parts, position, split, touched

OWN = ("positions", "f1-driver-positions")
SQL = st.text(alphabet="ab1;'`\"-/* \n", max_size=60)


def texts(text: str) -> list[str]:
    return [piece.sql for piece in split(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" ; ;; ", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' ; SELECT `a;b`", ["SELECT ';'", "SELECT `a;b`"]),
        ("-- one; two\nSELECT 1 -- three; four\n; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT /* ; */ 1;", ["SELECT /* ; */ 1"]),
        ("SELECT 'it''s; fine';", ["SELECT 'it''s; fine'"]),
        ("SELECT 'never closed; ", ["SELECT 'never closed; "]),
        ("-- only a comment", []),
    ],
)
def test_split(text: str, found: list[str]) -> None:
    assert texts(text) == found


@given(SQL)
def test_split_loses_nothing(text: str) -> None:
    assert "".join(part[0] for part in parts(text)) == text
    for piece in split(text):
        assert text[piece.start : piece.start + len(piece.sql)] == piece.sql
        assert piece.sql == piece.sql.lstrip()
        assert [one.sql for one in split(piece.sql)] == [piece.sql]


def test_statement_at_the_cursor() -> None:
    text = "SELECT 1;\n\nSELECT 2;\nSELECT 3"
    found = [touched(text, cursor, cursor)[0].sql for cursor in (0, 8, 10, 11, 15, 22, 99)]
    assert found == ["SELECT 1", "SELECT 1", "SELECT 1", "SELECT 2", "SELECT 2", "SELECT 3", "SELECT 3"]
    assert touched("\n -- a\nSELECT 1", 0, 0)[0].sql == "SELECT 1"
    assert touched("  -- none", 3, 3) == []


def test_statements_of_a_selection() -> None:
    text = "SELECT 1;\n\nSELECT 2;\nSELECT 3"
    assert [one.sql for one in touched(text, 4, 13)] == ["SELECT 1", "SELECT 2"]
    assert len(touched(text, 0, len(text))) == 3
    assert touched(text, 9, 10) == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select 1", "query"),
        ("/* a */ WITH x AS (SELECT 1) SELECT * FROM x", "query"),
        ("(SELECT 1) UNION ALL (SELECT 2)", "query"),
        ("INSERT INTO mine SELECT 1", "insert"),
        ("INSERT INTO `my own` SELECT 1", "insert"),
        ("EXPLAIN SELECT 1", "words"),
        ("CREATE TABLE fast AS SELECT 1", "insert"),
        ("CREATE TABLE a (x INT) -- AS SELECT\n", "words"),
        ("SHOW CREATE TABLE positions", "words"),
        ("CREATE TABLE a (x INT) WITH ('connector' = 'datagen')", "words"),
        ("CREATE TEMPORARY VIEW v AS SELECT 1", "words"),
        ("CREATE OR REPLACE TABLE a (x INT)", "words"),
        ("SET 'table.exec.state.ttl' = '1 h'", "words"),
    ],
)
def test_kind(sql: str, found: str) -> None:
    assert kind(sql, OWN) == found


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("", "There is no statement"),
        ("-- nothing", "There is no statement"),
        ("ADD JAR '/tmp/a.jar'", "does not run ADD"),
        ("CREATE FUNCTION f AS 'x.Y' USING JAR 'http://a/b.jar'", "does not CREATE functions"),
        ("CREATE TEMPORARY SYSTEM FUNCTION f AS 'x.Y'", "does not CREATE systems"),
        ("CREATE/**/CATALOG c WITH ('type'='jdbc')", "does not CREATE catalogs"),
        (
            "CREATE TABLE a (x INT) WITH ('connector'='filesystem', 'path'='/etc')",
            "no connector 'filesystem'",
        ),
        ("CREATE TABLE a (x INT) WITH ('connector' /**/ = 'jdbc')", "no connector 'jdbc'"),
        ("SET 'pipeline.jars' = '/a.jar'", "not 'pipeline.jars'"),
        ("INSERT INTO positions SELECT 1", "positions is written by the lab itself"),
        ("insert into `f1-driver-positions` select 1", "is written by the lab itself"),
        ("INSERT INTO default_catalog.default_database.`f1-driver-positions` SELECT 1", "by the lab itself"),
        ("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1", "does not run EXECUTE"),
        ("SELECT " + "1," * LONGEST, "longer than 20,000"),
        ("'", "does not run '"),
    ],
)
def test_not_allowed(sql: str, words: str) -> None:
    with pytest.raises(NotAllowed, match=words):
        kind(sql, OWN)


def test_code_keeps_what_is_quoted() -> None:
    assert code("SELECT  '--  a' -- b\n /* c */ , `d  e`") == "SELECT '--  a' , `d  e`"


@given(SQL)
def test_any_text_has_a_kind_or_words(text: str) -> None:
    try:
        assert kind(text, OWN) in ("query", "insert", "words")
    except NotAllowed as refused:
        assert "\n" not in str(refused)


def test_position_in_the_whole_text() -> None:
    text = "SELECT 1;\nSELECT\n  nope FROM x"
    start = split(text)[1].start
    assert text[position(text, start, 2, 3) :].startswith("nope")
    assert position(text, start, 99, 99) == len(text)
    assert position(text, start, 0, 0) == start
