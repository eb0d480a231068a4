"""What is ours, before a teardown: by the journal, else by the tag; and what an interrupted run left open."""

from __future__ import annotations

from provisioning.api import JsonObject
from provisioning.config import Names
from provisioning.create import resolve_intent
from provisioning.ownership_tag import OwnershipTag, read_tag
from provisioning.resources import cluster, environment, flink_pool, service_account
from provisioning.session import Session
from provisioning.steps import Steps

JOURNAL, TAG, NOTHING_STANDS = "journal", "tag", ""


def resolve_ownership(session: Session) -> Steps[str]:
    """Finds what is ours and what says so: the journal, the tag, or nothing.

    By the tag only what was made with this Cloud API key, or was named outright.
    """
    if session.entry.intent("environment"):
        yield from resolve_intent(session, environment.create_request(session))
    # A lent environment in the journal says nothing: who was stopped by a name has written it down, too.
    entry = session.entry
    environment_made = not (entry.get("environment") or {"borrowed": True})["borrowed"]
    inside = any(entry.get(slot) or entry.intent(slot) for slot in ("cluster", "pool", "account"))
    source = JOURNAL if (environment_made or inside) else TAG
    if source == TAG and not _by_tag(session):
        return NOTHING_STANDS
    if environment.recorded(session):
        yield from resolve_intent(session, cluster.create_request(session))
        yield from resolve_intent(session, flink_pool.create_request(session))
        yield from resolve_intent(session, service_account.create_request(session))
    if not session.entry.get("account"):
        # In a lent environment another lab may stand: there the tag has to name what our journal names.
        record = session.need("environment")
        inside_it = [str((session.entry.get(slot) or {}).get("id", "")) for slot in ("cluster", "pool")]
        for found in service_account.named(session, session.names.account):
            tag = read_tag(found.get("description", ""))
            if not tag or tag.environment != record["id"]:
                continue
            if not record["borrowed"] or (all(inside_it) and inside_it == [tag.cluster, tag.pool]):
                session.entry.put("account", service_account.record(found))
    return source


def _by_tag(session: Session) -> bool:
    # With an environment's id alone the account's name is not known, so all are looked at.
    if session.adopt or session.desired.borrowed:
        accounts = list(session.cloud.pages(service_account.PATH))
    else:
        accounts = service_account.named(session, Names(session.desired.environment_name).account)
    for found in accounts:
        tag = read_tag(found.get("description", ""))
        if tag is None:
            continue
        lent_elsewhere = session.desired.borrowed and tag.environment != session.desired.environment_id
        mine = tag.lab == session.credentials.lab and not lent_elsewhere
        if tag.environment == session.adopt if session.adopt else mine:
            _take_over(session, found, tag)
            return True
    return False


def _take_over(session: Session, found: JsonObject, tag: OwnershipTag) -> None:
    """Takes a lab over by its tag. An environment that is gone leaves its account behind, and its name is in the
    account's."""
    standing = session.cloud.find(f"{environment.PATH}/{tag.environment}")
    if standing:
        environment.take_over(session, standing, found, tag)
        return
    name = str(found["display_name"]).removesuffix("-lab")
    session.entry.put("environment", {"id": tag.environment, "name": name, "borrowed": tag.borrowed})
    session.entry.put("account", service_account.record(found))
