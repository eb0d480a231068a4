"""Creates something exactly once, although answers get lost and commands get killed.

Before the POST the journal takes an intent: the name, and the ids that carry it already. After it, the answer's id.
If the answer is lost, the list is looked at until it would show what was made; what carries the name, was not there
before and was made since is ours. Only if nothing shows up is the POST sent again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from provisioning.api import JsonObject, part
from provisioning.cost import instant
from provisioning.errors import AGAIN, ApiError, NameTaken, OutcomeUnknown
from provisioning.journal import Record
from provisioning.session import Session
from provisioning.steps import Steps, Waiting

STALE_LIST_S = 20.0  # lists were seen up to 15 s behind
LOOK_EVERY_S = 4.0
TRIES = 3
NOT_KNOWN = re.compile(r"looking up|not found|not authorized|principal|compute pool", re.IGNORECASE)
NOT_KNOWN_S, NOT_KNOWN_EVERY_S = 180.0, 10.0
EARLIER, LATER = timedelta(minutes=2), timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """slot: in the journal. what: in words. listed: everything of that name. record: what the journal keeps of it.

    taken: the error for one of that name that is not ours.
    """

    slot: str
    what: str
    listed: Callable[[], list[JsonObject]]
    post: Callable[[], JsonObject]
    record: Callable[[JsonObject], Record]
    taken: Callable[[JsonObject], NameTaken] | None = None


def create(session: Session, request: CreateRequest) -> Steps[Record]:
    """Makes the thing, or finds what a lost answer made. Raises NameTaken for what is there and not ours."""
    if session.entry.intent(request.slot):
        found = yield from _find_lost(session, request)
        if found:
            return _keep(session, request, found)
    others = request.listed()
    if others:
        if request.taken:
            raise request.taken(others[0])
        raise name_taken(request.what, str(others[0].get("id", "")))
    return (yield from _post(session, request, []))


def standing(
    session: Session, path: str, listed: list[JsonObject], environment: str = ""
) -> list[JsonObject]:
    """Keeps those of a list that are really there: lists show what was deleted for a while."""
    query = {"environment": environment} if environment else {}
    return [thing for thing in listed if session.cloud.find(f"{path}/{thing['id']}", **query)]


def create_once(post: Callable[[], object], exists: Callable[[], bool]) -> None:
    """Makes what is found by its name at once. A lost answer is followed by a look, then by another try."""
    for attempt in range(TRIES):
        try:
            post()
        except OutcomeUnknown:
            if exists():
                return
            if attempt == TRIES - 1:
                raise
        else:
            return


def create_when_known(
    session: Session, create: Callable[[], object], exists: Callable[[], bool]
) -> Steps[None]:
    """Makes it as create_once does, and waits while Flink does not know pool, principal or role, which are new."""
    end = session.clock.monotonic() + NOT_KNOWN_S
    while True:
        try:
            create_once(create, exists)
            return
        except ApiError as error:
            if error.status not in (400, 403, 404) or not NOT_KNOWN.search(error.failure.detail):
                raise
            if session.clock.monotonic() >= end:
                error.again = f"{AGAIN} New roles and pools can take some minutes."
                raise
            yield Waiting("Flink to know the new pool and account", NOT_KNOWN_EVERY_S)


def resolve_intent(session: Session, request: CreateRequest) -> Steps[None]:
    """Settles what an interrupted run left open, without making anything."""
    if session.entry.intent(request.slot) and not session.entry.get(request.slot):
        found = yield from _find_lost(session, request)
        if found:
            _keep(session, request, found)
    session.entry.settle(request.slot)


def _post(session: Session, request: CreateRequest, before: list[str]) -> Steps[Record]:
    unsure = session.entry.intent(request.slot) is not None
    for attempt in range(TRIES):
        session.entry.intend(request.slot, before, session.client.service_time())
        try:
            return _keep(session, request, request.post())
        except OutcomeUnknown:
            if attempt == TRIES - 1:
                raise
            unsure = True
        except ApiError as error:
            if error.status != 409 or not unsure:
                session.entry.settle(request.slot)
                raise (name_taken(request.what, "") if error.status == 409 else error) from None
        found = yield from _find_lost(session, request)
        if found:
            return _keep(session, request, found)
    raise name_taken(request.what, "")


def _keep(session: Session, request: CreateRequest, made: JsonObject) -> Record:
    record = request.record(made)
    session.entry.put(request.slot, record)
    session.changes.append(f"made {request.what} ({made['id']})")
    return record


def _find_lost(session: Session, request: CreateRequest) -> Steps[JsonObject | None]:
    end = session.clock.monotonic() + STALE_LIST_S
    while True:
        intent = session.entry.intent(request.slot) or {}
        before, since, ours = intent.get("before", []), instant(intent.get("since")), []
        for thing in request.listed():
            created = instant(part(thing, "metadata").get("created_at"))
            in_time = created is None or since is None or since - EARLIER <= created <= since + LATER
            if in_time and str(thing["id"]) not in before:
                ours.append(thing)
        if ours or session.clock.monotonic() >= end:
            return ours[0] if ours else None
        yield Waiting(f"{request.what}: an answer was lost, looking for what it made", LOOK_EVERY_S)


def name_taken(what: str, where: str) -> NameTaken:
    return NameTaken(
        f"Name taken: {what}{f' ({where})' if where else ''} is there already, without this lab's ownership tag.",
        "Leave it: it may be a colleague's. Choose another name in config.yaml, section confluent:.",
        "https://confluent.cloud/environments",
    )
