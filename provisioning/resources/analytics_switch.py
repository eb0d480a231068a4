"""Changing who makes a derived topic: this command (embedded engine) or Flink's CREATE TABLE.

An upsert table is not an append topic, so the topic is dropped and made anew. That loses its records: a person is
asked first.
"""

from __future__ import annotations

from provisioning.config import DERIVED, EMBEDDED, FLINK
from provisioning.errors import Declined
from provisioning.resources import bedrock_connection, flink_statements, foreign, subjects, topics
from provisioning.session import Session
from provisioning.steps import Steps, together


def confirm(session: Session) -> None:
    """Asks before connection and model change, as far as it can be known who will write the commentary."""
    session.commentary_by_flink = bedrock_connection.will_write_commentary(session)
    _confirm_dropping(session, _changing(session))


def ensure(session: Session) -> Steps[str]:
    changing = _changing(session)
    _confirm_dropping(session, changing)
    # Queries cost money while they run: those that this configuration does not ask for go.
    kept = {
        session.names.statement(s.name) for s in flink_statements.desired(session, "table", "query", "model")
    }
    yield from _end(
        session, [str(s["name"]) for s in flink_statements.ours(session) if str(s["name"]) not in kept]
    )
    if not session.commentary_by_flink:
        yield from drop_model(session)
        if session.entry.get("connection"):
            bedrock_connection.delete(session)
    yield from together([_drop(session, name) for name in changing])
    return f"dropped {', '.join(changing)}" if changing else "unchanged"


def _changing(session: Session) -> list[str]:
    """The derived topics that another maker is to make."""
    made, makers = topics.records(session), session.makers
    derived = {name: record for name, record in made.items() if record["role"] in DERIVED}
    return [name for name, r in derived.items() if makers.get(r["role"], r["maker"]) != r["maker"]]


def _drop(session: Session, name: str) -> Steps[None]:
    """Drops a topic, its subjects first: its record in the journal goes last, so that an interrupted drop is taken
    up."""
    ours = foreign.our_subjects(session)
    for subject in subjects.both(name):
        if subject in ours:
            subjects.delete(session, subject)
    yield from topics.delete(session, name)


def _confirm_dropping(session: Session, changing: list[str]) -> None:
    """Asks about what was not agreed to before. Raises Refused."""
    asked = sorted(set(changing) - session.agreed)
    if not asked:
        return
    them, these = ("it", "this topic") if len(asked) == 1 else ("them", "these topics")
    if session.desired.engine == EMBEDDED:
        why = "Switching the analytics to the embedded engine"
    elif asked == [session.topic("commentary")]:
        writer = "Flink's model" if session.commentary_by_flink else "the lab's own commentator"
        why = f"Commentary by {writer}"
    else:
        why = "Switching the analytics to Flink"
    question = (
        f"{why} drops {', '.join(asked)} with all records and makes {them} anew. "
        f"Races that run now lose what {these} held. Go on?"
    )
    if not session.ask(question):
        changed = f" Before the question it {'; '.join(session.changes)}." if session.changes else ""
        raise Declined(
            f"Nothing was dropped; topics and config.yaml stay as they were.{changed}",
            "Run again when the topics may go.",
        )
    session.agreed.update(asked)


def recover(session: Session) -> Steps[str]:
    """Records topics that stand without a record in the journal, and forgets records whose topic is gone."""
    standing = topics.listed(session)
    known = topics.records(session)
    gone = [
        name for name in known if name not in standing and topics.find(session, name) is None
    ]  # lists lag
    if any(known[name]["maker"] == FLINK for name in gone):
        yield from _end(
            session, [str(s["name"]) for s in flink_statements.ours(session)]
        )  # they worked on what is gone
    for name in gone:
        topics.forget(session, name)
    for role in session.desired.topics:
        name = session.topic(role)
        if name in standing and name not in known and topics.find(session, name):
            topics.record(session, name, role, _maker(session, role))
    return f"{len(topics.records(session))} topics of ours"


def _maker(session: Session, role: str) -> str:
    for group, made in flink_statements.GROUP_ROLES.items():
        if made == role:
            table = session.names.statement(f"{group}-table")
            by_flink = any(
                str(s["name"]) == table or _inserts(session, s, role) for s in flink_statements.ours(session)
            )
            return FLINK if by_flink else EMBEDDED
    return EMBEDDED


def _inserts(session: Session, statement: dict[str, object], role: str) -> bool:
    spec = statement.get("spec")
    text = str(spec.get("statement", "")) if isinstance(spec, dict) else ""
    return f"`{session.topic(role)}`" in text and text.upper().startswith(("INSERT INTO", "CREATE TABLE"))


def _end(session: Session, names: list[str]) -> Steps[None]:
    yield from together([flink_statements.delete(session, name) for name in names])


def drop_model(session: Session) -> Steps[None]:
    """Drops the model, which belongs to the cluster's catalogue and would stay in a borrowed environment."""
    if session.entry.get("model"):
        yield from flink_statements.drop_model(session)
        session.entry.drop("model")
