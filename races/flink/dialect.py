"""The lab's queries as Apache Flink takes them: the same SQL files, with what is another word there.

Only the words around a query differ: names of properties, functions to be made known, a model that is declared. The
commentary's query calls AI_COMPLETE, which is Confluent's; its twin for Apache Flink calls ML_PREDICT, and is made
of the same file, so that filter, prompt and columns cannot drift apart.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from races.flink.statements import read, statements
from races.flink.tables import literal, quoted

PREFIX = "f1-"
MODEL = "f1_commentary_generator"
PURE_ANOMALIES = Path(__file__).parent / "apache/anomalies_query.sql"
RENAMED = {"sql.state-ttl": "table.exec.state.ttl"}
STARTUP = "sql.tables.scan.startup.mode"
# 10 s idle: a partition that only catches up slowly must not count as idle, or its records come late and are lost.
# require-on-conflict: Flink 2.3 refuses a sink whose key is not the query's, which ours is by design. Nor need it
# remember each row of such a sink (upsert-materialize): every key is written by one query, in order.
# RETAIN: a checkpoint outlives a Flink that is ended, and the next one goes on from it and owns it (CLAIM).
ALWAYS = {
    "execution.checkpointing.interval": "10 s",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "execution.state-recovery.claim-mode": "CLAIM",
    "restart-strategy.type": "exponential-delay",
    "restart-strategy.exponential-delay.initial-backoff": "500 ms",
    "restart-strategy.exponential-delay.max-backoff": "10 s",
    "table.exec.sink.require-on-conflict": "false",
    "table.exec.sink.upsert-materialize": "NONE",
    "table.exec.source.idle-timeout": "10 s",
    "table.local-time-zone": "UTC",
}
DETECTOR = "CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS ML_DETECT_ANOMALIES AS 'lab.f1.DetectAnomalies'"
ASYNC = "MAP['async', 'true', 'timeout', '10s', 'output-mode', 'ordered', 'max-concurrent-operations', '4']"

_CALL = re.compile(
    r"FROM \((?P<happened>\s*SELECT .*?)\) AS `happened`,\s*LATERAL TABLE\(AI_COMPLETE\(\s*'[^']*',\s*"
    r"(?P<prompt>.*?)\s*\)\) AS `answer`\(`commentary`\)\s*(?=\))",
    re.DOTALL,
)
_SYSTEM_PROMPT = re.compile(r"'bedrock\.system_prompt'\s*=\s*'((?:[^']|'')*)'")
_MAX_TOKENS = re.compile(r"'bedrock\.params\.max_tokens'\s*=\s*'(\d+)'")


@dataclass(frozen=True, slots=True)
class Model:
    """A language model behind an OpenAI-compatible address."""

    base_url: str
    name: str
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A statement that runs for ever. name: the job's. startup: where the lab's file wants it to begin to read.

    prepare: statements for its session, before it. They may hold a secret. plain: the same in SQL alone, for a Flink
    that has not the lab's functions; empty where it needs none.
    """

    name: str
    group: str
    startup: str
    properties: Mapping[str, str]
    prepare: tuple[str, ...] = field(repr=False)
    sql: str = ""
    plain: str = ""


def lab_mark(bootstrap: str, topics: Mapping[str, str]) -> str:
    """What tells a lab's statements from another lab's on the same Flink: six digits made of the Kafka and the topics
    that they read. Two labs on the same topics share their statements, since those read the races of both.
    """
    text = "\n".join([bootstrap, *sorted(topics.values())])
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def wanted_groups(anomalies: bool, commentary: bool) -> list[str]:
    """What a lab leaves to Flink, by what is switched on."""
    return ["average", *(["anomalies"] if anomalies else []), *(["commentary"] if commentary else [])]


def job_names(groups: Iterable[str], lab: str) -> list[tuple[str, str]]:
    """The name of each group's job, with the group. lab: its mark."""
    found = {one.group: f"{PREFIX}{lab}-{one.name}" for one in statements() if one.kind == "query"}
    return [(found[group], group) for group in groups]


def queries(groups: Iterable[str], names: Mapping[str, str], model: Model | None, lab: str) -> list[Query]:
    """The queries of these groups (average, commentary, anomalies). names: role to topic. lab: its mark."""
    wanted = set(groups)
    filled = {**names, "connection": "unused", "model": MODEL, "bedrock_endpoint": "unused"}
    listed, found = statements(filled), []
    bedrock = next(one.sql for one in listed if one.kind == "model")
    for one in listed:
        if one.kind != "query" or one.group not in wanted:
            continue
        sql, plain, prepare = one.sql, "", list[str]()
        if one.group == "commentary":
            if model is None:
                raise ValueError("the commentary's query needs a model")
            view, sql = ml_predict_twin(sql, MODEL)
            prepare = [create_model(bedrock, MODEL, model), view]
        elif one.group == "anomalies":
            prepare, plain = [DETECTOR], read(PURE_ANOMALIES.read_text(encoding="utf-8"), filled).sql
        renamed = {RENAMED[key]: value for key, value in one.properties.items() if key in RENAMED}
        name = f"{PREFIX}{lab}-{one.name}"
        properties = {**ALWAYS, **renamed, "pipeline.name": name}
        startup = one.properties.get(STARTUP, "")
        found.append(Query(name, one.group, startup, properties, tuple(prepare), sql, plain))
    return found


def in_sql_alone(query: Query) -> Query:
    """The query without the lab's functions."""
    return replace(query, prepare=(), sql=query.plain, plain="")


def ml_predict_twin(sql: str, model: str) -> tuple[str, str]:
    """A view of what happened with the prompt for each row, and the INSERT over it.

    Raises ValueError where the query is not written as the lab's file writes it.
    """
    found = _CALL.search(sql)
    if found is None:
        raise ValueError("the commentary's query has no AI_COMPLETE over `happened`")
    prompt = found["prompt"].replace("`happened`.", "")
    view = (
        f"CREATE TEMPORARY VIEW `f1_happened` AS\nSELECT *, {prompt} AS `race_context`\n"
        f"FROM ({found['happened']}) AS `happened`"
    )
    call = (
        f"FROM ML_PREDICT(\n    INPUT => TABLE `f1_happened`,\n    MODEL => MODEL {quoted(model)},\n"
        f"    ARGS => DESCRIPTOR(`race_context`),\n    CONFIG => {ASYNC}\n  ) AS `happened`\n"
    )
    twin = sql[: found.start()] + call + sql[found.end() :]
    return view, twin.replace("`answer`.`commentary`", "`happened`.`commentary`")


def create_model(bedrock: str, name: str, model: Model) -> str:
    """The model with the instructions of the one on Confluent Cloud. A call that fails gives no line and no failure."""
    prompt, tokens = _SYSTEM_PROMPT.search(bedrock), _MAX_TOKENS.search(bedrock)
    if prompt is None or tokens is None:
        raise ValueError("the commentary's model has no instructions or no limit of tokens")
    options = {
        "provider": "openai",
        "endpoint": model.base_url.rstrip("/") + "/chat/completions",
        "model": model.name,
        "api-key": model.api_key or "none",
        "max-tokens": tokens[1],
        "error-handling-strategy": "ignore",
        "system-prompt": prompt[1].replace("''", "'"),
    }
    body = ",\n  ".join(f"{literal(key)} = {literal(value)}" for key, value in options.items())
    return (
        f"CREATE TEMPORARY MODEL IF NOT EXISTS {quoted(name)}\nINPUT (`race_context` STRING)\n"
        f"OUTPUT (`commentary` STRING)\nWITH (\n  {body}\n)"
    )
