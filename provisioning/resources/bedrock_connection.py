"""Flink's connection to Amazon Bedrock, made through REST so that its keys stand in no statement's text."""

from __future__ import annotations

import json
import re

from provisioning.api import JsonObject, part
from provisioning.config import FLINK, MANAGED, MODEL, Aws
from provisioning.create import create_when_known, name_taken
from provisioning.errors import ApiError
from provisioning.session import Session
from provisioning.steps import Steps, Waiting
from races.flink.confluent import LABEL

WHICH = ("self", "resource_version")  # of its metadata, for a PUT, where the service gives them
REFUSED = ("INVALID_AUTH", "UNREACHABLE")  # any other word, and none at all, is a connection that can be used
LOOKS, LOOK_EVERY_S = 3, 5.0  # a refusal may show some seconds late
CREDENTIALS = re.compile(
    r"expired|security token|credential|not authorized|access ?denied|unauthori|invalid.?signature|\b40[13]\b",
    re.IGNORECASE,
)
RENEW = "Fetch new keys (aws sts get-session-token), export them, and run again."
LEFT_OUT = (
    "Connection, model and commentary query are left out; the embedded commentator writes the commentary."
)


def name(session: Session) -> str:
    return session.names.statement("bedrock")


def find(session: Session) -> JsonObject | None:
    return session.api("flink").find(f"{session.flink_path}/connections/{name(session)}")


def is_ours(session: Session) -> bool:
    """Whether the connection is ours. It carries no label: in a lent environment the journal tells, or our own
    model, which works with it."""
    if session.entry.get("connection") or not session.need("environment")["borrowed"]:
        return True
    model = session.names.statement("commentary-model")
    found = session.api("flink").find(f"{session.flink_path}/statements/{model}")
    return bool((part(found, "metadata").get("labels") or {}).get(LABEL) == session.lab)


def record_ownership(session: Session) -> None:
    """Writes connection and model into the journal before our statements go, which may be the only ones that tell."""
    if session.need("environment")["borrowed"] and not session.entry.get("connection") and is_ours(session):
        known = {"connection": {"name": name(session), "fingerprint": ""}, "model": MODEL}
        session.entry.put_all(known)


def ours(session: Session) -> JsonObject | None:
    found = find(session)
    return found if found and is_ours(session) else None


def describe(session: Session, found: JsonObject) -> str:
    """Gives name and phase in a line, with the service's words on one that cannot be used."""
    word, detail = phase(found), _detail(found)
    said = f": {word}" if word else ""
    return f"{found['name']}{said}" + (session.redact(f": {detail}") if detail and word in REFUSED else "")


def phase(found: JsonObject) -> str:
    """Gives the phase, and "" where the service says nothing: real answers were seen with an empty status and with
    none."""
    return str(part(found, "status").get("phase") or "")


def _detail(found: JsonObject) -> str:
    return " ".join(str(part(found, "status").get("detail") or "").split())


def will_write_commentary(session: Session) -> bool:
    """Whether Flink will write the commentary, if its connection turns out usable."""
    managed = session.desired.flink_model == MANAGED
    return session.desired.engine == FLINK and bool(managed or session.desired.aws or ours(session))


def ensure(session: Session) -> Steps[str]:
    """Decides who writes the commentary: Flink if there is a usable connection."""
    session.commentary_by_flink = False
    if session.desired.engine != FLINK:
        return "not needed"
    if session.desired.flink_model == MANAGED:
        session.commentary_by_flink = True
        return "not needed: the model is the service's own"
    found = ours(session)
    aws = session.desired.aws
    if found is None and aws is None:
        session.note(f"No AWS keys in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY). {LEFT_OUT}")
        return "left out: no AWS keys"
    if aws:
        changed = yield from _put(session, found, aws)
        return (yield from _usable(session, LOOKS if changed else 1))
    # The service's words; a connection rarely shows that its keys have run out, a query that used them does.
    path = f"{session.flink_path}/statements/{session.names.statement('commentary-query')}"
    status = part(session.api("flink").find(path), "status")
    detail = " ".join(str(status.get("detail") or "").split())
    failed = status.get("phase") == "FAILED" and CREDENTIALS.search(detail)
    if why := (session.redact(detail.rstrip(".")) if failed else ""):
        session.note(
            f"The commentary query FAILED: {why}. Its AWS keys seem to have expired. {LEFT_OUT} {RENEW}"
        )
        return "left out: its query failed for its AWS keys"
    return (yield from _usable(session, 1))


def is_other(session: Session, found: JsonObject) -> bool:
    """Whether the AWS keys at hand, or the configured model, are not those of the connection that stands."""
    aws, known = session.desired.aws, session.entry.get("connection") or {}
    same = part(found, "spec").get("endpoint") == session.desired.bedrock_endpoint
    return aws is not None and not (same and known.get("fingerprint") == aws.fingerprint)


def _put(session: Session, found: JsonObject | None, aws: Aws) -> Steps[bool]:
    """Makes or renews the connection, and returns whether there was something to do."""
    endpoint, fingerprint = session.desired.bedrock_endpoint, aws.fingerprint
    known = (session.entry.get("connection") or {}).get("fingerprint") == fingerprint
    if found and part(found, "spec").get("endpoint") != endpoint:
        delete(session)
        found = None
    if found is None:
        yield from _create(session, aws)
    elif not known:
        yield from _renew(session, found, aws)
    else:
        return False
    session.entry.put("connection", {"name": name(session), "fingerprint": fingerprint})
    return True


def _renew(session: Session, found: JsonObject, aws: Aws) -> Steps[None]:
    """Renews the keys by PUT, or, where that is refused, by deleting the connection and making it anew."""
    metadata = part(found, "metadata")
    given = {name: metadata[name] for name in WHICH if name in metadata}
    body = _body(session, aws) | {"metadata": given}
    try:
        session.api("flink").put(f"{session.flink_path}/connections/{name(session)}", body)
    except ApiError as error:
        if error.status not in (400, 404, 405, 409, 415, 422):
            raise
        delete(session)
        yield from _create(session, aws)
    session.changes.append("renewed the AWS keys of the Bedrock connection")


def _create(session: Session, aws: Aws) -> Steps[None]:
    """Makes the connection. The journal hears of it first, without a fingerprint: whose it is must survive a kill
    right after the POST."""
    path = f"{session.flink_path}/connections"
    if find(session):
        raise name_taken(f"the Flink connection {name(session)}", session.id("environment"))
    session.entry.put("connection", {"name": name(session), "fingerprint": ""})
    try:
        yield from create_when_known(
            session,
            lambda: session.api("flink").post(path, _body(session, aws)),
            lambda: find(session) is not None,
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


def _usable(session: Session, looks: int) -> Steps[str]:
    """Counts the connection as usable unless the service refuses it. looks: how often it is asked, because a
    refusal may come late."""
    found = find(session) or {}
    for _ in range(looks - 1):
        if phase(found) in REFUSED:
            break
        yield Waiting("a refusal of the Bedrock connection, if there is one", LOOK_EVERY_S)
        found = find(session) or found
    if phase(found) not in REFUSED:
        session.commentary_by_flink = True
        return str(found.get("name") or name(session))
    word = phase(found)
    detail = _detail(found)
    token = session.desired.aws is not None and bool(session.desired.aws.session_token)
    if word == "INVALID_AUTH":
        why = "the AWS session token has expired or is wrong" if token else "AWS does not accept the keys"
        help_ = RENEW if token else ""
    else:
        why, help_ = "Bedrock's address cannot be reached: is bedrock_region right?", ""
    detail = session.redact(f" (the service says: {detail})" if detail else "")
    session.note(
        " ".join(filter(None, (f"The Bedrock connection is {word}: {why}{detail}.", LEFT_OUT, help_)))
    )
    return f"left out: {phase(found)}"


def delete(session: Session) -> None:
    session.api("flink").remove(f"{session.flink_path}/connections/{name(session)}")
    if session.entry.get("connection"):
        session.entry.drop("connection")
        session.changes.append(f"deleted the Bedrock connection {name(session)}")
