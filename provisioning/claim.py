"""What is ours, before a teardown: by the journal, else by the mark; and what an interrupted run left open."""

from __future__ import annotations

from provisioning.client import JsonObject
from provisioning.making import resolve
from provisioning.mark import Mark, read_mark
from provisioning.resources import account, cluster, environment, pool
from provisioning.session import Session
from provisioning.waiting import Steps
from provisioning.wanted import Names

JOURNAL, MARK, NOTHING = "journal", "mark", ""


def claim(session: Session) -> Steps[str]:
    """Who says what is ours: the journal, the mark, or nobody.

    By the mark only what was made with this Cloud API key, or was named outright.
    """
    if session.entry.intent("environment"):
        yield from resolve(session, environment.making(session))
    told = JOURNAL if _made_something(session) else MARK
    if told == MARK and not _by_mark(session):
        return NOTHING
    if environment.recorded(session):
        yield from resolve(session, cluster.making(session))
        yield from resolve(session, pool.making(session))
        yield from resolve(session, account.making(session))
    if not session.entry.get("account"):
        _find_account(session)
    return told


def _made_something(session: Session) -> bool:
    """A lent environment in the journal says nothing: who was stopped by a name has written it down, too."""
    entry = session.entry
    environment_made = not (entry.get("environment") or {"borrowed": True})["borrowed"]
    inside = any(entry.get(slot) or entry.intent(slot) for slot in ("cluster", "pool", "account"))
    return environment_made or inside


def _find_account(session: Session) -> None:
    """In a lent environment another lab may stand: there the mark has to name what our journal names."""
    record = session.need("environment")
    for found in account.named(session, session.names.account):
        mark = read_mark(found.get("description", ""))
        if mark and mark.environment == record["id"] and (not record["borrowed"] or _same(session, mark)):
            session.entry.put("account", account.record(found))


def _same(session: Session, mark: Mark) -> bool:
    ours = [str((session.entry.get(slot) or {}).get("id", "")) for slot in ("cluster", "pool")]
    return all(ours) and ours == [mark.cluster, mark.pool]


def _by_mark(session: Session) -> bool:
    for found in _marked_accounts(session):
        mark = read_mark(found.get("description", ""))
        if mark and _is_meant(session, mark):
            _take(session, found, mark)
            return True
    return False


def _marked_accounts(session: Session) -> list[JsonObject]:
    """By name; with an environment's id alone the name is not known, so all are looked at."""
    if session.adopt or session.wanted.borrowed:
        return list(session.cloud.pages(account.PATH))
    return account.named(session, Names(session.wanted.environment_name).account)


def _is_meant(session: Session, mark: Mark) -> bool:
    if session.adopt:
        return mark.environment == session.adopt
    if session.wanted.borrowed and mark.environment != session.wanted.environment_id:
        return False
    return mark.lab == session.credentials.lab


def _take(session: Session, found: JsonObject, mark: Mark) -> None:
    """An environment that is gone leaves its account behind; its name is in the account's."""
    standing = session.cloud.find(f"{environment.PATH}/{mark.environment}")
    if standing:
        environment.take_over(session, standing, found, mark)
        return
    name = str(found["display_name"]).removesuffix("-lab")
    session.entry.put("environment", {"id": mark.environment, "name": name, "borrowed": mark.borrowed})
    session.entry.put("account", account.record(found))
