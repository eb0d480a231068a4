from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from races.flink.cluster import Cluster
from races.flink.gateway import Gateway
from races.flink.tables import Place
from races.sql.execution import Limits, Statement
from races.sql.self_hosted import SelfHosted
from races.sql.service import Start
from races.sql.statements import Piece
from races.sql.workspace import Workspace
from tests.fakes.flink_gateway import FakeGateway, fake_gateway
from tests.fakes.waiting import wait_for

TOPICS = {"positions": "f1-driver-positions", "avg_speed": "f1-driver-avg-speed"}


@dataclass
class Desk:
    """A workspace on the fake gateway, and a person at it. ahead: seconds that its clock is turned on."""

    fake: FakeGateway
    topics: list[str] = field(default_factory=list)
    ahead: float = 0.0
    workspace: Workspace = field(init=False)

    def start(self, **limits: Any) -> None:
        self.workspace = Workspace(self.service(), lambda: time.monotonic() + self.ahead, Limits(**limits))

    def service(self, public: Callable[[str], str] = str) -> SelfHosted:
        place = Place("127.0.0.1:9092", "http://127.0.0.1:8081")
        return SelfHosted(
            Gateway(self.fake.url),
            Cluster(self.fake.url),
            place,
            TOPICS,
            "test",
            self.topics.append,
            public,
        )

    def run(self, sql: str, who: str = "ann") -> Statement:
        return self.workspace.run(who, Piece(sql, 0), Start())

    def until(self, statement: Statement, *states: str) -> Statement:
        wait_for(lambda: statement.state in states, f"{statement.sql}: {states}, is {statement.state}")
        return statement

    def rows(self, statement: Statement, count: int) -> list[list[Any]]:
        wait_for(lambda: statement.total >= count, f"{count} changes of {statement.sql}")
        return statement.after(0, count)[1]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with fake_gateway() as fake:
        made = Desk(fake)
        made.start()
        yield made
        made.workspace.close()
