"""Taking the lab down: in an order that cannot lock itself out, ending with an audit.

Flink's statements first, since they cost; keys and account last, since everything else needs them. What others put
into our environment is left, and with it what holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from provisioning import configfile
from provisioning.errors import ApiError
from provisioning.journal import Entry
from provisioning.resources import (
    account,
    cluster,
    connection,
    engine,
    environment,
    keys,
    pool,
    registry,
    statements,
    strangers,
    subjects,
    topics,
)
from provisioning.resources.organization import flink_region
from provisioning.runner import Step
from provisioning.session import Session
from provisioning.waiting import MINUTE, Steps, Until, together, wait

GOING = (400, 403, 404)  # how a service answers about what is being deleted


@dataclass
class Teardown:
    """left: what stays and why, after the run. Each step finds its own thing gone, or makes it so."""

    session: Session
    config: Path
    left: list[str] = field(default_factory=list)
    usable: set[str] = field(default_factory=set)  # kafka, registry, flink: those that can be asked
    others: strangers.Strangers = field(default_factory=strangers.Strangers)

    def steps(self) -> list[Step]:
        s = self.session
        if not environment.recorded(s):
            return [
                Step("config", "config.yaml", self._config),
                Step("account", "Service account, keys, role", lambda: account.delete(s), ("config",)),
                Step("audit", "Audit", self._audit, ("account",)),
            ]
        return [
            Step("config", "config.yaml", self._config),
            Step("keys", "Keys that open the doors", self._keys, ("config",)),
            Step("statements", "Flink statements", self._statements, ("keys",)),
            Step("connection", "Bedrock connection", self._connection, ("statements",)),
            Step("others", "What others put there", self._others, ("connection",)),
            Step("schemas", "Schemas", self._subjects, ("others",)),
            Step("topics", "Topics", self._topics, ("schemas",)),
            Step("pool", "Flink compute pool", self._pool, ("topics",)),
            Step("cluster", "Kafka cluster", self._cluster, ("topics",)),
            Step("environment", "Environment", self._environment, ("pool", "cluster")),
            Step("labels", "Statements with our label", self._labels, ("environment",)),
            Step("account", "Service account, keys, role", lambda: account.delete(s), ("labels",)),
            Step("audit", "Audit", self._audit, ("account",)),
        ]

    def _config(self) -> str:
        """First, so that a lab that is started meanwhile does not use what is going."""
        return clear_config(self.session, self.config)

    def _keys(self) -> Steps[str]:
        """Only a service that stands needs its key; a key whose secret was lost is made anew."""
        s = self.session
        if account.find(s) is None:
            if not (s.entry.get("keys") and cluster.find(s) and pool.find(s)):
                return "none needed: there never was an account to look inside"
            # somebody deleted the account; without one nobody can see what others have put here
            yield from account.ensure(s)
        account.ensure_role(s)
        yield from together([self._open(kind) for kind in ("flink", "kafka", "registry")])
        return f"{len(self.usable)} usable"

    def _open(self, kind: str) -> Steps[None]:
        """What an interrupted teardown has deleted may be on its way out: it shows itself, and takes no key."""
        try:
            if self._found(kind):
                yield from keys.ensure(self.session, kind)
                self.usable.add(kind)
        except ApiError as error:
            if error.status not in GOING or self.session.need("environment")["borrowed"]:
                raise

    def _found(self, kind: str) -> bool:
        """Notes the address of the service that stands."""
        s = self.session
        if kind == "flink":
            if not s.entry.get("flink"):  # the configuration's region may be another one by now
                s.entry.put("flink", flink_region(s))
            return True
        if kind == "registry":
            standing = registry.find(s)
            if standing:
                s.entry.put("registry", registry.record(standing))
            return standing is not None
        found = cluster.find(s)
        if found is None or found["status"]["phase"] != "PROVISIONED":
            return False
        s.entry.put("cluster", cluster.record(found))
        return True

    def _statements(self) -> Steps[str]:
        if "flink" not in self.usable:
            return "no key: they go with the environment"
        ours = [str(s["name"]) for s in statements.ours(self.session)]
        for name in ours:  # stop all before waiting for any: this ends the cost
            statements.stop(self.session, name)
        yield from together([statements.delete(self.session, name) for name in ours])
        if self.session.need("environment")["borrowed"] and pool.find(self.session):
            yield from engine.drop_model(self.session)
        return f"{len(ours)} deleted" if ours else "none"

    def _connection(self) -> str:
        if "flink" not in self.usable:
            return "no key: it goes with the environment"
        found = connection.find(self.session)
        if found is None:
            return "none"
        connection.delete(self.session)
        return f"deleted {found['name']}"

    def _others(self) -> str:
        borrowed = self.session.need("environment")["borrowed"]
        try:
            self.others = strangers.look(self.session, self.usable)
        except ApiError as error:
            if error.status not in GOING or borrowed:
                raise
            return "the environment is going already"
        return ", ".join(self.others.everything) or "nothing"

    def _subjects(self) -> str:
        if "registry" not in self.usable:
            return "no key: they go with the environment"
        listed = subjects.listed(self.session, deleted=True)
        standing = [name for name in strangers.our_subjects(self.session) if name in listed]
        for name in standing:
            subjects.delete(self.session, name)
        return f"{len(standing)} deleted" if standing else "none"

    def _topics(self) -> Steps[str]:
        if "kafka" not in self.usable:
            return "the cluster is gone"
        known = [*topics.records(self.session), *self.session.wanted.topics.values()]
        ours = [name for name in dict.fromkeys(known) if topics.find(self.session, name)]
        yield from together([topics.delete(self.session, name) for name in ours])
        return f"{len(ours)} deleted" if ours else "none"

    def _pool(self) -> Steps[str] | str:
        return self._unless(self.others.in_pool, "the Flink pool", lambda: pool.delete(self.session))

    def _cluster(self) -> Steps[str] | str:
        return self._unless(self.others.in_cluster, "the Kafka cluster", lambda: cluster.delete(self.session))

    def _unless(self, others: list[str], what: str, delete: Callable[[], Steps[str]]) -> Steps[str] | str:
        if not others:
            return delete()
        self.left.append(f"{what}, because it holds what this lab did not make: {', '.join(others)}")
        return "left: it holds others' things"

    def _environment(self) -> Steps[str] | str:
        record = self.session.need("environment")
        if record["borrowed"]:
            return f"{record['name']} is yours and stays"
        if self.others.everything:
            return self._unless(self.others.everything, f"the environment {record['name']}", self._gone)
        return self._gone()

    def _gone(self) -> Steps[str]:
        identity = self.session.id("environment")
        self.session.cloud.remove(f"{environment.PATH}/{identity}")
        until = Until("Environment", frozenset({"gone"}), timeout=40 * MINUTE, interval=5.0)
        yield from wait(self._environment_state, until, self.session.clock)
        return f"deleted {identity}"

    def _environment_state(self) -> tuple[str, None]:
        return ("gone" if environment.recorded(self.session) is None else "going"), None

    def _labels(self) -> str:
        """While there is a key to ask with."""
        if environment.recorded(self.session) is None or "flink" not in self.usable:
            return "gone with the environment"
        found = [str(s["name"]) for s in statements.ours(self.session)]
        self.left += [f"the Flink statement {name}" for name in found]
        return ", ".join(found) or "none"

    def _audit(self) -> str:
        if not self.left:
            self.left = audit(self.session)
        if not self.left:
            self.session.entry.forget()
        return f"{len(self.left)} left" if self.left else "nothing is left"


def clear_config(session: Session, config: Path) -> str:
    """Unless another lab of the journal is meant: a cluster made anew has another address than the block."""
    text = configfile.read(config)
    other = next((entry for entry in session.entry.others() if _names(entry, text)), None)
    if other and not _names(session.entry, text):
        return f"is about another lab of the journal ({other.name}): left"
    return "our block taken out" if configfile.remove(config) else "has no block of ours"


def _names(entry: Entry, text: str) -> bool:
    bootstrap = str((entry.get("cluster") or {}).get("bootstrap", "")).rpartition("://")[2]
    return bool(bootstrap) and f"bootstrap.servers: {bootstrap}\n" in text


def audit(session: Session) -> list[str]:
    """What still carries our names, our mark or our owner. A look at each, since lists lag."""
    record = session.entry.get("environment") or {}
    found = (
        []
        if record.get("borrowed") or not environment.recorded(session)
        else [f"the environment {record['id']}"]
    )
    if cluster.find(session):
        found.append(f"the Kafka cluster {session.id('cluster')}")
    if pool.find(session):
        found.append(f"the Flink pool {session.id('pool')}")
    if record:
        name = session.names.account
        found += [
            f"the service account {name} ({a['id']})"
            for a in account.named(session, name)
            if _is_ours(session, a)
        ]
    owner = (session.entry.get("account") or {}).get("id")
    if owner:
        listed = session.cloud.pages(keys.PATH, **{"spec.owner": owner})
        found += [f"the API key {k['id']}" for k in listed if session.cloud.find(f"{keys.PATH}/{k['id']}")]
    return found


def _is_ours(session: Session, found: dict[str, object]) -> bool:
    return str(found["id"]) == (session.entry.get("account") or {}).get("id")
