"""Schemas in the Schema Registry, with the compatibility that keeps readers working."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from provisioning.api import JsonObject, present
from provisioning.config import EMBEDDED
from provisioning.create import create_once, name_taken
from provisioning.session import Session
from races.streams.topics import TOPICS, compatibility, subject

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True, slots=True)
class Subject:
    name: str
    kind: str  # AVRO, JSON
    schema: str
    level: str


def wanted(session: Session) -> Iterator[Subject]:
    for role, maker in session.makers.items():
        if maker == EMBEDDED:
            yield from of_topic(role, session.topic(role))


def of_topic(role: str, name: str) -> Iterator[Subject]:
    topic = TOPICS[role]
    kind = "JSON" if topic.value_format == "json" else "AVRO"
    yield Subject(
        subject(name, "value"), kind, topic.value_schema, compatibility("value", topic.value_format)
    )
    if topic.key_schema:
        yield Subject(subject(name, "key"), "AVRO", topic.key_schema, compatibility("key"))


def both(topic_name: str) -> tuple[str, str]:
    return subject(topic_name, "value"), subject(topic_name, "key")


def listed(session: Session, deleted: bool = False) -> list[str]:
    """Lists the subjects. deleted: also those that were deleted softly and still hold their name."""
    query = {"deleted": "true"} if deleted else {}
    return sorted(session.api("registry").get("/subjects", **query) or [])


def ensure(session: Session) -> str:
    made = sum(_ensure_one(session, wanted_one) for wanted_one in wanted(session))
    return f"{made} made or changed" if made else "unchanged"


def _ensure_one(session: Session, wanted_one: Subject) -> bool:
    standing = _latest(session, wanted_one.name)
    same = standing is not None and _same(standing, wanted_one)
    ours = wanted_one.name in (session.entry.get("subjects") or [])
    if standing is not None and not ours and session.need("environment")["borrowed"]:
        if same:  # somebody else's, and just what is needed: used, and left at the end
            return False
        raise name_taken(f"the schema {wanted_one.name}", str(session.need("registry")["id"]))
    if not ours:
        session.entry.put("subjects", [*(session.entry.get("subjects") or []), wanted_one.name])
    levelled = _set_level(session, wanted_one)  # first: the schema may need it
    if not same:
        path = f"/subjects/{quote(wanted_one.name, safe='')}/versions"
        body = {"schemaType": wanted_one.kind, "schema": wanted_one.schema}

        def exists() -> bool:
            registered = _latest(session, wanted_one.name)
            return registered is not None and _same(registered, wanted_one)

        create_once(lambda: session.api("registry").post(path, body, content_type=CONTENT_TYPE), exists)
    if not same or levelled:
        session.changes.append(f"registered the schema {wanted_one.name} ({wanted_one.level})")
    return not same or levelled


def _latest(session: Session, name: str) -> JsonObject | None:
    path = f"/subjects/{quote(name, safe='')}/versions/latest"
    found: JsonObject | None = present(lambda: session.api("registry").get_object(path))
    return found


def _same(standing: JsonObject, wanted_one: Subject) -> bool:
    return bool(json.loads(standing["schema"]) == json.loads(wanted_one.schema))


def _set_level(session: Session, wanted_one: Subject) -> bool:
    path = f"/config/{quote(wanted_one.name, safe='')}"
    found = present(lambda: session.api("registry").get_object(path))
    if found and found.get("compatibilityLevel") == wanted_one.level:
        return False
    session.api("registry").put(path, {"compatibility": wanted_one.level}, CONTENT_TYPE)
    return True


def expect(session: Session, topic_name: str) -> None:
    """Notes before a CREATE TABLE in a lent environment that what is not there yet will be ours, and what is there
    stays theirs."""
    if not session.need("environment")["borrowed"]:
        return
    known, standing = session.entry.get("subjects") or [], listed(session)
    new = [name for name in both(topic_name) if name not in known and name not in standing]
    if new:
        session.entry.put("subjects", [*known, *new])


def delete(session: Session, name: str) -> None:
    """Deletes a subject softly, then for good: the service refuses the second without the first."""
    path = f"/subjects/{quote(name, safe='')}"
    session.api("registry").remove(path)
    session.api("registry").remove(path, permanent="true")
    mine = [s for s in session.entry.get("subjects") or [] if s != name]
    session.entry.put("subjects", mine)
