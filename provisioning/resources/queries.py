"""The Flink part in its order: the language model, then tables side by side, then queries side by side."""

from __future__ import annotations

from provisioning.resources import connection, engine, statements, subjects, topics
from provisioning.session import Session
from provisioning.waiting import Steps, together
from provisioning.wanted import FLINK, MODEL
from races.flink.statements import Statement


def ensure_model(session: Session) -> Steps[str]:
    engine.ask(session)
    said = yield from connection.ensure(session)
    for statement in statements.wanted(session, "model"):
        yield from statements.ensure(session, statement)
        if not session.entry.get("model"):
            session.entry.put("model", MODEL)
    return said


def ensure_tables(session: Session) -> Steps[str]:
    wanted = statements.wanted(session, "table")
    made = yield from together([_table(session, s) for s in wanted])
    return _said(made)


def _table(session: Session, statement: Statement) -> Steps[bool]:
    """A table's statement vanishes after 30 days while its topic stays; then nothing is to be done."""
    role = statements.GROUP_ROLES[statement.group]
    name = session.topic(role)
    known = topics.records(session).get(name, {}).get("maker") == FLINK
    if known and statements.find(session, session.names.statement(statement.name)) is None:
        return False
    if not known:
        subjects.expect(session, name)
    made = yield from statements.ensure(session, statement)
    if not known:
        topics.record(session, name, role, FLINK)
    return made


def ensure_queries(session: Session) -> Steps[str]:
    wanted = statements.wanted(session, "query")
    statements.may_run(session, [session.names.statement(s.name) for s in wanted])
    made = yield from together([statements.ensure(session, s) for s in wanted])
    return _said(made)


def _said(made: list[bool]) -> str:
    if not made:
        return "none needed"
    return f"{sum(made)} of {len(made)} made or resumed" if any(made) else f"{len(made)}, unchanged"
