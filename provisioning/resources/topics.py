"""Topics through Kafka's REST interface: those that no CREATE TABLE makes.

The journal knows for each topic who made it. One that is there without a record (the journal was lost) was made by
Flink if its table's statement stands.
"""

from __future__ import annotations

from provisioning.api import JsonObject, present
from provisioning.config import EMBEDDED
from provisioning.create import create_once
from provisioning.errors import ApiError
from provisioning.journal import Record
from provisioning.resources.flink_statements import MARKED_FOR_DELETION
from provisioning.session import Session
from provisioning.steps import MINUTE, Steps, Waiter, wait
from races.streams.topics import TOPICS

EXISTS = "40002"
KAFKAS_OWN = ("__consumer_offsets", "__transaction_state", "__share_group_state", "_schemas")


def listed(session: Session) -> list[str]:
    """Lists the names in our cluster, without Kafka's own."""
    found = session.api("kafka").get_object(f"{session.kafka_path}/topics").get("data") or []
    names = (str(t["topic_name"]) for t in found if not t.get("is_internal"))
    return sorted(name for name in names if name not in KAFKAS_OWN)


def find(session: Session, name: str) -> JsonObject | None:
    found: JsonObject | None = present(
        lambda: session.api("kafka").get_object(f"{session.kafka_path}/topics/{name}")
    )
    return found


def records(session: Session) -> dict[str, Record]:
    """Gives name -> {"role", "maker"} of each topic that we made."""
    return dict(session.entry.get("topics") or {})


def record(session: Session, name: str, role: str, maker: str) -> None:
    session.entry.put("topics", records(session) | {name: {"role": role, "maker": maker}})


def forget(session: Session, name: str) -> None:
    session.entry.put("topics", {k: v for k, v in records(session).items() if k != name})


def ensure(session: Session) -> Steps[str]:
    """Asks for each by its name: the list shows deleted topics for a while."""
    made = 0
    for role in (r for r, maker in session.makers.items() if maker == EMBEDDED):
        name = session.topic(role)
        if find(session, name) is None:
            made += yield from _make(session, role)
        if records(session).get(name, {}).get("maker") != EMBEDDED:
            record(session, name, role, EMBEDDED)
    return f"{made} made" if made else "unchanged"


def _make(session: Session, role: str) -> Steps[int]:
    """Makes a topic and returns 1 if it did. One that is being deleted keeps its name for some seconds more."""
    name = session.topic(role)

    def attempt() -> tuple[str, int]:
        try:
            create_once(lambda: _post(session, role), lambda: find(session, name) is not None)
        except ApiError as error:
            if error.failure.code != EXISTS or "already exists" not in error.failure.detail:
                if MARKED_FOR_DELETION in error.failure.detail:
                    return MARKED_FOR_DELETION, 0
                raise
            return "there", 0  # a list that lags
        return "there", 1

    until = Waiter(f"topic {name}", frozenset({"there"}), timeout=3 * MINUTE, interval=5.0, label=name)
    made = yield from wait(attempt, until, session.clock)
    if made:
        session.changes.append(f"made the topic {name}")
    return made


def _post(session: Session, role: str) -> None:
    topic = TOPICS[role]
    configs = {"retention.ms": str(topic.retention_ms), "cleanup.policy": topic.cleanup_policy}
    body = {
        "topic_name": session.topic(role),
        "partitions_count": topic.partitions,
        "configs": [{"name": name, "value": value} for name, value in configs.items()],
    }
    session.api("kafka").post(f"{session.kafka_path}/topics", body)


def delete(session: Session, name: str) -> Steps[None]:
    session.api("kafka").remove(f"{session.kafka_path}/topics/{name}")
    until = Waiter(f"topic {name}", frozenset({"gone"}), timeout=30 * MINUTE, interval=5.0, label=name)
    yield from wait(lambda: ("gone" if find(session, name) is None else "going", None), until, session.clock)
    forget(session, name)
    session.changes.append(f"deleted the topic {name}")
