from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.flink.tables import Place
from races.sql.own_tables import completed
from races.sql.statements import NotAllowed

PLACE = Place("kafka:9092", "http://registry:8081")


def test_append_table_has_a_time() -> None:
    made = completed("CREATE TABLE IF NOT EXISTS `my-own` (\n  a INT,\n  b STRING\n)", PLACE)
    assert made.topic == "my-own"
    assert "  b STRING,\n  `$rowtime` TIMESTAMP_LTZ(3)" in made.sql
    assert "'connector' = 'kafka'" in made.sql
    assert "'topic' = 'my-own'" in made.sql
    assert "'value.avro-confluent.url' = 'http://registry:8081'" in made.sql


def test_key_makes_an_upsert_table() -> None:
    made = completed("create table best (a INT, PRIMARY KEY (a) NOT ENFORCED)", PLACE)
    assert "'connector' = 'upsert-kafka'" in made.sql
    assert "'key.format' = 'avro-confluent'" in made.sql
    assert "$rowtime" not in made.sql


def test_own_watermark_stays() -> None:
    sql = "CREATE TABLE w (t TIMESTAMP(3), WATERMARK FOR t AS t)"
    assert "$rowtime" not in completed(sql, PLACE).sql


def test_as_select_comes_after_the_options() -> None:
    made = completed("CREATE TABLE fast AS SELECT * FROM p WHERE x > 'WITH ('", PLACE)
    assert made.topic == "fast"
    head, _, tail = made.sql.partition(")\nAS SELECT")
    assert head.startswith("CREATE TABLE fast WITH (")
    assert tail == " * FROM p WHERE x > 'WITH ('"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE a (x INT) WITH ('connector' = 'datagen')",
        "CREATE TABLE a (x INT) /* WITH */ with ('connector' = 'print')",
        "CREATE TABLE a LIKE b",
        "CREATE TABLE a WITH ('connector' = 'print') AS SELECT 1",
    ],
)
def test_others_stay_as_they_are(sql: str) -> None:
    assert completed(sql, PLACE).sql == sql
    assert completed(sql, PLACE).topic == ""


def test_name_that_no_topic_can_have() -> None:
    for name in ("`a b`", "`../x`", "`ü`", "``"):
        with pytest.raises(NotAllowed, match="A topic cannot be called"):
            completed(f"CREATE TABLE {name} (x INT)", PLACE)


@given(st.text(alphabet="ab(),'`; WITHAS-/*", max_size=60))
def test_any_text(text: str) -> None:
    try:
        completed(f"CREATE TABLE t {text}", PLACE)
    except NotAllowed as refused:
        assert "\n" not in str(refused)
