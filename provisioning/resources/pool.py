"""The Flink compute pool. An empty one costs nothing; max_cfu can be raised, never lowered."""

from __future__ import annotations

from provisioning.client import JsonObject
from provisioning.journal import Record
from provisioning.making import Making, make, standing
from provisioning.session import Session
from provisioning.waiting import FAILED_FOR_GOOD, MINUTE, Steps, Until, wait

PATH = "/fcpm/v2/compute-pools"


def find(session: Session) -> JsonObject | None:
    record = session.entry.get("pool")
    if not record:
        return None
    return session.cloud.find(f"{PATH}/{record['id']}", environment=session.id("environment"))


def named(session: Session) -> list[JsonObject]:
    environment, name = session.id("environment"), session.wanted.pool_name
    listed = session.cloud.pages(PATH, environment=environment)
    return standing(session, PATH, [x for x in listed if x["spec"].get("display_name") == name], environment)


def ensure(session: Session) -> Steps[str]:
    found = find(session)
    if found and found["status"]["phase"] == "DEPROVISIONING":  # deleted by somebody a moment ago
        yield from _gone(session)
        found = None
    if found is None:
        session.entry.drop("pool")
        yield from make(session, making(session))
    found = yield from _ready(session)
    _resize(session, found)
    return str(found["id"])


def _ready(session: Session) -> Steps[JsonObject]:
    def look() -> tuple[str, JsonObject]:
        found = find(session)
        return (found["status"]["phase"] if found else "not listed yet"), found or {}

    until = Until(
        what="Flink compute pool",
        target=frozenset({"PROVISIONED"}),
        failed=frozenset({"FAILED"}),
        after_failure=FAILED_FOR_GOOD,
        timeout=60 * MINUTE,
        interval=10.0,
        look="https://confluent.cloud/environments (Flink, compute pools)",
    )
    return (yield from wait(look, until, session.clock))


def _resize(session: Session, found: JsonObject) -> None:
    stands, wanted = int(found["spec"].get("max_cfu", 0)), session.wanted.max_cfu
    if wanted > stands:
        spec = {"max_cfu": wanted, "environment": {"id": session.id("environment")}}
        session.cloud.patch(f"{PATH}/{found['id']}", {"spec": spec})
        session.changes.append(f"raised the Flink pool from {stands} to {wanted} CFU")
    elif wanted < stands:
        session.note(
            f"The Flink pool keeps its {stands} CFU at most: the service can raise them, never lower them."
        )


def making(session: Session) -> Making:
    wanted = session.wanted
    spec = {
        "display_name": wanted.pool_name,
        "cloud": wanted.cloud,
        "region": wanted.region,
        "max_cfu": wanted.max_cfu,
        "environment": {"id": session.id("environment")},
    }
    return Making(
        slot="pool",
        what=f"the Flink compute pool {wanted.pool_name}",
        listed=lambda: named(session),
        post=lambda: session.cloud.post(PATH, {"spec": spec}),
        record=_record,
    )


def _record(found: JsonObject) -> Record:
    return {
        "id": found["id"],
        "name": found["spec"].get("display_name", ""),
        "since": found.get("metadata", {}).get("created_at", ""),
    }


def delete(session: Session) -> Steps[str]:
    found = find(session)
    if found is None:
        return "was gone"
    session.cloud.remove(f"{PATH}/{found['id']}", environment=session.id("environment"))
    yield from _gone(session)
    return f"deleted {found['id']}"


def _gone(session: Session) -> Steps[None]:
    until = Until("Flink compute pool", frozenset({"gone"}), timeout=60 * MINUTE, interval=10.0)
    yield from wait(lambda: ("gone" if find(session) is None else "going", None), until, session.clock)
