"""One person with one machine: a journal, a config.yaml, a clock that moves when it is slept on, and a stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from provisioning.claim import claim
from provisioning.clock import Clock
from provisioning.opening import open_session
from provisioning.progress import Silent
from provisioning.provision import steps
from provisioning.runner import run
from provisioning.session import Session
from provisioning.standin import Standin, Timings, picture
from provisioning.teardown import Teardown
from provisioning.waiting import drive
from provisioning.wanted import Aws, Credentials, Wanted
from races.streams.topics import DEFAULT_NAMES
from tests.provisioning import openapi
from tests.provisioning.nearby import Nearby

# What takes time on the real thing takes time here, but no longer than it must to be waited for once.
SHORT = Timings(
    cluster=8.0,
    cluster_gone=8.0,
    registry=4.0,
    pool=6.0,
    pool_gone=6.0,
    environment_gone=4.0,
    key=3.0,
    key_nodes=(True, False),
    binding=3.0,
    topic_gone=4.0,
    statement=2.0,
    stop=1.0,
    statement_gone=1.0,
    listed=2.0,
    unlisted=10.0,
)
AWS = Aws("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY")
NOTHING: dict[str, Any] = {"environments": {}, "accounts": [], "bindings": [], "keys": []}


@dataclass
class Hands:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def turn(self, seconds: float) -> None:
        self.seconds += seconds


def wish(**changes: Any) -> Wanted:
    """Everything on: Flink, the anomaly feature, AWS keys."""
    whole = Wanted(
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
class Bench:
    """answer: what the person says to a question. key, secret: of the Cloud API key; the stand-in's own if empty."""

    standin: Standin
    hands: Hands
    folder: Path
    wanted: Wanted = field(default_factory=wish)
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
        return Clock(sleep=self.hands.turn, monotonic=self.hands)

    def session(self, adopt: str = "", by_name: bool = False) -> Session:
        credentials = Credentials(
            self.standin.url, self.key or self.standin.key, self.secret or self.standin.secret
        )
        return open_session(
            self.wanted,
            credentials,
            self.journal,
            self._ask,
            self.clock,
            adopt=adopt,
            session=Nearby(self.standin),
            by_name=by_name,
            unattended=self.unattended,
        )

    def provision(self, adopt: str = "") -> Session:
        session = self.session(adopt, by_name=True)
        run(steps(session, self.config, lambda _: "not tried"), session.clock, Silent())
        return session

    def teardown(self, adopt: str = "") -> list[str]:
        """What is left."""
        session = self.session(adopt)
        if not drive(claim(session), session.clock):
            return []
        down = Teardown(session, self.config)
        run(down.steps(), session.clock, Silent())
        self.notes = session.notes
        return down.left

    def picture(self) -> dict[str, Any]:
        return picture(self.standin.state)

    def journalled_keys(self) -> dict[str, str]:
        """Key id -> secret, of everything in the journal."""
        entries = json.loads(self.journal.read_text()).values() if self.journal.exists() else []
        return {key["id"]: key["secret"] for entry in entries for key in entry.get("keys", {}).values()}

    def living_keys(self) -> dict[str, str]:
        """Key id -> secret, of the keys that stand and are no stranger's."""
        alive = self.standin.state.alive(self.standin.state.keys.values())
        return {key.id: key.secret for key in alive if not key.stranger}

    def _ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer


@contextmanager
def bench(folder: Path, timings: Timings = SHORT, **changes: Any) -> Iterator[Bench]:
    hands = Hands()
    standin = Standin(timings, clock=hands, kafka=False)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield Bench(standin, hands, folder, wish(**changes))
        assert openapi.problems(standin.calls) == []
    finally:
        standin.stop()
