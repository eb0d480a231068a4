"""What a survey found, as lines for people: for the question before a teardown and for confluent_status."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from provisioning.client import JsonObject
from provisioning.resources import statements
from provisioning.resources.strangers import Strangers
from provisioning.session import KEY_PLANES, Session
from provisioning.survey import Survey


def lines(session: Session, found: Survey, others: Strangers) -> Iterator[str]:
    """In the order of a teardown, with what stays for others' sake."""
    yield from (f"Flink statement   {s['name']} ({statements.phase(s)})" for s in found.statements or [])
    if found.connection:
        yield f"Connection        {found.connection['name']}"
    if found.subjects:
        yield f"Schemas           {', '.join(found.subjects)}"
    if found.topics:
        yield f"Topics            {', '.join(found.topics)}, with all records"
    if found.pool:
        yield _goes("Flink pool", _named(found.pool), others.in_pool)
    if found.cluster:
        yield _goes("Kafka cluster", _named(found.cluster), others.in_cluster)
    yield from _environment(session, found, others)
    if found.account:
        owned = ", ".join(KEY_PLANES[kind] for kind in found.keys or {})
        keys = f", with its API keys ({owned})" if owned else ""
        yield f"Service account   {found.account['display_name']} ({found.account['id']}){keys}"


def wrapped(line: str) -> str:
    """The names of a long line stand below each other, after its kind."""
    return textwrap.fill(line, 110, initial_indent="  ", subsequent_indent=" " * 20, break_on_hyphens=False)


def _named(thing: JsonObject) -> str:
    return f"{thing['spec'].get('display_name')} ({thing['id']})"


def _goes(what: str, name: str, others: list[str]) -> str:
    if others:
        return f"(stays)           {what} {name}: it holds what this lab did not make: {', '.join(others)}"
    return f"{what:<17} {name}"


def _environment(session: Session, found: Survey, others: Strangers) -> Iterator[str]:
    if not found.environment:
        return
    name = f"{found.environment['display_name']} ({found.environment['id']})"
    if session.need("environment").get("borrowed"):
        yield f"(stays)           environment {name}: it is yours, only what the lab made in it goes"
    else:
        yield _goes("Environment", name, others.everything)
    if found.statements is None or (found.cluster and found.topics is None):
        yield "(not looked into) without its keys; new ones are made for the teardown"
