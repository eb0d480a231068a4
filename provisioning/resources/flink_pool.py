"""The Flink compute pool. An empty one costs nothing; max_cfu can be raised, never lowered."""

from __future__ import annotations

from provisioning.api import JsonObject, part
from provisioning.create import CreateRequest, create, standing
from provisioning.errors import ApiError, ProvisioningError
from provisioning.journal import Record
from provisioning.session import Session
from provisioning.steps import FAILED_FOR_GOOD, MINUTE, Steps, Waiter, wait

PATH = "/fcpm/v2/compute-pools"
REGIONS = "https://docs.confluent.io/cloud/current/flink/reference/cloud-regions.html"


def find(session: Session) -> JsonObject | None:
    known = session.entry.get("pool")
    if not known:
        return None
    return session.cloud.find(f"{PATH}/{known['id']}", environment=session.id("environment"))


def named(session: Session) -> list[JsonObject]:
    environment, name = session.id("environment"), session.desired.pool_name
    listed = session.cloud.pages(PATH, environment=environment)
    return standing(
        session, PATH, [x for x in listed if part(x, "spec").get("display_name") == name], environment
    )


def ensure(session: Session) -> Steps[str]:
    found = find(session)
    if found and part(found, "status").get("phase") == "DEPROVISIONING":  # deleted by somebody a moment ago
        yield from _gone(session)
        found = None
    if found is None:
        session.entry.drop("pool")
        yield from create(session, create_request(session))

    def look() -> tuple[str, JsonObject]:
        found = find(session)
        return str(part(found, "status").get("phase") or "not listed yet"), found or {}

    until = Waiter(
        what="Flink compute pool",
        target=frozenset({"PROVISIONED"}),
        failed=frozenset({"FAILED"}),
        after_failure=FAILED_FOR_GOOD,
        timeout=60 * MINUTE,
        interval=10.0,
        look="https://confluent.cloud/environments (Flink, compute pools)",
    )
    found = yield from wait(look, until, session.clock)
    stands, wanted = int(part(found, "spec").get("max_cfu") or 0), session.desired.max_cfu
    if wanted > stands:
        spec = {"max_cfu": wanted, "environment": {"id": session.id("environment")}}
        session.cloud.patch(f"{PATH}/{found['id']}", {"spec": spec})
        session.changes.append(f"raised the Flink pool from {stands} to {wanted} CFU")
    elif wanted < stands:
        session.note(
            f"The Flink pool keeps its {stands} CFU at most: the service can raise them, never lower them."
        )
    return str(found["id"])


def create_request(session: Session) -> CreateRequest:
    wanted = session.desired
    spec = {
        "display_name": wanted.pool_name,
        "cloud": wanted.cloud,
        "region": wanted.region,
        "max_cfu": wanted.max_cfu,
        "environment": {"id": session.id("environment")},
    }
    return CreateRequest(
        slot="pool",
        what=f"the Flink compute pool {wanted.pool_name}",
        listed=lambda: named(session),
        post=lambda: _post(session, spec),
        record=record,
    )


def _post(session: Session, spec: JsonObject) -> JsonObject:
    """Makes the pool as the environment's default one: then a workspace works in ours, under its limit, and makes none
    of its own.

    Where the service refuses that (the organisation has switched default pools off, or one stands), without it.
    """
    try:
        made: JsonObject = session.cloud.post(PATH, {"spec": spec | {"default_pool": True}})
    except ApiError as error:
        if error.status not in (400, 409, 422):
            raise
        made = session.cloud.post(PATH, {"spec": spec})
    return made


def record(found: JsonObject) -> Record:
    return {
        "id": found["id"],
        "name": part(found, "spec").get("display_name") or "",
        "since": part(found, "metadata").get("created_at") or "",
    }


def delete(session: Session) -> Steps[str]:
    found = find(session)
    if found is None:
        return "was gone"
    session.cloud.remove(f"{PATH}/{found['id']}", environment=session.id("environment"))
    yield from _gone(session)
    return f"deleted {found['id']}"


def _gone(session: Session) -> Steps[None]:
    until = Waiter("Flink compute pool", frozenset({"gone"}), timeout=60 * MINUTE, interval=10.0)
    yield from wait(lambda: ("gone" if find(session) is None else "going", None), until, session.clock)


def flink_region(session: Session) -> dict[str, str]:
    """Gives {"id", "endpoint"} of Flink in the wanted region."""
    wanted = session.desired
    found = _regions(session, wanted.region)
    if not found:
        offered = ", ".join(sorted({str(r["region_name"]) for r in _regions(session, "")})) or "none"
        raise ProvisioningError(
            f"Flink is not offered in {wanted.cloud} {wanted.region}.",
            f"Set confluent.region in config.yaml to one of: {offered}. Running again helps after that.",
            REGIONS,
        )
    return {"id": str(found[0]["id"]), "endpoint": str(found[0]["http_endpoint"])}


def _regions(session: Session, name: str) -> list[dict[str, str]]:
    only = {"region_name": name} if name else {}
    try:
        return list(session.cloud.pages("/fcpm/v2/regions", cloud=session.desired.cloud, **only))
    except ApiError as error:
        if error.status in (400, 404, 422):  # how an unknown region may be said
            return []
        raise
