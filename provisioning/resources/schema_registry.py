"""Schema Registry: it comes by itself with the environment's package and its first cluster."""

from __future__ import annotations

from provisioning.api import JsonObject, part
from provisioning.errors import Refused
from provisioning.journal import Record
from provisioning.session import Session
from provisioning.steps import FAILED_FOR_GOOD, MINUTE, Steps, Waiter, wait

ENVIRONMENTS = "/org/v2/environments"


def find(session: Session) -> JsonObject | None:
    listed = list(session.cloud.pages("/srcm/v3/clusters", environment=session.id("environment")))
    return listed[0] if listed else None


def ensure(session: Session) -> Steps[str]:
    lent = session.need("environment")["borrowed"]
    if lent and not find(session):
        # Without the package it would never get a registry.
        identity = session.id("environment")
        standing = session.cloud.find(f"{ENVIRONMENTS}/{identity}")
        if not part(standing, "stream_governance_config").get("package"):
            raise Refused(
                f"The environment {identity} has no Stream Governance package, so it gets no Schema Registry.",
                "Choose one for it in the console (Essentials will do, it costs nothing), then run again.",
                f"https://confluent.cloud/environments/{identity}",
            )

    def look() -> tuple[str, JsonObject]:
        found = find(session) or {}
        return str(part(found, "status").get("phase") or "not listed yet"), found

    until = Waiter(
        what="Schema Registry",
        target=frozenset({"PROVISIONED"}),
        failed=frozenset({"FAILED"}),
        after_failure=FAILED_FOR_GOOD,
        timeout=15 * MINUTE,
        again="It needs the environment's Stream Governance package (Essentials will do). Running again goes on.",
        look="https://confluent.cloud/environments (Stream Governance)",
    )
    seen = record((yield from wait(look, until, session.clock)))
    if session.entry.get("registry") != seen:
        session.entry.put("registry", seen)
    return str(seen["id"])


def record(found: JsonObject) -> Record:
    return {"id": found["id"], "endpoint": found["spec"]["http_endpoint"]}
