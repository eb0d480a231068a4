"""The environment: made by us, recovered, or borrowed from the person."""

from __future__ import annotations

from provisioning.client import JsonObject
from provisioning.errors import ProvisioningError, Refused
from provisioning.journal import Record
from provisioning.making import Making, make, name_taken, standing
from provisioning.mark import Mark
from provisioning.resources import account, cluster, pool
from provisioning.session import Session
from provisioning.waiting import Steps

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
)
GOING = "going"  # in the journal: what a teardown has begun to delete; WHOLE: that it has begun at all
WHOLE = "lab"


def ensure(session: Session) -> Steps[str]:
    if session.wanted.borrowed:
        return _borrow(session)
    _meant(session)
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
        if session.adopt:
            raise Refused(
                f"{session.adopt} is no environment named {session.wanted.environment_name} of this lab.",
                NAMES,
            )
        account.check_name(session, session.wanted.environment_name)
    made = yield from make(session, making(session))
    return str(made["id"])


def _meant(session: Session) -> None:
    known = (session.entry.get("environment") or {}).get("id")
    if session.adopt and known and known != session.adopt:
        raise Refused(
            f"The journal knows {session.wanted.environment_name} as {known}, not {session.adopt}.", NAMES
        )


def is_half(session: Session) -> bool:
    return WHOLE in (session.entry.get(GOING) or [])


def check_whole(session: Session) -> None:
    """What a teardown left half-deleted cannot be told from what stands. Raises Refused."""
    if is_half(session):
        raise Refused(
            "A teardown of this lab was interrupted, and has to end before it can be built again.",
            "Run manage.py teardown_confluent, then this command again.",
        )


def foresee(session: Session) -> None:
    """What ensure would find, without making anything. Raises NameTaken, Refused."""
    if session.wanted.borrowed:
        _borrow(session)
    elif recorded(session):
        check_whole(session)
    elif not adopt(session):
        for found in named(session, session.wanted.environment_name):
            raise name_taken(f"the environment {found['display_name']}", str(found["id"]))
    inside = [cluster.making(session), pool.making(session)] if recorded(session) else []
    account.check_name(session, session.names.environment)
    for making_it in inside:
        _foresee_name(session, making_it)


def _foresee_name(session: Session, making_it: Making) -> None:
    if session.entry.get(making_it.slot) or session.entry.intent(making_it.slot):
        return
    for found in making_it.listed():
        raise name_taken(making_it.what, str(found["id"]))


def recorded(session: Session) -> JsonObject | None:
    record = session.entry.get("environment")
    return session.cloud.find(f"{PATH}/{record['id']}") if record else None


def named(session: Session, name: str) -> list[JsonObject]:
    return standing(session, PATH, [e for e in session.cloud.pages(PATH) if e.get("display_name") == name])


def adopt(session: Session) -> str:
    """Without a journal, the mark tells: the environment that our service account names."""
    for found in named(session, session.wanted.environment_name):
        if _taken_over(session, found, borrowed=False):
            return str(found["id"])
    return ""


def _taken_over(session: Session, found: JsonObject, borrowed: bool) -> bool:
    owner, mark = account.marked(session, found) or ({}, None)
    if not mark or mark.borrowed != borrowed or mark.environment != found["id"]:
        return False
    if not _may_adopt(session, mark):
        return False
    take_over(session, found, owner, mark)
    return True


def _may_adopt(session: Session, mark: Mark) -> bool:
    if mark.environment == session.adopt:
        return True
    if mark.lab != session.credentials.lab:
        return False
    if session.unattended:
        raise Refused(
            f"There is no journal of {session.wanted.environment_name} ({mark.environment}) on this machine. It was "
            "made with this Cloud API key; --yes takes it over only by its id, for its API keys are then made anew.",
            f"If it is meant:  manage.py provision_confluent --yes --environment {mark.environment}",
        )
    if not session.ask(
        f"There is no journal of {session.wanted.environment_name} ({mark.environment}) on this machine, but it was "
        "made with this Cloud API key. Take it over? Its API keys are then made anew, so that a lab elsewhere that "
        "uses them stops."
    ):
        raise Refused(
            "Nothing was taken over, and nothing made.", "Another environment_name makes another lab."
        )
    return True


def take_over(session: Session, found: JsonObject, owner: JsonObject, mark: Mark) -> None:
    """In one write: half of it would look like a lab without an account."""
    name = str(found["display_name"])
    records = {"environment": _record(found) | {"borrowed": mark.borrowed}, "account": account.record(owner)}
    inside = (("cluster", mark.cluster), ("pool", mark.pool))
    session.entry.put_all(records | {slot: {"id": identity} for slot, identity in inside if identity})
    session.changes.append(f"took over the environment {name} ({found['id']}), which carries this lab's mark")


def _borrow(session: Session) -> str:
    wanted = session.wanted.environment_id
    found = session.cloud.find(f"{PATH}/{wanted}")
    if found is None:
        raise ProvisioningError(
            f"confluent.environment_id names {wanted}, which this Cloud API key cannot see.",
            "Correct it in config.yaml, or leave it empty for an environment of the lab's own.",
            "https://confluent.cloud/environments",
        )
    check_whole(session)
    if not session.entry.get("environment") and not _taken_over(session, found, borrowed=True):
        account.check_name(session, str(found["display_name"]))
        session.entry.put("environment", _record(found) | {"borrowed": True})
    return wanted


def making(session: Session) -> Making:
    name = session.wanted.environment_name
    body = {"display_name": name, "stream_governance_config": {"package": "ESSENTIALS"}}
    return Making(
        slot="environment",
        what=f"the environment {name}",
        listed=lambda: named(session, name),
        post=lambda: session.cloud.post(PATH, body),
        record=lambda made: _record(made) | {"borrowed": False},
    )


def _record(found: JsonObject) -> Record:
    return {
        "id": found["id"],
        "name": found["display_name"],
        "crn": found.get("metadata", {}).get("resource_name", ""),
        "since": found.get("metadata", {}).get("created_at", ""),
    }
