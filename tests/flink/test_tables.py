from __future__ import annotations

import json

import pytest

from races.flink.tables import Place, create_table, create_tables, java_security, key_columns, value_columns
from races.streams.topics import DEFAULT_NAMES, TOPICS

PLACE = Place("kafka:9092", "http://registry:8081")


def columns(role: str) -> dict[str, str]:
    topic = TOPICS[role]
    return {column.name: column.type for column in [*key_columns(topic), *value_columns(topic)]}


def test_every_topic_is_a_table() -> None:
    made = create_tables(DEFAULT_NAMES, PLACE)
    assert len(made) == len(TOPICS)
    for sql, topic in zip(made, TOPICS.values(), strict=True):
        assert sql.startswith(f"CREATE TABLE IF NOT EXISTS `{topic.name}` (")
        assert f"'topic' = '{topic.name}'" in sql


@pytest.mark.parametrize("role", TOPICS)
def test_columns_are_the_schema_s(role: str) -> None:
    schema = json.loads(TOPICS[role].value_schema)
    names = [one["name"] for one in schema["fields"]] if "fields" in schema else list(schema["properties"])
    assert [name for name in columns(role) if name in names] == names


def test_types() -> None:
    assert columns("avg_speed") == {
        "driver_name": "STRING NOT NULL", "race_id": "STRING NOT NULL", "avg_speed": "DOUBLE",
    }  # fmt: skip
    assert columns("positions")["key"] == "BYTES"
    assert columns("positions")["timestamp"] == "BIGINT NOT NULL"
    assert columns("positions")["gap_s"] == "DOUBLE"
    assert columns("car_metrics_anomalies")["ts"] == "TIMESTAMP(3) NOT NULL"
    assert columns("commentary")["race_id"] == "STRING"
    assert columns("commentary")["drivers"] == "ARRAY<STRING>"


def test_upsert_table_has_the_lab_s_schemas() -> None:
    sql = create_table(TOPICS["avg_speed"], "speeds", PLACE)
    assert "PRIMARY KEY (`driver_name`, `race_id`) NOT ENFORCED" in sql
    for part in ("key", "value"):
        assert f"'{part}.avro-confluent.schema' = '{{" in sql
        assert f"f1_driver_avg_speed_{part}" in sql
    assert "WATERMARK" not in sql


def test_start_is_the_source_s() -> None:
    start = {"scan.startup.mode": "timestamp", "scan.startup.timestamp-millis": "12"}
    assert "'scan.startup.timestamp-millis' = '12'" in create_table(TOPICS["positions"], "p", PLACE, start)
    assert "scan.startup" not in create_table(TOPICS["avg_speed"], "s", PLACE, start)


def test_names_cannot_leave_their_quotes() -> None:
    sql = create_table(TOPICS["positions"], "a`b'c", Place("k'1", "http://r"))
    assert "`a``b'c`" in sql
    assert "'topic' = 'a`b''c'" in sql
    assert "'k''1'" in sql


def test_login_of_a_configured_kafka() -> None:
    librdkafka = {
        "bootstrap.servers": "b", "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
        "sasl.username": "me", "sasl.password": 'p"w',
    }  # fmt: skip
    security = java_security(librdkafka)
    assert security["sasl.jaas.config"].endswith(r'PlainLoginModule required username="me" password="p\"w";')
    place = Place("b", "http://r", "me:secret", security)
    assert "secret" not in repr(place)
    assert "'properties.security.protocol' = 'SASL_SSL'" in create_table(TOPICS["positions"], "p", place)
    assert java_security({"bootstrap.servers": "b", "security.protocol": "PLAINTEXT"}) == {
        "security.protocol": "PLAINTEXT"
    }
