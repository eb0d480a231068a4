"""What others have put beside our things. It decides what may not be deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from provisioning.api import JsonObject, part
from provisioning.resources import (
    bedrock_connection,
    cluster,
    flink_pool,
    flink_statements,
    statement_words,
    subjects,
    topics,
)
from provisioning.session import Session

ENDED = ("COMPLETED", "FAILED", "STOPPED", "DELETING")  # these hold nothing and cost nothing


@dataclass(slots=True)
class ForeignResources:
    """Holds names, by where they are. along: what holds nothing, and goes with the environment.

    statements: those that have not ended. pools, clusters: ids beside ours.
    """

    in_environment: list[str] = field(default_factory=list)
    in_cluster: list[str] = field(default_factory=list)
    in_pool: list[str] = field(default_factory=list)
    along: list[str] = field(default_factory=list)
    statements: list[JsonObject] = field(default_factory=list)
    pools: list[str] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return [*self.in_environment, *self.in_cluster, *self.in_pool]

    @property
    def stopping(self) -> list[str]:
        return [str(s["name"]) for s in self.statements if statement_words.phase(s) == "STOPPING"]


def find(session: Session, usable: set[str]) -> ForeignResources:
    """Finds what others have made. usable: the services (kafka, registry, flink) that can be asked."""
    found = find_in_control_plane(session)
    if "kafka" in usable:
        ours = {*topics.records(session), *session.desired.topics.values()}
        others = [name for name in topics.listed(session) if name not in ours]
        found.in_cluster = [f"the topic {name}" for name in others if topics.find(session, name)]
    if "registry" in usable:
        schemas = set(subjects.listed(session)) - set(our_subjects(session))
        found.in_environment += [f"the schema {name}" for name in sorted(schemas)]
    if "flink" in usable:
        path = f"{session.flink_path}/connections"
        our_own = bedrock_connection.name(session) if bedrock_connection.is_ours(session) else ""
        listed = [str(c["name"]) for c in session.api("flink").pages(path) if c["name"] != our_own]
        connections = [name for name in listed if session.api("flink").find(f"{path}/{name}")]
        found.in_environment += [f"the connection {name}" for name in connections]
        # A statement holds the pool that it runs on, until it has ended.
        pool = (session.entry.get("pool") or {}).get("id")
        unlabelled = [
            s for s in flink_statements.everyone(session) if not flink_statements.is_ours(session, s)
        ]
        for seen in filter(None, (flink_statements.find(session, str(s["name"])) for s in unlabelled)):
            if statement_words.phase(seen) not in ENDED:
                where = (
                    found.in_pool
                    if part(seen, "spec").get("compute_pool_id") == pool
                    else found.in_environment
                )
                where.append(f"the Flink statement {seen['name']}")
                found.statements.append(seen)
    return found


def find_in_control_plane(session: Session) -> ForeignResources:
    """Finds clusters and pools, which the Cloud API key shows. A default pool holds nothing: a workspace makes one."""
    found = ForeignResources()
    for other in _others(session, cluster.PATH, "cluster"):
        found.in_environment.append(f"the Kafka cluster {named(other)}")
        found.clusters.append(str(other["id"]))
    for other in _others(session, flink_pool.PATH, "pool"):
        default = bool(part(other, "spec").get("default_pool"))
        (found.along if default else found.in_environment).append(
            f"the {'default ' if default else ''}Flink pool {named(other)}"
        )
        found.pools.append(str(other["id"]))
    return found


def _others(session: Session, path: str, slot: str) -> Iterator[JsonObject]:
    """Yields those of a list that are really there, without ours."""
    environment, ours = session.id("environment"), (session.entry.get(slot) or {}).get("id")
    for other in session.cloud.pages(path, environment=environment):
        if other["id"] != ours and session.cloud.find(f"{path}/{other['id']}", environment=environment):
            yield other


def named(thing: JsonObject) -> str:
    """Gives a cluster or a pool by its name and its id."""
    return f"{part(thing, 'spec').get('display_name')} ({thing['id']})"


def our_subjects(session: Session) -> list[str]:
    """Lists the subjects that the journal knows. In an environment of our own our topics' names decide."""
    made = [*(session.entry.get("subjects") or [])]
    if not session.need("environment")["borrowed"]:
        for name in (*topics.records(session), *session.desired.topics.values()):
            made += subjects.both(name)
    return list(dict.fromkeys(made))
