"""Reads what a Flink statement says of itself: its phase, its text, why it failed or waits, what the service warns
of."""

from __future__ import annotations

from provisioning.api import JsonObject, part
from provisioning.session import Session

ENDED_BADLY = frozenset({"FAILED", "FAILING"})


def phase(statement: JsonObject) -> str:
    return str(part(statement, "status").get("phase") or "PENDING")


def text(found: JsonObject) -> str:
    return str(part(found, "spec").get("statement", "")).strip().removesuffix(";").rstrip()


def detail(found: JsonObject) -> str:
    return str(part(found, "status").get("detail") or "")


def complaint(session: Session, found: JsonObject) -> str:
    """Gives the service's own words on a statement that gets nowhere, in a line, and nothing for one that is well."""
    if phase(found) == "DEGRADED":
        return session.redact(" ".join(detail(found).split()) or "normal while no race runs")
    return session.redact(" ".join(why(session, found).split())) if phase(found) in ENDED_BADLY else ""


def warnings(session: Session, found: JsonObject) -> list[str]:
    """Lists what the service warns of, without what it only mentions. Such a statement runs, and may come to
    degrade."""
    listed = part(found, "status").get("warnings")
    given = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [session.redact(str(one.get("message"))) for one in given if one.get("severity") != "LOW"]


def waits_for(found: JsonObject) -> str:
    """Says in a line what a statement waits for. Only one field says that the pool is exhausted. A statement that
    is being deleted still says how it once ended, which is left out."""
    if phase(found) == "DELETING":
        return ""
    exhausted = part(part(found, "status"), "scaling_status").get("scaling_state") == "POOL_EXHAUSTED"
    return " ".join(detail(found).split()) or ("the Flink pool is exhausted" if exhausted else "")


def why(session: Session, found: JsonObject) -> str:
    """Says why it failed, by its own detail, or else by the newest of its exceptions."""
    if said := detail(found):
        return said
    path = f"{session.flink_path}/statements/{found['name']}/exceptions"
    listed = (session.api("flink").find(path) or {}).get("data")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    return str(first.get("message") or "no detail")
