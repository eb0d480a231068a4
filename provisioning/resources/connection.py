"""Flink's connection to Amazon Bedrock, made through REST so that its keys stand in no statement's text."""

from __future__ import annotations

import json

from provisioning.client import JsonObject
from provisioning.making import once
from provisioning.session import Session
from provisioning.waiting import MINUTE, Steps, Until, wait
from provisioning.wanted import FLINK, Aws

USABLE = ("ACTIVE", "READY")  # the specification names the same state by both words
REFUSED = ("INVALID_AUTH", "UNREACHABLE")
LEFT_OUT = (
    "Connection, model and commentary query are left out; the embedded commentator writes the commentary."
)


def name(session: Session) -> str:
    return session.names.statement("bedrock")


def find(session: Session) -> JsonObject | None:
    return session.api("flink").find(f"{session.flink_path}/connections/{name(session)}")


def ensure(session: Session) -> Steps[str]:
    """Decides who writes the commentary: Flink if there is a usable connection."""
    session.commentary_by_flink = False
    if session.wanted.engine != FLINK:
        return "not needed"
    found = find(session)
    aws = session.wanted.aws
    if found is None and aws is None:
        session.note(f"No AWS keys in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY). {LEFT_OUT}")
        return "left out: no AWS keys"
    if aws:
        _put(session, found, aws)
    return (yield from _usable(session))


def _put(session: Session, found: JsonObject | None, aws: Aws) -> None:
    endpoint = session.wanted.bedrock_endpoint
    if found and found["spec"].get("endpoint") != endpoint:
        delete(session)
        found = None
    if found is None:
        _create(session, aws)
    elif (session.entry.get("connection") or {}).get("fingerprint") != aws.fingerprint:
        session.api("flink").put(f"{session.flink_path}/connections/{name(session)}", _body(session, aws))
        session.changes.append("renewed the AWS keys of the Bedrock connection")
    if (session.entry.get("connection") or {}).get("fingerprint") != aws.fingerprint:
        session.entry.put("connection", {"name": name(session), "fingerprint": aws.fingerprint})


def _create(session: Session, aws: Aws) -> None:
    path = f"{session.flink_path}/connections"
    once(lambda: session.api("flink").post(path, _body(session, aws)), lambda: find(session) is not None)
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
            "endpoint": session.wanted.bedrock_endpoint,
            "auth_data": {"kind": "PlaintextProvider", "data": json.dumps(secrets)},
        },
    }


def _usable(session: Session) -> Steps[str]:
    def look() -> tuple[str, JsonObject]:
        found = find(session) or {}
        return str(found.get("status", {}).get("phase") or "not there"), found

    until = Until("Bedrock connection", frozenset(USABLE + REFUSED), timeout=5 * MINUTE)
    found = yield from wait(look, until, session.clock)
    status = found["status"]
    if status["phase"] in USABLE:
        session.commentary_by_flink = True
        return str(found["name"])
    _leave_out(session, str(status["phase"]), str(status.get("detail") or ""))
    return f"left out: {status['phase']}"


def _leave_out(session: Session, phase: str, detail: str) -> None:
    token = session.wanted.aws is not None and bool(session.wanted.aws.session_token)
    if phase == "INVALID_AUTH":
        why = "the AWS session token has expired or is wrong" if token else "AWS does not accept the keys"
        help_ = "Fetch new keys (aws sts get-session-token), export them, and run again." if token else ""
    else:
        why, help_ = "Bedrock's address cannot be reached: is bedrock_region right?", ""
    detail = session.scrub(f" (the service says: {detail})" if detail else "")
    session.note(
        " ".join(filter(None, (f"The Bedrock connection is {phase}: {why}{detail}.", LEFT_OUT, help_)))
    )
    delete(session)


def delete(session: Session) -> None:
    session.api("flink").remove(f"{session.flink_path}/connections/{name(session)}")
    if session.entry.get("connection"):
        session.entry.drop("connection")
        session.changes.append(f"deleted the Bedrock connection {name(session)}")
