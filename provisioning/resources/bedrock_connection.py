"""Flink's connection to Amazon Bedrock, made through REST so that its keys stand in no statement's text."""

from __future__ import annotations

import json

from provisioning.api import JsonObject
from provisioning.config import FLINK, MODEL, Aws
from provisioning.create import create_once, name_taken
from provisioning.errors import ApiError
from provisioning.session import Session
from provisioning.steps import MINUTE, Steps, Waiter, wait

LABEL = "user.confluent.io/f1-lab"
WHICH = ("self", "resource_version")  # of its metadata, for a PUT
USABLE = ("ACTIVE", "READY")  # the specification names the same state by both words
REFUSED = ("INVALID_AUTH", "UNREACHABLE")
LEFT_OUT = (
    "Connection, model and commentary query are left out; the embedded commentator writes the commentary."
)


def name(session: Session) -> str:
    return session.names.statement("bedrock")


def find(session: Session) -> JsonObject | None:
    return session.api("flink").find(f"{session.flink_path}/connections/{name(session)}")


def is_ours(session: Session) -> bool:
    """Connections carry no label. In a lent environment the journal tells, or our own model, which works with it."""
    if session.entry.get("connection") or not session.need("environment")["borrowed"]:
        return True
    model = session.names.statement("commentary-model")
    found = session.api("flink").find(f"{session.flink_path}/statements/{model}")
    return bool(((found or {}).get("metadata", {}).get("labels") or {}).get(LABEL) == session.lab)


def record_ownership(session: Session) -> None:
    """Before our statements go, which may be the only ones that tell: connection and model into the journal."""
    if session.need("environment")["borrowed"] and not session.entry.get("connection") and is_ours(session):
        known = {"connection": {"name": name(session), "fingerprint": ""}, "model": MODEL}
        session.entry.put_all(known)


def ours(session: Session) -> JsonObject | None:
    found = find(session)
    return found if found and is_ours(session) else None


def describe(session: Session, found: JsonObject) -> str:
    """Name and phase in a line, with the service's words on one that cannot be used."""
    status = found.get("status", {})
    phase, detail = str(status.get("phase")), " ".join(str(status.get("detail") or "").split())
    return f"{found['name']}: {phase}" + (
        session.redact(f": {detail}") if detail and phase in REFUSED else ""
    )


def will_write_commentary(session: Session) -> bool:
    """Whether Flink will write the commentary, if its connection turns out usable."""
    return session.desired.engine == FLINK and bool(session.desired.aws or ours(session))


def ensure(session: Session) -> Steps[str]:
    """Decides who writes the commentary: Flink if there is a usable connection."""
    session.commentary_by_flink = False
    if session.desired.engine != FLINK:
        return "not needed"
    found = ours(session)
    aws = session.desired.aws
    if found is None and aws is None:
        session.note(f"No AWS keys in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY). {LEFT_OUT}")
        return "left out: no AWS keys"
    if aws:
        _put(session, found, aws)
    return (yield from _usable(session))


def is_other(session: Session, found: JsonObject) -> bool:
    """Whether the AWS keys at hand, or the configured model, are not those of the connection that stands."""
    aws, known = session.desired.aws, session.entry.get("connection") or {}
    same = found["spec"].get("endpoint") == session.desired.bedrock_endpoint
    return aws is not None and not (same and known.get("fingerprint") == aws.fingerprint)


def _put(session: Session, found: JsonObject | None, aws: Aws) -> None:
    endpoint = session.desired.bedrock_endpoint
    if found and found["spec"].get("endpoint") != endpoint:
        delete(session)
        found = None
    if found is None:
        _create(session, aws)
    elif (session.entry.get("connection") or {}).get("fingerprint") != aws.fingerprint:
        body = _body(session, aws) | {"metadata": {part: found["metadata"][part] for part in WHICH}}
        session.api("flink").put(f"{session.flink_path}/connections/{name(session)}", body)
        session.changes.append("renewed the AWS keys of the Bedrock connection")
    if (session.entry.get("connection") or {}).get("fingerprint") != aws.fingerprint:
        session.entry.put("connection", {"name": name(session), "fingerprint": aws.fingerprint})


def _create(session: Session, aws: Aws) -> None:
    """The journal first, without a fingerprint: whose it is must survive a kill right after the POST."""
    path = f"{session.flink_path}/connections"
    if find(session):
        raise name_taken(f"the Flink connection {name(session)}", session.id("environment"))
    session.entry.put("connection", {"name": name(session), "fingerprint": ""})
    try:
        create_once(
            lambda: session.api("flink").post(path, _body(session, aws)), lambda: find(session) is not None
        )
    except ApiError as error:
        if error.failure.method == "POST":  # refused, so it was not made
            session.entry.drop("connection")
        raise
    session.entry.put("connection", {"name": name(session), "fingerprint": aws.fingerprint})
    session.changes.append(f"made the Bedrock connection {name(session)}")


def _body(session: Session, aws: Aws) -> JsonObject:
    secrets = {"AWS_ACCESS_KEY_ID": aws.access_key, "AWS_SECRET_ACCESS_KEY": aws.secret_key}
    if aws.session_token:
        secrets["AWS_SESSION_TOKEN"] = aws.session_token
    return {
        "name": name(session),
        "spec": {
            "connection_type": "BEDROCK",
            "endpoint": session.desired.bedrock_endpoint,
            "auth_data": {"kind": "PlaintextProvider", "data": json.dumps(secrets)},
        },
    }


def _usable(session: Session) -> Steps[str]:
    def look() -> tuple[str, JsonObject]:
        found = find(session) or {}
        return str(found.get("status", {}).get("phase") or "not there"), found

    until = Waiter("Bedrock connection", frozenset(USABLE + REFUSED), timeout=5 * MINUTE)
    found = yield from wait(look, until, session.clock)
    status = found["status"]
    if status["phase"] in USABLE:
        session.commentary_by_flink = True
        return str(found["name"])
    _leave_out(session, str(status["phase"]), str(status.get("detail") or ""))
    return f"left out: {status['phase']}"


def _leave_out(session: Session, phase: str, detail: str) -> None:
    token = session.desired.aws is not None and bool(session.desired.aws.session_token)
    if phase == "INVALID_AUTH":
        why = "the AWS session token has expired or is wrong" if token else "AWS does not accept the keys"
        help_ = "Fetch new keys (aws sts get-session-token), export them, and run again." if token else ""
    else:
        why, help_ = "Bedrock's address cannot be reached: is bedrock_region right?", ""
    detail = session.redact(f" (the service says: {detail})" if detail else "")
    session.note(
        " ".join(filter(None, (f"The Bedrock connection is {phase}: {why}{detail}.", LEFT_OUT, help_)))
    )


def delete(session: Session) -> None:
    session.api("flink").remove(f"{session.flink_path}/connections/{name(session)}")
    if session.entry.get("connection"):
        session.entry.drop("connection")
        session.changes.append(f"deleted the Bedrock connection {name(session)}")
