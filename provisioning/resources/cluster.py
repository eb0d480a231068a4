"""The Basic Kafka cluster."""

from __future__ import annotations

from provisioning.api import JsonObject
from provisioning.create import CreateRequest, create, standing
from provisioning.errors import Refused
from provisioning.journal import Record
from provisioning.session import Session
from provisioning.steps import FAILED_FOR_GOOD, MINUTE, Steps, Waiter, wait

PATH = "/cmk/v2/clusters"


def find(session: Session) -> JsonObject | None:
    known = session.entry.get("cluster")
    if not known:
        return None
    return session.cloud.find(f"{PATH}/{known['id']}", environment=session.id("environment"))


def named(session: Session) -> list[JsonObject]:
    environment, name = session.id("environment"), session.desired.cluster_name
    listed = session.cloud.pages(PATH, environment=environment)
    return standing(session, PATH, [x for x in listed if x["spec"].get("display_name") == name], environment)


def ensure(session: Session) -> Steps[str]:
    found = find(session)
    if found is None:
        session.entry.drop("cluster")
        yield from create(session, create_request(session))
    else:
        same_region(session, found)
    return (yield from _ready(session))


def same_region(session: Session, found: JsonObject) -> None:
    wanted, stands = session.desired.region, found["spec"].get("region")
    if stands and stands != wanted:
        raise Refused(
            f"The Kafka cluster stands in {stands}, config.yaml asks for {wanted}. A cluster cannot move.",
            "Set confluent.region back, or run teardown_confluent first.",
        )


def _ready(session: Session) -> Steps[str]:
    def look() -> tuple[str, JsonObject]:
        found = find(session)
        return (found["status"]["phase"] if found else "not listed yet"), found or {}

    until = Waiter(
        what="Kafka cluster",
        target=frozenset({"PROVISIONED"}),
        failed=frozenset({"FAILED"}),
        after_failure=FAILED_FOR_GOOD,
        timeout=60 * MINUTE,
        interval=10.0,
        look="https://confluent.cloud/environments",
    )
    found = yield from wait(look, until, session.clock)
    seen = record(found)
    if session.entry.get("cluster") != seen:
        session.entry.put("cluster", seen)
    return str(seen["id"])


def create_request(session: Session) -> CreateRequest:
    wanted = session.desired
    spec = {
        "display_name": wanted.cluster_name,
        "availability": "SINGLE_ZONE",
        "cloud": wanted.cloud,
        "region": wanted.region,
        "config": {"kind": "Basic"},
        "environment": {"id": session.id("environment")},
    }
    return CreateRequest(
        slot="cluster",
        what=f"the Kafka cluster {wanted.cluster_name}",
        listed=lambda: named(session),
        post=lambda: session.cloud.post(PATH, {"spec": spec}),
        record=record,
    )


def record(found: JsonObject) -> Record:
    spec = found["spec"]
    public = (spec.get("endpoints") or {}).get("PUBLIC") or {}
    return {
        "id": found["id"],
        "name": spec.get("display_name", ""),
        "endpoint": spec.get("http_endpoint") or public.get("http_endpoint", ""),
        "bootstrap": spec.get("kafka_bootstrap_endpoint") or public.get("kafka_bootstrap_endpoint", ""),
        "since": found.get("metadata", {}).get("created_at", ""),
    }


def delete(session: Session) -> Steps[str]:
    """Takes deletion protection off first: somebody may have set it on our cluster."""
    found = find(session)
    if found is None:
        return "was gone"
    environment = session.id("environment")
    path = f"{PATH}/{found['id']}"
    if found["spec"].get("deletion_protection"):
        body = {"spec": {"deletion_protection": False, "environment": {"id": environment}}}
        session.cloud.patch(path, body)
    session.cloud.remove(path, environment=environment)
    until = Waiter("Kafka cluster", frozenset({"gone"}), timeout=40 * MINUTE, interval=10.0)
    yield from wait(lambda: ("gone" if find(session) is None else "going", None), until, session.clock)
    return f"deleted {found['id']}"
