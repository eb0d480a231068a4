"""What stands, read and not touched: for --plan, for the question before a teardown, and for confluent_status.

A service whose key the journal does not hold, or that does not take it, cannot be looked into: None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from provisioning.client import JsonObject
from provisioning.errors import ApiError, ProvisioningError
from provisioning.resources import (
    account,
    cluster,
    connection,
    environment,
    keys,
    pool,
    registry,
    statements,
    strangers,
    subjects,
    topics,
)
from provisioning.session import Session

T = TypeVar("T")


@dataclass(slots=True)
class Survey:
    """Each as the service shows it; lists only of what is ours."""

    environment: JsonObject | None = None
    cluster: JsonObject | None = None
    pool: JsonObject | None = None
    registry: JsonObject | None = None
    account: JsonObject | None = None
    has_role: bool = False
    keys: dict[str, str] | None = None  # kind -> id, of those whose secret we have
    topics: list[str] | None = None
    subjects: list[str] | None = None
    statements: list[JsonObject] | None = None
    connection: JsonObject | None = None


def look(session: Session) -> Survey:
    found = Survey()
    if not session.entry.get("environment"):
        return found
    found.environment = environment.recorded(session)
    found.account = account.find(session)
    if found.environment:
        found.cluster, found.pool, found.registry = (
            cluster.find(session),
            pool.find(session),
            registry.find(session),
        )
    if found.account:
        found.keys = _keys(session)
        found.has_role = bool(found.environment) and account.has_role(session)
    if found.environment and found.account:
        _look_inside(session, found)
    return found


def _keys(session: Session) -> dict[str, str]:
    recorded = {kind: session.key(kind) for kind in ("kafka", "registry", "flink")}
    standing = {str(k["id"]) for k in keys.owned(session)}
    return {kind: str(key["id"]) for kind, key in recorded.items() if key and key["id"] in standing}


def _look_inside(session: Session, found: Survey) -> None:
    known = found.keys or {}
    if found.cluster and "kafka" in known:
        ours = {*topics.records(session), *session.wanted.topics.values()}
        answers = _or_none(lambda: topics.listed(session)) is not None  # each by its name: the list lags
        found.topics = sorted(name for name in ours if topics.find(session, name)) if answers else None
    if found.registry and "registry" in known:
        names = strangers.our_subjects(session)
        standing = _or_none(lambda: subjects.listed(session))
        found.subjects = None if standing is None else [name for name in standing if name in names]
    if "flink" in known:
        found.statements = _or_none(lambda: statements.ours(session))
        found.connection = _or_none(lambda: connection.ours(session))


def others(session: Session, found: Survey) -> strangers.Strangers:
    """What others have put there, as far as our keys open the services."""
    seen = {"kafka": found.topics, "registry": found.subjects, "flink": found.statements}
    usable = {kind for kind, inside in seen.items() if inside is not None}
    if not found.environment or session.need("environment")["borrowed"]:
        return strangers.Strangers()
    return _or_none(lambda: strangers.look(session, usable)) or strangers.Strangers()


def _or_none(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except ApiError as error:
        if error.status in keys.PENDING:
            return None
        raise
    except ProvisioningError:
        return None
