"""The client of the SQL gateway, and the workspace's examples, on Flink's own gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.services.flink import RealFlink
from bench.services.waiting import wait_for
from races.flink.gateway import Gateway, Page
from races.flink.tables import Place
from races.sql.examples import Example, examples
from races.sql.self_hosted import OwnSession, SelfHosted
from races.sql.service import Start
from races.sql.statements import split
from races.streams.topics import DEFAULT_NAMES
from tests.flink.gateway_contract import GatewayContract

pytestmark = pytest.mark.integration
NOWHERE = Place("127.0.0.1:1", "http://127.0.0.1:1")  # what only plans asks neither


class TestRealGateway(GatewayContract):
    @pytest.fixture
    def gateway(self, real_flink: RealFlink) -> Gateway:
        return real_flink.gateway


@pytest.fixture(scope="module")
def session(real_flink: RealFlink) -> Iterator[OwnSession]:
    topics: list[str] = []
    service = SelfHosted(
        real_flink.gateway, real_flink.cluster, NOWHERE, DEFAULT_NAMES, "test", topics.append
    )
    opened = service.open("ann")
    yield opened
    opened.close()
    assert topics == ["my-overtakes"]


def answered(session: OwnSession, sql: str) -> Page:
    running = session.start(sql, Start())
    pages: list[Page] = []

    def look() -> bool:
        pages.append(running.fetch())
        return pages[-1].ready and bool(pages[-1].changes)

    wait_for(look, sql, 60)
    running.stop()
    return pages[-1]


@pytest.mark.parametrize("example", examples(DEFAULT_NAMES), ids=lambda one: one.name)
def test_example_is_planned(session: OwnSession, example: Example) -> None:
    """Each statement that makes something is run, each that reads is planned, as the workspace has its tables."""
    for piece in split(example.sql):
        is_made = piece.sql.startswith("CREATE")
        page = answered(session, piece.sql if is_made else f"EXPLAIN {piece.sql}")
        assert page.changes[0].fields[0] == "OK" or "Optimized Execution Plan" in str(
            page.changes[0].fields[0]
        )
