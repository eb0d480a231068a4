"""The environment: made by us, recovered, or borrowed from the person."""

from __future__ import annotations

import getpass
import re

from provisioning.api import JsonObject, part
from provisioning.create import CreateRequest, create, name_taken, standing
from provisioning.errors import Declined, NameTaken, ProvisioningError, Refused
from provisioning.journal import Record
from provisioning.ownership_tag import OwnershipTag
from provisioning.resources import cluster, flink_pool, service_account
from provisioning.session import Session
from provisioning.steps import Steps

PATH = "/org/v2/environments"
NAMES = "config.yaml (confluent.environment_name) and --environment have to mean the same one."
INSIDE = (
    "environment",
    "cluster",
    "pool",
    "registry",
    "keys",
    "topics",
    "subjects",
    "connection",
    "model",
    "queries",
    "going",
    "left",
)
DELETION_STARTED = (
    "going"  # in the journal: what a teardown has begun to delete; TEARDOWN_STARTED: that it has begun at all
)
TEARDOWN_STARTED = "lab"


def ensure(session: Session) -> Steps[str]:
    if session.desired.borrowed:
        return _borrow(session)
    known = (session.entry.get("environment") or {}).get("id")
    if session.adopt and known and known != session.adopt:
        raise Refused(
            f"The journal knows {session.desired.environment_name} as {known}, not {session.adopt}.", NAMES
        )
    if session.entry.get("environment") and not recorded(session):
        # deleted by somebody: all that stood in it went along
        for slot in INSIDE:
            session.entry.drop(slot)
    if recorded(session):
        check_whole(session)
        return session.id("environment")
    if not session.entry.intent("environment"):
        adopted = adopt(session)
        if adopted:
            return adopted
        _refuse_adopting(session)
        service_account.check_name(session, session.desired.environment_name)
    made = yield from create(session, create_request(session))
    return str(made["id"])


def is_half(session: Session) -> bool:
    return TEARDOWN_STARTED in (session.entry.get(DELETION_STARTED) or [])


def check_whole(session: Session) -> None:
    """Raises Refused for a lab that a teardown left half-deleted, because it cannot be told from what stands."""
    if is_half(session):
        raise Refused(
            "A teardown of this lab was interrupted, and has to end before it can be built again.",
            "Run manage.py teardown_confluent, then this command again.",
        )


def dry_run(session: Session) -> None:
    """Finds what ensure would find, without making anything. Raises NameTaken, Refused."""
    if session.desired.borrowed:
        _borrow(session)
    elif recorded(session):
        check_whole(session)
    elif not adopt(session):
        _refuse_adopting(session)
        for found in named(session, session.desired.environment_name):
            raise _taken(session, found)
    inside = (
        [cluster.create_request(session), flink_pool.create_request(session)] if recorded(session) else []
    )
    service_account.check_name(session, session.names.environment)
    for request in inside:
        known = session.entry.get(request.slot) or session.entry.intent(request.slot)
        for found in [] if known else request.listed():
            raise name_taken(request.what, str(found["id"]))


def _refuse_adopting(session: Session) -> None:
    """Raises Refused for an environment that --environment names and that no ownership tag makes ours."""
    if not session.adopt:
        return
    found = session.cloud.find(f"{PATH}/{session.adopt}") or {}
    if found.get("display_name") == session.desired.environment_name:
        raise Refused(
            f"{session.adopt} has that name, but no ownership tag says that this lab made it.",
            build_in(session.adopt),
        )
    raise Refused(
        f"{session.adopt} is no environment named {session.desired.environment_name} of this lab.", NAMES
    )


def build_in(identity: str) -> str:
    return (
        f"To build the lab inside it, set confluent.environment_id: {identity} in config.yaml. What the lab makes "
        "there goes at the teardown; the environment itself stays."
    )


def _taken(session: Session, found: JsonObject) -> NameTaken:
    """The error for a taken name. In a class everybody has the same default, so it invites nobody to delete
    a neighbour's."""
    identity, name = str(found["id"]), str(found["display_name"])
    _, tag = service_account.tagged(session, found) or ({}, None)
    yours = (
        f"If you made it with another Cloud API key: --environment {identity} takes it over."
        if tag and tag.environment == identity
        else f"If it is yours: {build_in(identity)}"
    )
    whose = "another lab's ownership tag" if tag else "no ownership tag of this lab"
    return NameTaken(
        f"Name taken: the environment {name} ({identity}) is there already and carries {whose}.",
        "It may be a colleague's: leave it, and take a name of your own in config.yaml:\n"
        f"  confluent:\n    environment_name: {own_name()}\n{yours}",
        "https://confluent.cloud/environments",
    )


def own_name() -> str:
    """Gives f1-<user>, as the service takes it."""
    try:
        user = re.sub(r"[^a-z0-9]+", "-", getpass.getuser().lower()).strip("-")
    except (KeyError, OSError):  # no such user, as in a container
        user = ""
    return f"f1-{user or 'yourname'}"


def recorded(session: Session) -> JsonObject | None:
    record = session.entry.get("environment")
    return session.cloud.find(f"{PATH}/{record['id']}") if record else None


def named(session: Session, name: str) -> list[JsonObject]:
    return standing(session, PATH, [e for e in session.cloud.pages(PATH) if e.get("display_name") == name])


def adopt(session: Session) -> str:
    """Takes over the environment that our service account names in its tag, and returns its id, or "" without one."""
    for found in named(session, session.desired.environment_name):
        if _taken_over(session, found, borrowed=False):
            return str(found["id"])
    return ""


def _taken_over(session: Session, found: JsonObject, borrowed: bool) -> bool:
    owner, tag = service_account.tagged(session, found) or ({}, None)
    if not tag or tag.borrowed != borrowed or tag.environment != found["id"]:
        return False
    if not _may_adopt(session, tag):
        return False
    take_over(session, found, owner, tag)
    return True


def _may_adopt(session: Session, tag: OwnershipTag) -> bool:
    if tag.environment == session.adopt:
        return True
    if tag.lab != session.credentials.lab:
        return False
    if session.unattended:
        raise Refused(
            f"There is no journal of {session.desired.environment_name} ({tag.environment}) on this machine. It was "
            "made with this Cloud API key; --yes takes it over only by its id, for its API keys are then made anew.",
            f"If it is meant:  manage.py provision_confluent --yes --environment {tag.environment}",
        )
    if not session.ask(
        f"There is no journal of {session.desired.environment_name} ({tag.environment}) on this machine, but it was "
        "made with this Cloud API key. Take it over? Its API keys are then made anew, so that a lab elsewhere that "
        "uses them stops."
    ):
        raise Declined(
            "Nothing was taken over, and nothing made.", "Another environment_name makes another lab."
        )
    return True


def take_over(session: Session, found: JsonObject, owner: JsonObject, tag: OwnershipTag) -> None:
    """Writes all records at once: half of them would look like a lab without an account."""
    name = str(found["display_name"])
    records = {
        "environment": _record(found) | {"borrowed": tag.borrowed},
        "account": service_account.record(owner),
    }
    inside = (("cluster", tag.cluster), ("pool", tag.pool))
    session.entry.put_all(records | {slot: {"id": identity} for slot, identity in inside if identity})
    session.changes.append(
        f"took over the environment {name} ({found['id']}), which carries this lab's ownership tag"
    )


def _borrow(session: Session) -> str:
    wanted = session.desired.environment_id
    found = session.cloud.find(f"{PATH}/{wanted}")
    if found is None:
        raise ProvisioningError(
            f"confluent.environment_id names {wanted}, which this Cloud API key cannot see.",
            "Correct it in config.yaml, or leave it empty for an environment of the lab's own.",
            "https://confluent.cloud/environments",
        )
    check_whole(session)
    if not session.entry.get("environment") and not _taken_over(session, found, borrowed=True):
        service_account.check_name(session, str(found["display_name"]))
        session.entry.put("environment", _record(found) | {"borrowed": True})
    return wanted


def create_request(session: Session) -> CreateRequest:
    name = session.desired.environment_name
    body = {"display_name": name, "stream_governance_config": {"package": "ESSENTIALS"}}
    return CreateRequest(
        slot="environment",
        what=f"the environment {name}",
        listed=lambda: named(session, name),
        post=lambda: session.cloud.post(PATH, body),
        record=lambda made: _record(made) | {"borrowed": False},
        taken=lambda found: _taken(session, found),
    )


def _record(found: JsonObject) -> Record:
    return {
        "id": found["id"],
        "name": found["display_name"],
        "crn": part(found, "metadata").get("resource_name") or "",
        "since": part(found, "metadata").get("created_at") or "",
    }
