"""The Basic Kafka cluster."""

from __future__ import annotations

from provisioning.api import JsonObject, part
from provisioning.create import CreateRequest, create, standing
from provisioning.errors import QUOTA_WORDS, ApiError, Refused
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
    return standing(
        session, PATH, [x for x in listed if part(x, "spec").get("display_name") == name], environment
    )


def ensure(session: Session) -> Steps[str]:
    found = find(session)
    if found is None:
        session.entry.drop("cluster")
        yield from create(session, create_request(session))
    else:
        same_region(session, found)

    def look() -> tuple[str, JsonObject]:
        shown = find(session)
        state = str(part(shown, "status").get("phase") or "not listed yet")
        if shown and state == "PROVISIONED" and not record(shown)["endpoint"]:
            state = "PROVISIONED, without an address yet"
        return state, shown or {}

    until = Waiter(
        what="Kafka cluster",
        target=frozenset({"PROVISIONED"}),
        failed=frozenset({"FAILED"}),
        after_failure=FAILED_FOR_GOOD,
        timeout=60 * MINUTE,
        interval=10.0,
        look="https://confluent.cloud/environments",
    )
    shown = yield from wait(look, until, session.clock)
    seen = record(shown)
    seen["name"] = seen["name"] or session.desired.cluster_name  # the database of the Flink statements
    if session.entry.get("cluster") != seen:
        session.entry.put("cluster", seen)
    return str(seen["id"])


def same_region(session: Session, found: JsonObject) -> None:
    wanted, stands = session.desired.region, part(found, "spec").get("region")
    if stands and stands != wanted:
        raise Refused(
            f"The Kafka cluster stands in {stands}, config.yaml asks for {wanted}. A cluster cannot move.",
            "Set confluent.region back, or run teardown_confluent first.",
        )


def create_request(session: Session) -> CreateRequest:
    wanted = session.desired
    spec = {
        "display_name": wanted.cluster_name,
        "availability": "SINGLE_ZONE",
        "cloud": wanted.cloud,
        "region": wanted.region,
        "config": {"kind": "Basic", "max_ecku": 1},
        "environment": {"id": session.id("environment")},
    }
    return CreateRequest(
        slot="cluster",
        what=f"the Kafka cluster {wanted.cluster_name}",
        listed=lambda: named(session),
        post=lambda: _post(session, spec),
        record=record,
    )


def _post(session: Session, spec: JsonObject) -> JsonObject:
    """Makes the cluster with a limit of one eCKU, the one that has no price by the hour, or, where the service
    refuses that, without."""
    try:
        made: JsonObject = session.cloud.post(PATH, {"spec": spec})
    except ApiError as error:
        if error.status not in (400, 422) or QUOTA_WORDS.search(error.failure.detail):
            raise
        made = session.cloud.post(PATH, {"spec": spec | {"config": {"kind": "Basic"}}})
        session.note(
            "The cluster has no limit of one eCKU: the service did not take it. Further eCKUs would cost about "
            "$0.14 an hour each; one lab needs a fraction of the first."
        )
    return made


def record(found: JsonObject) -> Record:
    spec = found["spec"]
    public = (spec.get("endpoints") or {}).get("PUBLIC") or {}
    return {
        "id": found["id"],
        "name": spec.get("display_name") or "",
        "endpoint": spec.get("http_endpoint") or public.get("http_endpoint") or "",
        "bootstrap": spec.get("kafka_bootstrap_endpoint") or public.get("kafka_bootstrap_endpoint") or "",
        "since": part(found, "metadata").get("created_at") or "",
    }


def remove(session: Session, identity: str) -> None:
    """Takes deletion protection off first: somebody may have set it."""
    environment, path = session.id("environment"), f"{PATH}/{identity}"
    found = session.cloud.find(path, environment=environment)
    if found and part(found, "spec").get("deletion_protection"):
        body = {"spec": {"deletion_protection": False, "environment": {"id": environment}}}
        session.cloud.patch(path, body)
    session.cloud.remove(path, environment=environment)


def delete(session: Session) -> Steps[str]:
    found = find(session)
    if found is None:
        return "was gone"
    remove(session, str(found["id"]))
    until = Waiter("Kafka cluster", frozenset({"gone"}), timeout=40 * MINUTE, interval=10.0)
    yield from wait(lambda: ("gone" if find(session) is None else "going", None), until, session.clock)
    return f"deleted {found['id']}"
