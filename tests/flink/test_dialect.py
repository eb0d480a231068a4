"""The lab's queries in Apache Flink's words. Whether Flink takes them is in tests/integration/test_own_flink.py."""

from __future__ import annotations

import re

import pytest

from races.flink.dialect import (
    Model,
    Query,
    create_model,
    in_sql_alone,
    job_names,
    lab_mark,
    ml_predict_twin,
    queries,
)
from races.flink.statements import DEFAULT_NAMES, statements

MODEL = Model("http://127.0.0.1:9/v1/", "small'model", "key-1")
GROUPS = ("average", "commentary", "anomalies")
FILES = {one.name: one for one in statements()}


def by_group() -> dict[str, Query]:
    return {one.group: one for one in queries(GROUPS, DEFAULT_NAMES, MODEL, "ab12cd")}


@pytest.mark.parametrize("group", ["average", "anomalies"])
def test_queries_are_the_files_verbatim(group: str) -> None:
    query = by_group()[group]
    assert query.sql == FILES[query.name.removeprefix("f1-ab12cd-")].sql


def test_two_labs_on_one_flink_have_statements_of_their_own() -> None:
    marks = [
        lab_mark("a:9092", DEFAULT_NAMES),
        lab_mark("b:9092", DEFAULT_NAMES),
        lab_mark("a:9092", {**DEFAULT_NAMES, "positions": "team-positions"}),
    ]
    names = {name for mark in marks for name, _ in job_names(GROUPS, mark)}
    assert len(names) == 9
    assert job_names(["average"], marks[0]) == [(f"f1-{marks[0]}-average-speed-query", "average")]
    assert marks[0] == lab_mark("a:9092", dict(reversed(list(DEFAULT_NAMES.items()))))


def test_only_the_groups_that_are_wanted() -> None:
    assert [one.group for one in queries(["anomalies"], DEFAULT_NAMES, None, "x")] == ["anomalies"]
    with pytest.raises(ValueError, match="needs a model"):
        queries(["commentary"], DEFAULT_NAMES, None, "x")


def test_properties_in_apaches_words() -> None:
    query = by_group()["average"]
    assert query.properties["table.exec.state.ttl"] == "4 h"
    assert query.properties["pipeline.name"] == query.name == "f1-ab12cd-average-speed-query"
    assert query.startup == "earliest-offset"


def test_twin_has_the_same_filter_and_prompt() -> None:
    """Every token of the cloud's query is in the twin or its view, but for the call itself."""
    cloud = FILES["commentary-query"].sql
    view, twin = ml_predict_twin(cloud, "m")
    called = {"LATERAL", "AI_COMPLETE", "answer", "f1_commentary_generator", "happened"}
    tokens = set(re.findall(r"\w+", cloud)) - called
    assert tokens <= set(re.findall(r"\w+", view + twin))
    assert "WHERE `type` IN (" in view and "WHERE `type` IN (" not in twin
    assert "MODEL => MODEL `m`" in twin and "'async', 'true'" in twin
    assert "AI_COMPLETE" not in view + twin
    for sql in (view, twin):
        assert sql.count("(") == sql.count(")") and sql.count("SELECT") == 2


def test_twin_of_another_query_is_refused() -> None:
    with pytest.raises(ValueError, match="AI_COMPLETE"):
        ml_predict_twin("INSERT INTO a SELECT 1", "m")


def test_model_has_the_clouds_instructions() -> None:
    bedrock = FILES["commentary-model"].sql
    made = create_model(bedrock, "m", MODEL)
    assert "'endpoint' = 'http://127.0.0.1:9/v1/chat/completions'" in made
    assert "'model' = 'small''model'" in made
    tokens = re.search(r"max_tokens' += '(\d+)'", bedrock)
    assert tokens and f"'max-tokens' = '{tokens[1]}'" in made
    assert "You are a Formula 1 television commentator." in made


def test_key_is_in_no_repr() -> None:
    assert "key-1" in "".join(by_group()["commentary"].prepare)
    assert "key-1" not in repr(by_group()) + repr(MODEL)


def test_pure_sql_detector_writes_the_same_columns() -> None:
    query = in_sql_alone(by_group()["anomalies"])
    assert not query.prepare
    assert "ML_DETECT_ANOMALIES" not in query.sql
    assert query.sql.startswith("INSERT INTO `f1-car-metrics-anomalies`")
