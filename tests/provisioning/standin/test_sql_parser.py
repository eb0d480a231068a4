"""The reader of Flink SQL: what it takes from a statement."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provisioning.standin.sql_parser import Parsed, parse
from provisioning.standin.sql_tokens import SqlError, split, tokens


def sources(sql: str) -> set[str]:
    return set(parse(sql).queries[0].sources)


def test_table_columns_key_and_options() -> None:
    """Columns key buckets and options of a table."""
    found = parse(
        """
        -- where the anomalies go
        CREATE TABLE IF NOT EXISTS `f1-anomalies` (
          `key` STRING, ts TIMESTAMP_LTZ(3), team_name STRING, rank DECIMAL(10, 2) NOT NULL,
          doubled AS team_name || team_name,
          WATERMARK FOR ts AS ts - INTERVAL '1' SECOND,
          PRIMARY KEY (`key`, ts) NOT ENFORCED
        ) DISTRIBUTED BY HASH(`key`, ts) INTO 4 BUCKETS
        WITH ('changelog.mode' = 'upsert', 'kafka.cleanup-policy' = 'delete')
        """
    )
    assert (found.kind, found.name, found.lenient) == ("CREATE_TABLE", "f1-anomalies", True)
    assert [(c.name, c.type, c.nullable) for c in found.columns] == [
        ("key", "STRING", False),
        ("ts", "TIMESTAMP_LTZ", False),
        ("team_name", "STRING", True),
        ("rank", "DECIMAL", False),
    ]
    assert (found.key, found.primary, found.buckets) == (("key", "ts"), True, 4)
    assert found.options["changelog.mode"] == "upsert"


def test_bucket_key_is_the_primary_key() -> None:
    """The bucket key of an upsert table is its primary key."""
    with pytest.raises(SqlError, match="bucket key"):
        parse(
            "CREATE TABLE t (a STRING, b STRING, PRIMARY KEY (a) NOT ENFORCED) DISTRIBUTED BY (b) INTO 2 BUCKETS"
        )


def test_tables_behind_from_and_join() -> None:
    """Tables are found behind from and join and in window functions."""
    sql = """
        INSERT INTO sink SELECT a.x, window_start, AVG(b.y)
        FROM TABLE(TUMBLE(TABLE `f1-positions`, DESCRIPTOR($rowtime), INTERVAL '1' SECOND)) AS a
        JOIN cat.db.`metrics` b ON a.x = b.x
        LEFT JOIN (SELECT * FROM inner_table) c ON c.x = a.x
        GROUP BY a.x, window_start, window_end
    """
    assert sources(sql) == {"f1-positions", "metrics", "inner_table"}
    assert parse(sql).queries[0].updating is False


def test_names_that_are_no_tables() -> None:
    """Names given by with and words after from in functions are no tables."""
    sql = """
        INSERT INTO sink WITH recent AS (SELECT EXTRACT(SECOND FROM ts) AS s, TRIM(BOTH ' ' FROM name) AS n FROM laps)
        SELECT * FROM recent WHERE s IS DISTINCT FROM 3
    """
    assert sources(sql) == {"laps"}


def test_quoted_text_is_not_read() -> None:
    """What stands in quotes is not read."""
    assert sources("INSERT INTO sink SELECT 'it''s FROM nowhere; --' FROM laps /* FROM ghosts */") == {"laps"}


def test_group_by_without_a_window_updates() -> None:
    """A group by without a window revises its rows."""
    assert parse("INSERT INTO s SELECT a, AVG(b) FROM t GROUP BY a").queries[0].updating
    with pytest.raises(SqlError, match="non-deterministic"):
        parse("INSERT INTO s SELECT a, AVG(b), CURRENT_TIMESTAMP FROM t GROUP BY a")


def test_models_in_functions() -> None:
    """Models are named by the functions that ask them."""
    sql = "INSERT INTO s SELECT r.c FROM t, LATERAL TABLE(AI_COMPLETE('writer', CONCAT('a', b))) AS r(c)"
    assert parse(sql).queries[0].models == {"writer"}
    assert sources(sql) == {"t"}


def test_statement_set_holds_its_inserts() -> None:
    """A statement set holds its inserts."""
    sql = "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT * FROM x; INSERT INTO b SELECT * FROM y; END;"
    assert [(q.sink, set(q.sources)) for q in parse(sql).queries] == [("a", {"x"}), ("b", {"y"})]
    with pytest.raises(SqlError):
        parse("EXECUTE STATEMENT SET BEGIN END")


@pytest.mark.parametrize(
    "sql", ["", ";", "CREATE", "CREATE TABLE", "CREATE TABLE t (", "INSERT INTO t", "DROP TABLE"]
)
def test_half_a_statement_is_an_error(sql: str) -> None:
    """Half a statement is an error and nothing worse."""
    with pytest.raises(SqlError):
        parse(sql)


WORDS = st.sampled_from(
    [
        "CREATE",
        "TABLE",
        "INSERT",
        "INTO",
        "SELECT",
        "FROM",
        "WITH",
        "(",
        ")",
        ",",
        ";",
        "'",
        "`",
        "=",
        "AS",
        "PRIMARY",
        "KEY",
        "BY",
        "INTO",
        "BUCKETS",
        "DISTRIBUTED",
        "HASH",
        "x",
        "'y'",
        "`z`",
        ".",
        "3",
        "EXECUTE",
        "STATEMENT",
        "SET",
        "BEGIN",
        "END",
        "DROP",
        "MODEL",
        "CONNECTION",
        "IF",
        "NOT",
        "EXISTS",
    ]
)


HEADS = (
    "",
    "CREATE TABLE t (a INT)",
    "CREATE TABLE t (a INT) DISTRIBUTED BY (a)",
    "CREATE TABLE t (a INT, PRIMARY KEY",
    "INSERT INTO t SELECT * FROM",
    "EXECUTE STATEMENT SET BEGIN INSERT INTO",
    "DROP",
)


@given(st.sampled_from(HEADS), st.lists(WORDS, max_size=12).map(" ".join))
@example("INSERT INTO t SELECT * FROM", ") FROM x")
@example("CREATE TABLE t (a INT) DISTRIBUTED BY (a)", "INTO x BUCKETS")
@example("CREATE TABLE t (a INT) WITH", "('a' =)")
def test_any_text_is_read_or_refused(head: str, rest: str) -> None:
    try:
        assert isinstance(parse(f"{head} {rest}"), Parsed)
    except SqlError as error:
        assert str(error)


@given(st.lists(st.sampled_from(["a", "(", ")", ","]), max_size=12).map(" ".join))
def test_splitting_respects_parentheses(text: str) -> None:
    """Splitting loses only the separators outside of parentheses."""
    found = tokens(text)
    kept = [t.text for part in split(found, ",") for t in part]
    assert [t for t in kept if t != ","] == [t.text for t in found if t.text != ","]
