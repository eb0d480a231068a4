"""The Flink SQL as it is deployed: syntax, names against the schemas, and that nothing is left to a default."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from provisioning.standin.sql_parser import Column, Parsed, parse
from races import flink
from races.analytics.anomaly import Parameters
from races.flink.statements import DEFAULT_NAMES, Statement, fill, read, statements
from races.streams.topics import TOPICS
from tests.analytics.simulated import race_records

Record = dict[str, Any]
ROOM = Path(flink.__file__).parent
FOLDER = ROOM / "sql"
BY_NAME = {statement.name: statement for statement in statements()}
SINKS = {
    "average-speed-table": "avg_speed",
    "commentary-table": "commentary",
    "anomalies-table": "car_metrics_anomalies",
}
AVRO = {"STRING": "string", "DOUBLE": "double", "BOOLEAN": "boolean", "BIGINT": "long"}
QUERIES = ["average-speed-query", "commentary-query", "anomalies-query"]


def parsed(name: str) -> Parsed:
    return parse(BY_NAME[name].sql)


def identifiers(statement: Statement) -> set[str]:
    """All names in backticks."""
    return set(re.findall(r"`([^`]+)`", statement.sql))


def fields(role: str) -> set[str]:
    return {field["name"] for field in json.loads(TOPICS[role].value_schema)["fields"]}


def avro_type(column: Column) -> Any:
    if column.type.startswith("TIMESTAMP_LTZ"):
        return {"type": "long", "logicalType": "timestamp-millis"}
    plain = AVRO[column.type.removesuffix(" NOT NULL")]
    return ["null", plain] if column.nullable else plain


@pytest.mark.parametrize("statement", statements(), ids=lambda statement: statement.name)
def test_a_statement_is_sql_that_the_service_takes(statement: Statement) -> None:
    parse(statement.sql)
    assert not statement.sql.endswith(";")
    assert "--" not in statement.sql
    assert "${" not in statement.sql
    assert len(statement.sql) < 131_072
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?", statement.name)
    assert statement.kind in ("connection", "model", "table", "query")
    assert statement.group in ("average", "commentary", "anomalies")


def test_statements_come_in_the_order_in_which_they_can_run() -> None:
    made: set[str] = {DEFAULT_NAMES[role] for role in ("positions", "race_control", "car_metrics")}
    for statement in statements():
        found = parse(statement.sql)
        for query in found.queries:
            assert {query.sink} | query.sources | query.models <= made
        if found.name:
            made.add(found.name)


def test_three_statements_run_and_each_fails_alone() -> None:
    running = [statement.name for statement in statements() if statement.kind == "query"]
    assert running == QUERIES


@pytest.mark.parametrize(("name", "role"), [*SINKS.items()])
def test_a_table_makes_the_topic_that_the_lab_reads(name: str, role: str) -> None:
    table, topic = parsed(name), TOPICS[role]
    assert table.name == topic.name
    assert table.options["kafka.cleanup-policy"] == "delete"
    assert table.options["kafka.retention.time"] == "1 d"
    assert table.options["value.format"] == f"{topic.value_format}-registry"
    upsert = topic.key_format == "avro"
    assert table.options["changelog.mode"] == ("upsert" if upsert else "append")
    assert table.primary == upsert
    if upsert:
        assert table.options["key.format"] == "avro-registry"
        assert table.options["value.fields-include"] == "except-key"


@pytest.mark.parametrize("name", ["average-speed-table", "anomalies-table"])
def test_an_upsert_tables_schemas_are_those_of_the_lab(name: str) -> None:
    """Flink derives the schemas from the columns; a reader of ours must find its own in them."""
    table, topic = parsed(name), TOPICS[SINKS[name]]
    columns = {column.name: column for column in table.columns}
    key = [(field["name"], field["type"]) for field in json.loads(topic.key_schema or "")["fields"]]
    value = [(field["name"], field["type"]) for field in json.loads(topic.value_schema)["fields"]]
    assert [(column, avro_type(columns[column])) for column in table.key] == key
    rest = [column for column in table.columns if column.name not in table.key]
    assert [(column.name, avro_type(column)) for column in rest] == value


def test_commentary_table_fits_its_schema() -> None:
    schema = json.loads(TOPICS["commentary"].value_schema)
    columns = parsed("commentary-table").columns
    assert [column.name for column in columns] == list(schema["properties"])
    assert {column.name for column in columns if not column.nullable} == set(schema["required"])


OUTCOME = {"is_anomaly", "forecast_value", "lower_bound", "upper_bound", "rmse"}
OWN = {  # aliases of a query, and the columns of what it writes
    "average-speed-query": {"avg_speed"},
    "commentary-query": {"happened", "answer", "commentary", "drivers", "id", "said"},
    "anomalies-query": {"key", "car", "ts", "outcome"} | OUTCOME,
}


@pytest.mark.parametrize(
    ("name", "source"), [*zip(QUERIES, ["positions", "race_control", "car_metrics"], strict=True)]
)
def test_a_query_names_only_what_exists(name: str, source: str) -> None:
    tables = {DEFAULT_NAMES[role] for role in TOPICS}
    assert identifiers(BY_NAME[name]) - tables - OWN[name] <= fields(source)


def test_aggregates_and_windows_do_not_remember_for_ever() -> None:
    for name in QUERIES:
        assert re.fullmatch(r"\d+ h", BY_NAME[name].properties["sql.state-ttl"])


def test_average_upserts_and_others_append() -> None:
    assert [parsed(name).queries[0].updating for name in QUERIES] == [True, False, False]


def test_each_query_says_where_it_begins_to_read() -> None:
    begins = [BY_NAME[name].properties["sql.tables.scan.startup.mode"] for name in QUERIES]
    assert begins == ["earliest-offset", "latest-offset", "earliest-offset"]


def test_a_model_is_called_for_changes_from_now_on_only() -> None:
    query = BY_NAME["commentary-query"]
    assert parsed("commentary-query").queries[0].sources == {DEFAULT_NAMES["race_control"]}
    assert "AI_COMPLETE" in query.sql
    assert re.search(r"Expected: about \d+ calls", (FOLDER / "23_commentary_query.sql").read_text())


def is_told_to_the_model(event: Record) -> bool:
    """The query's WHERE."""
    kind, place = event["type"], event["position"]
    always = ("lights_out", "retirement", "vsc", "safety_car", "green", "red_flag", "last_lap", "chequered")
    return bool(
        kind in always
        or (kind == "overtake" and 1 <= place <= 10)
        or (kind == "pit_in" and 1 <= place <= 5)
        or (kind == "fastest_lap" and event["lap"] > 3)
    )


def test_expected_calls_fit_simulated_races() -> None:
    said = re.search(r"Expected: about (\d+) calls", (FOLDER / "23_commentary_query.sql").read_text())
    assert said
    calls = [
        sum(r.role == "race_control" and is_told_to_the_model(r.value) for r in race_records(circuit, seed))
        for seed, circuit in enumerate(("monza", "catalunya", "silverstone", "suzuka", "austin"))
    ]
    assert 0.6 <= median(calls) / int(said[1]) <= 1.6


def test_detector_gets_every_parameter() -> None:
    sql = BY_NAME["anomalies-query"].sql
    told = dict(re.findall(r"'(\w+)' VALUE ([\w.]+)", sql))
    assert told.keys() == {
        "minTrainingSize", "maxTrainingSize", "confidencePercentage", "p", "d", "q", "enableStl", "horizon",
    }  # fmt: skip
    ours = Parameters()
    for name in ("minTrainingSize", "maxTrainingSize", "confidencePercentage"):
        assert float(told[name]) == getattr(ours, name)
    assert (told["p"], told["d"], told["q"]) == ("1", "0", "0")
    assert "ORDER BY $rowtime" in sql


def test_no_secret_has_a_place_in_a_statement_that_is_sent() -> None:
    for statement in statements():
        if statement.kind != "connection":
            assert not re.search("secret|access-key|token'", statement.sql)


@pytest.mark.parametrize("bad", ["a`b", "a'b", "a;b", 'a"b', "a\nb"])
def test_a_name_that_would_break_out_of_its_quotes_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        fill("SELECT * FROM `${positions}`", {"positions": bad})


def test_configured_names_take_the_places_of_the_defaults() -> None:
    names = {role: f"my-{name}" if "http" not in name else name for role, name in DEFAULT_NAMES.items()}
    for statement in statements(names):
        for name in set(DEFAULT_NAMES.values()) - {DEFAULT_NAMES["bedrock_endpoint"]}:
            assert not re.search(rf"['`]{re.escape(name)}['`]", statement.sql)


def test_flinks_own_column_is_no_placeholder() -> None:
    assert fill("ORDER BY $rowtime, ${a}", {"a": "b"}) == "ORDER BY $rowtime, b"


def test_a_missing_name_is_named() -> None:
    with pytest.raises(KeyError, match="avg_speed"):
        statements({})


def test_a_heading_says_what_the_deployer_needs() -> None:
    text = "-- name: x\n-- kind: query\n-- group: average\n-- property: a.b = 4 h\n--\n-- Words.\nSELECT 1;\n"
    assert read(text, {}) == Statement("x", "query", "average", {"a.b": "4 h"}, "SELECT 1")


def test_the_readme_names_every_file() -> None:
    readme = (ROOM / "README.md").read_text()
    assert {path.name for path in FOLDER.glob("*.sql")} == set(re.findall(r"`(\d\d_\w+\.sql)`", readme))
