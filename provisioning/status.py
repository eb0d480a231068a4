"""The current state, read and not touched: for --plan, for the question before a teardown, and for confluent_status.

A service whose key the journal does not hold, or that does not take it, cannot be looked into: None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from provisioning.api import JsonObject
from provisioning.errors import ApiError, ProvisioningError
from provisioning.resources import (
    api_keys,
    bedrock_connection,
    cluster,
    environment,
    flink_pool,
    flink_statements,
    foreign,
    schema_registry,
    service_account,
    statement_words,
    subjects,
    topics,
)
from provisioning.resources.foreign import ForeignResources
from provisioning.session import KEY_PLANES, Session

T = TypeVar("T")


@dataclass(slots=True)
class CurrentState:
    """Holds each thing as the service shows it. The lists hold only what is ours."""

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


def current_state(session: Session) -> CurrentState:
    found = CurrentState()
    if not session.entry.get("environment"):
        return found
    found.environment = environment.recorded(session)
    found.account = service_account.find(session)
    if found.environment:
        found.cluster, found.pool, found.registry = (
            cluster.find(session),
            flink_pool.find(session),
            _or_none(lambda: schema_registry.find(session)),  # refused while its environment is deleted
        )
    if found.account:
        made = {kind: session.key(kind) for kind in ("kafka", "registry", "flink")}
        stand = {str(key["id"]) for key in api_keys.owned(session)}
        found.keys = {kind: str(key["id"]) for kind, key in made.items() if key and key["id"] in stand}
        found.has_role = bool(found.environment) and service_account.has_role(session)
    if found.environment and found.account:
        known = found.keys or {}
        if found.cluster and "kafka" in known:
            ours = {*topics.records(session), *session.desired.topics.values()}
            answers = _or_none(lambda: topics.listed(session)) is not None  # each by its name: the list lags
            found.topics = sorted(name for name in ours if topics.find(session, name)) if answers else None
        if found.registry and "registry" in known:
            names = foreign.our_subjects(session)
            standing = _or_none(lambda: subjects.listed(session))
            found.subjects = None if standing is None else [name for name in standing if name in names]
        if "flink" in known:
            found.statements = _or_none(lambda: flink_statements.ours(session))
            found.connection = _or_none(lambda: bedrock_connection.ours(session))
    return found


def foreign_things(session: Session, found: CurrentState) -> foreign.ForeignResources:
    """Lists what others have put there, as far as our keys open the services."""
    seen = {"kafka": found.topics, "registry": found.subjects, "flink": found.statements}
    usable = {kind for kind, inside in seen.items() if inside is not None}
    if not found.environment or session.need("environment")["borrowed"]:
        return foreign.ForeignResources()
    return _or_none(lambda: foreign.find(session, usable)) or foreign.ForeignResources()


def _or_none(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except ApiError as error:
        if error.status in api_keys.PENDING:
            return None
        raise
    except ProvisioningError:
        return None


def unread(found: CurrentState) -> list[str]:
    """Names the services of ours that stand and could not be looked into."""
    inside = {
        "Kafka": (found.cluster, found.topics),
        "Schema Registry": (found.registry, found.subjects),
        "Flink": (found.pool, found.statements),
    }
    return [plane for plane, (standing, seen) in inside.items() if standing and seen is None]


def describe_all(
    session: Session, found: CurrentState, others: ForeignResources, everything: bool = False
) -> Iterator[tuple[str, str]]:
    """Yields (kind, name) in the order of a teardown, with what stays for others' sake, unless everything goes."""
    holding = ForeignResources() if everything else others
    if everything:
        yield from (("Not the lab's", name) for name in others.all)
    yield from (("Default pool", name.removeprefix("the ")) for name in others.along)
    for statement in found.statements or []:
        yield "Flink statement", f"{statement['name']} ({statement_words.phase(statement)})"
    if found.connection:
        yield "Connection", str(found.connection["name"])
    if found.subjects:
        yield "Schemas", ", ".join(found.subjects)
    if found.topics:
        yield "Topics", f"{', '.join(found.topics)}, with all records"
    if found.pool:
        yield _goes("Flink pool", foreign.named(found.pool), holding.in_pool)
    if found.cluster:
        yield _goes("Kafka cluster", foreign.named(found.cluster), holding.in_cluster)
    yield from _environment(session, found, holding)
    if found.account:
        yield _account(session, found, holding)


def _account(session: Session, found: CurrentState, holding: ForeignResources) -> tuple[str, str]:
    account = found.account or {}
    owned = ", ".join(KEY_PLANES[kind] for kind in found.keys or {})
    keys = f", with its API keys ({owned})" if owned else ""
    name = f"{account['display_name']} ({account['id']}){keys}"
    if holding.all and not session.need("environment").get("borrowed"):
        return "(stays)", f"the service account {name}, as long as the environment does"
    return "Service account", name


def _goes(what: str, name: str, others: list[str]) -> tuple[str, str]:
    if others:
        kind = what.lower() if what == "Environment" else what
        return "(stays)", f"the {kind} {name}: it holds what this lab did not make: {', '.join(others)}"
    return what, name


def _environment(
    session: Session, found: CurrentState, holding: ForeignResources
) -> Iterator[tuple[str, str]]:
    if not found.environment:
        return
    name = f"{found.environment['display_name']} ({found.environment['id']})"
    if session.need("environment").get("borrowed"):
        yield "(stays)", f"the environment {name}: it is yours, only what the lab made in it goes"
    else:
        # No list of the service shows models: what a learner made of them goes unseen.
        rest = "" if holding.all else ", with all that it still holds, such as models"
        yield _goes("Environment", f"{name}{rest}", holding.all)
    if found.statements is None or (found.cluster and found.topics is None):
        yield "(not looked into)", "without its keys; new ones are made for the teardown"
