"""One person with one machine: a journal, a config.yaml, a clock that moves when it is slept on, and a stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from provisioning.apply import steps
from provisioning.clock import Clock
from provisioning.config import Aws, Credentials, DesiredState
from provisioning.destroy import Destroy
from provisioning.ownership import resolve_ownership
from provisioning.progress import Silent
from provisioning.session import Session, open_session
from provisioning.standin import Answers, Latencies, Standin, administrator
from provisioning.steps import drive, run
from races.streams.topics import DEFAULT_NAMES
from tests.fakes import openapi
from tests.fakes.in_process_session import InProcessSession
from tests.fakes.standin_snapshot import snapshot

# What takes time on the real thing takes time here, but no longer than it must to be waited for once.
SHORT = Latencies(
    cluster=8.0,
    cluster_gone=8.0,
    registry=4.0,
    pool=6.0,
    pool_gone=6.0,
    environment_gone=4.0,
    key=3.0,
    key_nodes=(True, False),
    key_flaps=40.0,
    binding=3.0,
    topic_gone=4.0,
    first_statement=40.0,
    statement=2.0,
    stop=1.0,
    statement_gone=1.0,
    listed=2.0,
    unlisted=10.0,
)
AWS = Aws("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY")
NOTHING_STANDS: dict[str, Any] = {"environments": {}, "accounts": [], "bindings": [], "keys": []}


@dataclass
class ManualClock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


def desired_state(**changes: Any) -> DesiredState:
    """Everything on: Flink, the anomaly feature, AWS keys."""
    whole = DesiredState(
        environment_name="f1-leaderboard-env",
        environment_id="",
        cloud="AWS",
        region="us-east-2",
        cluster_name="f1-leaderboard-cluster",
        pool_name="f1-leaderboard-flink-pool",
        max_cfu=5,
        bedrock_region="us-east-1",
        bedrock_model="",
        topics=DEFAULT_NAMES,
        anomalies=True,
        engine="flink",
        aws=AWS,
    )
    return replace(whole, **changes)


@dataclass
class Laptop:
    """answer: what the person says to a question. key, secret: of the Cloud API key; the stand-in's own if empty."""

    standin: Standin
    manual_clock: ManualClock
    folder: Path
    desired: DesiredState = field(default_factory=desired_state)
    answer: bool = True
    key: str = ""
    secret: str = ""
    unattended: bool = False
    questions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.folder / ".confluent" / "journal.json"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def clock(self) -> Clock:
        return Clock(sleep=self.manual_clock.advance, monotonic=self.manual_clock)

    def session(self, adopt: str = "", by_name: bool = False) -> Session:
        credentials = Credentials(
            self.standin.url, self.key or self.standin.key, self.secret or self.standin.secret
        )
        return open_session(
            self.desired,
            credentials,
            self.journal,
            self._ask,
            self.clock,
            adopt=adopt,
            session=InProcessSession(self.standin),
            by_name=by_name,
            unattended=self.unattended,
        )

    def provision(self, adopt: str = "") -> Session:
        session = self.session(adopt, by_name=True)
        run(steps(session, self.config, lambda _: "not tried"), session.clock, Silent())
        return session

    def teardown(self, adopt: str = "", everything: bool = False) -> list[str]:
        """What is left."""
        session = self.session(adopt)
        if not drive(resolve_ownership(session), session.clock):
            return []
        down = Destroy(session, self.config, everything=everything)
        run(down.steps(), session.clock, Silent())
        self.notes = session.notes
        return down.left

    @property
    def aws_secret(self) -> str:
        return self.desired.aws.secret_key if self.desired.aws else ""

    def use_other_aws_keys(self) -> None:
        self.desired = replace(self.desired, aws=Aws(AWS.access_key, AWS.secret_key[::-1]))

    def snapshot(self) -> dict[str, Any]:
        return snapshot(self.standin.state)

    def journalled_keys(self) -> dict[str, str]:
        """Key id -> secret, of everything in the journal."""
        entries = json.loads(self.journal.read_text()).values() if self.journal.exists() else []
        return {key["id"]: key["secret"] for entry in entries for key in entry.get("keys", {}).values()}

    def living_keys(self) -> dict[str, str]:
        """Key id -> secret, of the keys that stand and are no stranger's."""
        alive = self.standin.state.alive(self.standin.state.keys.values())
        return {key.id: key.secret for key in alive if not key.foreign}

    def _ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer


@contextmanager
def new_laptop(
    folder: Path, latencies: Latencies = SHORT, answers: Answers | None = None, **changes: Any
) -> Iterator[Laptop]:
    manual_clock = ManualClock()
    standin = Standin(latencies, clock=manual_clock, kafka=False, answers=answers)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield Laptop(standin, manual_clock, folder, desired_state(**changes))
        assert openapi.problems(standin.calls) == []
    finally:
        standin.stop()


def colleague(laptop: Laptop, folder: Path, **changes: object) -> Laptop:
    """Another laptop in the same organisation, with a Cloud API key of their own."""
    key, secret = f"KEY{folder.name.upper()}", "cfltAnotherPersonsSecretOfNoAccount"
    if key not in laptop.standin.state.keys:
        administrator.add_cloud_key(laptop.standin.state, key, secret, f"u-{folder.name}")
        administrator.add_role(laptop.standin.state, f"u-{folder.name}")
    folder.mkdir(parents=True, exist_ok=True)
    return Laptop(
        laptop.standin, laptop.manual_clock, folder, desired_state(**changes), key=key, secret=secret
    )
