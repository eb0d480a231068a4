"""The Flink part in its order: the language model, then tables side by side, then queries side by side."""

from __future__ import annotations

from provisioning.config import FLINK, MODEL
from provisioning.resources import analytics_switch, bedrock_connection, flink_statements, subjects, topics
from provisioning.session import Session
from provisioning.steps import Steps, together
from races.flink.statements import Statement


def ensure_model(session: Session) -> Steps[str]:
    analytics_switch.confirm(session)
    said = yield from bedrock_connection.ensure(session)
    for statement in flink_statements.desired(session, "model"):
        yield from flink_statements.ensure(session, statement)
        if not session.entry.get("model"):
            session.entry.put("model", MODEL)
    return said


def ensure_tables(session: Session) -> Steps[str]:
    wanted = flink_statements.desired(session, "table")
    made = yield from together([_table(session, s) for s in wanted])
    return _said(made)


def _table(session: Session, statement: Statement) -> Steps[bool]:
    """Makes a table. Its statement vanishes after 30 days while its topic stays; then nothing is to be done."""
    role = flink_statements.GROUP_ROLES[statement.group]
    name = session.topic(role)
    known = topics.records(session).get(name, {}).get("maker") == FLINK
    if known and flink_statements.find(session, session.names.statement(statement.name)) is None:
        return False
    if not known:
        subjects.expect(session, name)
    made = yield from flink_statements.ensure(session, statement)
    if not known:
        topics.record(session, name, role, FLINK)
    return made


def ensure_queries(session: Session) -> Steps[str]:
    wanted = flink_statements.desired(session, "query")
    flink_statements.may_run(session, [session.names.statement(s.name) for s in wanted])
    made = yield from together([flink_statements.ensure(session, s) for s in wanted])
    return _said(made)


def _said(made: list[bool]) -> str:
    if not made:
        return "none needed"
    return f"{sum(made)} of {len(made)} made or resumed" if any(made) else f"{len(made)}, unchanged"
