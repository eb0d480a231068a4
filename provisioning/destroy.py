"""Takes the lab down, in an order that cannot lock itself out, and ends with an audit.

Flink's statements first, since they cost; keys and account last, since everything else needs them. What others put
into our environment is left, and with it what holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.api import part
from provisioning.audit import audit, clear_config
from provisioning.errors import ApiError, NameTaken, ProvisioningError, Refused, WaitTimeout
from provisioning.resources import (
    analytics_switch,
    api_keys,
    bedrock_connection,
    cluster,
    environment,
    flink_pool,
    flink_statements,
    foreign,
    schema_registry,
    service_account,
    subjects,
    topics,
)
from provisioning.resources.flink_pool import flink_region
from provisioning.session import KEY_PLANES, Session
from provisioning.steps import MINUTE, Step, Steps, Waiter, Waiting, together, wait

ANSWERS_WHILE_DELETED = (400, 401, 403, 404)  # how a service answers about what is being deleted
STOPPING_S = 120.0
LEFT = "left"  # in the journal: what the last teardown had to leave
NO_ACCOUNT = (400, 402, 403, 409)
NO_KEY = "not asked"
KEPT_BY = {"kafka": {"cluster", "environment"}, "registry": {"environment"}, "flink": {"environment"}}


@dataclass
class Destroy:
    """left: what stays and why, after the run. Each step finds its own thing gone, or makes it so."""

    session: Session
    config: Path
    left: list[str] = field(default_factory=list)
    usable: set[str] = field(default_factory=set)  # kafka, registry, flink: those that can be asked
    unseen: dict[str, str] = field(default_factory=dict)  # those that stand and cannot be: why
    unwritten: list[str] = field(default_factory=list)  # why config.yaml keeps our block
    others: foreign.ForeignResources = field(default_factory=foreign.ForeignResources)
    everything: bool = False  # what others made in an environment of the lab's goes too

    def steps(self) -> list[Step]:
        s = self.session
        if not environment.recorded(s):
            return [
                Step("config", "config.yaml", self._config),
                Step(
                    "account", "Service account, keys, role", lambda: service_account.delete(s), ("config",)
                ),
                Step("audit", "Audit", self._audit, ("account",)),
            ]
        return [
            Step("config", "config.yaml", self._config),
            Step("account", "Account to look inside", self._account, ("config",)),
            Step("flink key", "Key that opens Flink", lambda: self._open("flink"), ("account",)),
            Step("statements", "Flink statements", self._statements, ("flink key",)),
            Step("connection", "Bedrock connection", self._connection, ("statements",)),
            Step("keys", "Keys that open the rest", self._keys, ("statements",)),
            Step("others", "What others put there", self._others, ("connection", "keys")),
            Step("schemas", "Schemas", self._subjects, ("others",)),
            Step("topics", "Topics", self._topics, ("schemas",)),
            Step("pool", "Flink compute pool", self._pool, ("topics",)),
            Step("cluster", "Kafka cluster", self._cluster, ("topics",)),
            Step("environment", "Environment", self._environment, ("pool", "cluster")),
            Step("labels", "Statements with our label", self._labels, ("environment",)),
            Step("owner", "Service account, keys, role", self._owner, ("labels",)),
            Step("audit", "Audit", self._audit, ("owner",)),
        ]

    def _config(self) -> str:
        """Takes our block out first, so that a lab that is started meanwhile does not use what is going."""
        try:
            return clear_config(self.session, self.config)
        except Refused as error:  # a text file is no reason to let things run that cost
            self.unwritten = [str(error)]
            return "left: see below"

    def _account(self) -> Steps[str]:
        """Makes sure of an account. Without one nobody can see what others have put here, whatever an earlier run
        left of ours."""
        s = self.session
        if held := self._held_anyway():
            self.unseen = dict.fromkeys(KEY_PLANES, f"{held} keeps the environment anyway")
            return "none is made: something else keeps the environment"
        self._begin(environment.TEARDOWN_STARTED)
        try:
            identity = yield from service_account.ensure_exists(s)
            service_account.ensure_role(s)
        except (ApiError, NameTaken) as error:
            if not (isinstance(error, NameTaken) or error.status in NO_ACCOUNT):
                raise
            self.unseen = dict.fromkeys(KEY_PLANES, error.problem.rstrip("."))
            return "none: what cannot be looked into is left"
        return identity

    def _held_anyway(self) -> str:
        """Names a foreign cluster or pool, if there is one, before an account and keys are made only to look inside.

        Not while statements of ours may run, which cost, or an earlier teardown has not ended.
        """
        s = self.session
        borrowed = s.need("environment")["borrowed"]
        if self.everything or borrowed or environment.is_half(s) or s.entry.get("queries"):
            return ""
        if service_account.find(s) is not None:
            return ""
        return next(iter(foreign.find_in_control_plane(s).in_environment), "")

    def _keys(self) -> Steps[str]:
        said = yield from together([self._open(kind) for kind in ("kafka", "registry")])
        return ", ".join(said)

    def _open(self, kind: str) -> Steps[str]:
        """Makes a service ready to be asked. Only one that stands needs its key; a key whose secret was lost is
        made anew."""
        plane = KEY_PLANES[kind]
        try:
            if not self._found(kind):
                self.unseen.pop(kind, None)
                return f"no {plane} stands"
            if kind in self.unseen:
                return f"{plane}: no account to ask with"
            yield from api_keys.ensure(self.session, kind)
        except ApiError as error:
            if error.status not in ANSWERS_WHILE_DELETED:
                raise
            return self._refused(kind, error)
        except WaitTimeout as error:
            return self._refused(kind, error)
        self.usable.add(kind)
        return f"{plane}: opened"

    def _refused(self, kind: str, error: ProvisioningError) -> str:
        """Says what a refusal means. What this lab has begun to delete shows itself for a while, and takes no key
        any more."""
        if KEPT_BY[kind].isdisjoint(self.session.entry.get(environment.DELETION_STARTED) or []):
            if kind == "flink":  # statements may run, and cost: nothing else may hide that
                raise error
            self.unseen[kind] = error.problem.partition("\n")[0].rstrip(".")
            return f"{KEY_PLANES[kind]}: cannot be looked into"
        return f"{KEY_PLANES[kind]}: is going already"

    def _found(self, kind: str) -> bool:
        """Notes the address of the service, and returns whether it stands."""
        s = self.session
        if kind == "flink":
            if not s.entry.get("flink"):  # the configuration's region may be another one by now
                s.entry.put("flink", flink_region(s))
            return True
        if kind == "registry":
            standing = schema_registry.find(s)
            if standing:
                s.entry.put("registry", schema_registry.record(standing))
            return standing is not None
        found = cluster.find(s)
        if found is None or part(found, "status").get("phase") != "PROVISIONED":
            return False
        s.entry.put("cluster", cluster.record(found))
        return True

    def _statements(self) -> Steps[str]:
        if "flink" not in self.usable:
            return NO_KEY
        s = self.session
        bedrock_connection.record_ownership(s)
        ours = [str(statement["name"]) for statement in flink_statements.ours(s)]
        for name in ours:  # stop all before waiting for any: this ends the cost
            flink_statements.stop(s, name)
        yield from together([flink_statements.delete(s, name) for name in ours])
        if s.need("environment")["borrowed"] and flink_pool.find(s) and (found := cluster.find(s)):
            # The model is in the cluster's catalogue, and would stay there if Flink outlives the cluster.
            s.entry.put("cluster", cluster.record(found))
            yield from analytics_switch.drop_model(s)
        return f"{len(ours)} deleted" if ours else "none"

    def _connection(self) -> str:
        if "flink" not in self.usable:
            return NO_KEY
        found = bedrock_connection.ours(self.session)
        if found is None:
            return "none"
        bedrock_connection.delete(self.session)
        return f"deleted {found['name']}"

    def _others(self) -> Steps[str]:
        try:
            # What somebody is just stopping is waited for, in an environment of the lab's own.
            s = self.session
            end = s.clock.monotonic() + STOPPING_S
            found = foreign.find(s, self.usable)
            while found.stopping and not s.need("environment")["borrowed"] and s.clock.monotonic() < end:
                yield Waiting(f"{', '.join(found.stopping)} to stop", 5.0)
                found = foreign.find(s, self.usable)
            self.others = found
        except ApiError as error:
            if error.status not in ANSWERS_WHILE_DELETED or "environment" not in (
                self.session.entry.get(environment.DELETION_STARTED) or []
            ):
                raise
            return "the environment is going already"
        if self.everything and self.others.all:
            return (yield from self._end_others())
        return ", ".join([*self.others.all, *self.others.along]) or "nothing"

    def _end_others(self) -> Steps[str]:
        """Deletes what others made: statements first, because they cost; the rest goes with pool, cluster and
        environment."""
        s, gone = self.session, self.others
        yield from together([flink_statements.delete(s, str(one["name"])) for one in gone.statements])
        for identity in gone.pools:
            s.cloud.remove(f"{flink_pool.PATH}/{identity}", environment=s.id("environment"))
        for identity in gone.clusters:
            cluster.remove(s, identity)
        s.changes.append(f"deleted what the lab had not made: {', '.join(gone.all)}")
        self.others = foreign.ForeignResources()
        return f"deleted {', '.join(gone.all)}"

    def _subjects(self) -> str:
        if "registry" not in self.usable:
            return NO_KEY
        listed = subjects.listed(self.session, deleted=True)
        ours = foreign.our_subjects(self.session)
        standing = [name for name in ours if name in listed]
        for name in standing:
            subjects.delete(self.session, name)
        # In a lent environment only the journal knows which schemas are ours, and it may have been lost.
        others = [name for name in listed if name not in ours]
        names = {*topics.records(self.session), *self.session.desired.topics.values()}
        alike = [subject for topic in names for subject in subjects.both(topic) if subject in others]
        if alike:
            self.session.note(
                f"These schemas stay, for nothing says that this lab made them: {', '.join(sorted(alike))}. Delete "
                "them in the console if nobody needs them."
            )
        return f"{len(standing)} deleted" if standing else "none"

    def _topics(self) -> Steps[str]:
        if "kafka" not in self.usable:
            return NO_KEY
        known = [*topics.records(self.session), *self.session.desired.topics.values()]
        ours = [name for name in dict.fromkeys(known) if topics.find(self.session, name)]
        yield from together([topics.delete(self.session, name) for name in ours])
        return f"{len(ours)} deleted" if ours else "none"

    def _pool(self) -> Steps[str] | str:
        reasons = self._reasons(self.others.in_pool, "flink") if flink_pool.find(self.session) else []
        return self._unless(reasons, "the Flink pool", lambda: flink_pool.delete(self.session))

    def _cluster(self) -> Steps[str] | str:
        reasons = self._reasons(self.others.in_cluster, "kafka")
        return self._unless(reasons, "the Kafka cluster", lambda: self._going("cluster", cluster.delete))

    def _reasons(self, others: list[str], *kinds: str) -> list[str]:
        """Says why something stays."""
        held = [f"it holds what this lab did not make: {', '.join(others)}"] if others else []
        blind = [kind for kind in kinds if kind in self.unseen]
        return held + [f"{KEY_PLANES[kind]} cannot be looked into: {self.unseen[kind]}" for kind in blind]

    def _unless(self, reasons: list[str], what: str, delete: Callable[[], Steps[str]]) -> Steps[str] | str:
        if not reasons:
            return delete()
        self.left.append(f"{what}, because {'; '.join(reasons)}")
        return "left: see below"

    def _going(self, slot: str, delete: Callable[[Session], Steps[str]]) -> Steps[str]:
        """Writes into the journal before the DELETE: a later run must know why the resource answers no more."""
        self._begin(slot)
        return delete(self.session)

    def _begin(self, what: str) -> None:
        begun = self.session.entry.get(environment.DELETION_STARTED) or []
        if what not in begun:
            self.session.entry.put(environment.DELETION_STARTED, [*begun, what])

    def _environment(self) -> Steps[str] | str:
        record = self.session.need("environment")
        if record["borrowed"]:
            return f"{record['name']} is yours and stays"
        reasons = self._reasons(self.others.all, *KEY_PLANES)
        what = f"the environment {record['name']}"
        return self._unless(reasons, what, lambda: self._going("environment", self._gone))

    def _owner(self) -> str:
        """Deletes the account. It is kept while others keep the environment: its keys show what is left, and the
        next run needs it."""
        s = self.session
        if self.others.all and not s.need("environment")["borrowed"]:
            self.left.append(
                f"the service account {s.names.account} with its keys, which look inside until then"
            )
            return "stays with the environment"
        return service_account.delete(s)

    def _gone(self, session: Session) -> Steps[str]:
        identity = session.id("environment")
        session.cloud.remove(f"{environment.PATH}/{identity}")
        until = Waiter("Environment", frozenset({"gone"}), timeout=40 * MINUTE, interval=5.0)
        yield from wait(
            lambda: ("gone" if environment.recorded(session) is None else "going", None),
            until,
            session.clock,
        )
        return f"deleted {identity}"

    def _labels(self) -> str:
        """Looks once more for statements with our label, while there is a key to ask with."""
        if environment.recorded(self.session) is None or "flink" not in self.usable:
            return "none that can be asked for"
        found = [str(s["name"]) for s in flink_statements.ours(self.session)]
        self.left += [f"the Flink statement {name}" for name in found]
        return ", ".join(found) or "none"

    def _audit(self) -> str:
        if not self.left:
            self.left = audit(self.session)
        if self.left:
            # What stays for others' sake is emptied, and may be built in again; what nobody could look into
            # is not.
            if not self.unseen:
                self.session.entry.drop(environment.DELETION_STARTED)
            self.session.entry.put(LEFT, self.left)
        else:
            self.session.entry.forget()
        self.left += self.unwritten
        return f"{len(self.left)} left" if self.left else "nothing is left"
