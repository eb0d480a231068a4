"""The service account, which carries the ownership tag, and its one role."""

from __future__ import annotations

from provisioning.api import JsonObject
from provisioning.config import Names
from provisioning.create import CreateRequest, create, create_once, name_taken, standing
from provisioning.errors import ApiError, NameTaken
from provisioning.journal import Record
from provisioning.ownership_tag import OwnershipTag, read_tag
from provisioning.session import BINDINGS, Session
from provisioning.steps import Steps, Waiting

PATH = "/iam/v2/service-accounts"
ROLE = "EnvironmentAdmin"


def named(session: Session, name: str) -> list[JsonObject]:
    listed = session.cloud.pages(PATH, display_name=name)
    return standing(session, PATH, [a for a in listed if a.get("display_name") == name])


def tagged(session: Session, environment: JsonObject) -> tuple[JsonObject, OwnershipTag] | None:
    """Finds the account that the lab would have made for this environment, and the ownership tag in it."""
    for found in named(session, Names(str(environment["display_name"])).account):
        tag = read_tag(found.get("description", ""))
        if tag:
            return found, tag
    return None


def check_name(session: Session, environment_name: str) -> None:
    """Raises NameTaken for a name that another lab holds, before anything is made. The name follows from
    the environment's."""
    if session.entry.get("account") or session.entry.intent("account"):
        return
    for found in named(session, Names(environment_name).account):
        raise _taken(session, found)


def _taken(session: Session, found: JsonObject) -> NameTaken:
    what = f"the service account {found['display_name']}"
    if not session.desired.borrowed:
        return name_taken(what, str(found["id"]))
    return NameTaken(
        f"Name taken: {what} ({found['id']}) is there already and is not this lab's.",
        "Its name follows from the environment's, so an environment of somebody's holds one lab: another cluster or "
        "pool name changes nothing. Leave confluent.environment_id empty for an environment of the lab's own.",
        "https://confluent.cloud/settings/org/accounts",
    )


def find(session: Session) -> JsonObject | None:
    known = session.entry.get("account")
    return session.cloud.find(f"{PATH}/{known['id']}") if known else None


def ensure(session: Session) -> Steps[str]:
    while not (session.entry.get("cluster") and session.entry.get("pool")):
        yield Waiting("the ids of cluster and pool, which the ownership tag holds", 1.0)
    return (yield from ensure_exists(session))


def ensure_exists(session: Session) -> Steps[str]:
    """Makes sure of the account, whatever else there is: a teardown needs one to look inside with."""
    found = find(session)
    if found is None:
        session.entry.drop("account")
        session.entry.drop("keys")  # they went with their owner
        made = yield from create(session, create_request(session))
        return str(made["id"])
    wanted = _tag(session)
    if found.get("description") != wanted:
        session.cloud.patch(f"{PATH}/{found['id']}", {"description": wanted})
        session.changes.append(f"renewed the ownership tag in the service account {found['id']}")
    return str(found["id"])


def _tag(session: Session) -> str:
    environment = session.need("environment")
    return OwnershipTag(
        lab=session.lab,
        environment=str(environment["id"]),
        borrowed=bool(environment.get("borrowed")),
        cluster=str((session.entry.get("cluster") or {}).get("id", "")),
        pool=str((session.entry.get("pool") or {}).get("id", "")),
    ).text()


def create_request(session: Session) -> CreateRequest:
    name = session.names.account
    return CreateRequest(
        slot="account",
        what=f"the service account {name}",
        listed=lambda: named(session, name),
        post=lambda: session.cloud.post(PATH, {"display_name": name, "description": _tag(session)}),
        record=record,
    )


def record(found: JsonObject) -> Record:
    tag = read_tag(found.get("description", ""))
    return {"id": found["id"], "name": found["display_name"], "lab": tag.lab if tag else ""}


def _binding(session: Session) -> dict[str, str]:
    known = str(session.need("environment").get("crn") or "")
    scope = f"organization={session.organization}/environment={session.id('environment')}"
    crn = known if scope in known else f"crn://confluent.cloud/{scope}"
    return {"principal": f"User:{session.id('account')}", "role_name": ROLE, "crn_pattern": crn}


def has_role(session: Session) -> bool:
    return any(session.cloud.pages(BINDINGS, **_binding(session)))


def ensure_role(session: Session) -> str:
    """Gives the account the role EnvironmentAdmin: on a Basic cluster finer roles on topics do not exist."""
    if has_role(session):
        return ROLE
    try:
        create_once(lambda: session.cloud.post(BINDINGS, _binding(session)), lambda: has_role(session))
    except ApiError as error:
        if error.status != 409:  # it is there: a list that lags, or an answer that got lost
            raise
    session.changes.append(f"gave the service account the role {ROLE}")
    return ROLE


def delete(session: Session) -> str:
    """Deletes the account. Its keys and roles go with it."""
    found = find(session)
    if found is None:
        return "was gone"
    session.cloud.remove(f"{PATH}/{found['id']}")
    return f"deleted {found['id']} with its keys and roles"
