"""What provision_confluent would do, from what is wanted and what stands. Decides only; touches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.api import part
from provisioning.config import DERIVED, FLINK, MANAGED
from provisioning.resources import bedrock_connection, flink_statements, statement_words, subjects
from provisioning.session import KEY_PLANES, Session
from provisioning.status import CurrentState

CREATE, CHANGE, LEAVE, DROP = "create", "change", "leave", "drop"


@dataclass(frozen=True, slots=True)
class Planned:
    action: str
    what: str
    why: str = ""


def plan(session: Session, found: CurrentState, with_model: bool) -> list[Planned]:
    """Says what would be done. with_model: AWS keys are there, or a connection stands already."""
    session.commentary_by_flink = with_model
    return [
        *_foundations(session, found),
        *(
            _either((found.keys or {}).get(kind), f"API key for {plane}", "secret into the journal, 0600")
            for kind, plane in KEY_PLANES.items()
        ),
        *_topics(session, found),
        *_flink(session, found, with_model),
    ]


def _foundations(session: Session, found: CurrentState) -> Iterator[Planned]:
    wanted = session.desired
    if wanted.borrowed:
        yield Planned(LEAVE, f"environment {wanted.environment_id}", "yours; it stays at teardown too")
    else:
        yield _either(
            found.environment, f"environment {wanted.environment_name}", "Stream Governance Essentials"
        )
    yield _either(
        found.cluster, f"Kafka cluster {wanted.cluster_name}", f"Basic, {wanted.cloud} {wanted.region}"
    )
    what, cfu = f"Flink compute pool {session.desired.pool_name}", session.desired.max_cfu
    if found.pool is None:
        yield Planned(CREATE, what, f"at most {cfu} CFU; costs nothing while no statement runs")
    else:
        stands = int(part(found.pool, "spec").get("max_cfu") or 0)
        larger = cfu > stands
        yield Planned(CHANGE, what, f"from {stands} to {cfu} CFU") if larger else Planned(LEAVE, what)
    yield _either(found.registry, "Schema Registry", "comes with environment and cluster")
    yield _either(found.account, f"service account {session.names.account}", "carries the ownership tag")
    yield _either(found.has_role or None, "role EnvironmentAdmin for it", "")


def _either(standing: object, what: str, why: str) -> Planned:
    return Planned(LEAVE, what) if standing else Planned(CREATE, what, why)


def _topics(session: Session, found: CurrentState) -> Iterator[Planned]:
    records = session.entry.get("topics") or {}
    for role, maker in session.makers.items():
        name = session.topic(role)
        stood = records.get(name, {}).get("maker")
        how = "a Flink table" if maker == FLINK else "with its schema"
        stands = stood if found.topics is None else name in found.topics
        schemas = [subject.name for subject in subjects.of_topic(role, name)]
        missing = [s for s in schemas if found.subjects is not None and s not in found.subjects]
        if stands and stood and stood != maker and role in DERIVED:
            yield Planned(DROP, f"topic {name}", f"and made anew as {how}; you are asked first")
        elif stands and maker != FLINK and missing:
            yield Planned(CHANGE, f"topic {name}", f"{', '.join(missing)} is registered again")
        else:
            yield _either(stands, f"topic {name}", how)


def _flink(session: Session, found: CurrentState, with_model: bool) -> Iterator[Planned]:
    standing = {str(s["name"]): s for s in found.statements or []}
    wanted = {session.names.statement(s.name): s.sql for s in flink_statements.desired(session, "query")}
    if session.desired.engine == FLINK:
        yield _model(session, found, with_model)
    for name, sql in wanted.items():
        stands, what = standing.get(name), f"running statement {name}"
        cost = "at least 1 CFU each while it runs"
        if stands and not flink_statements.is_same(stands, sql):
            yield Planned(CHANGE, what, f"its SQL is another by now: it is started anew; {cost}")
        elif stands and (phase := statement_words.phase(stands)) not in flink_statements.ACTIVE:
            yield Planned(CHANGE, what, f"is {phase}: it is started again; {cost}")
        else:
            yield _either(stands, what, cost)
    for name in sorted(standing):
        if name.endswith("-query") and name not in wanted:
            yield Planned(DROP, f"running statement {name}", "this configuration does not ask for it")


def _model(session: Session, found: CurrentState, with_model: bool) -> Planned:
    if not with_model:
        left_out = "connection, model, commentary query"
        return Planned(LEAVE, left_out, "left out: no AWS keys in the environment")
    if session.desired.flink_model == MANAGED:
        stands = any(str(s["name"]).endswith("-commentary-model") for s in found.statements or [])
        return _either(stands, "the service's managed language model", "no AWS keys needed; in early access")
    what = "connection to Amazon Bedrock and its model"
    if found.connection and bedrock_connection.is_other(session, found.connection):
        return Planned(CHANGE, what, "its keys or its model are others by now")
    return _either(found.connection, what, "with your AWS keys")


def summary(planned: list[Planned]) -> str:
    counts = {action: sum(p.action == action for p in planned) for action in (CREATE, CHANGE, DROP, LEAVE)}
    if not any(counts[action] for action in (CREATE, CHANGE, DROP)):
        return "Nothing to do: everything stands as the configuration asks."
    said = ", ".join(f"{count} to {action}" for action, count in counts.items() if count)
    return f"{said}. Nothing was written; run without --plan to do it."
