from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.services.flink import RealFlink
from bench.services.kafka import RealKafka
from bench.services.registry_http import Served, serve
from bench.services.system import System
from races.streams.config import StreamSettings
from races.streams.registry.service import Registry
from tests.integration.postgres import PostgreSQL


@pytest.fixture(scope="session")
def real_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKafka]:
    """One for all tests that only use it; who stops or wipes a broker starts one of their own."""
    kafka = RealKafka(tmp_path_factory.mktemp("kafka"))
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.stop()


@pytest.fixture(scope="session")
def real_flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFlink]:
    """One for all tests that only use it; who kills a Flink starts one of their own."""
    flink = RealFlink(tmp_path_factory.mktemp("flink"))
    try:
        flink.start()
        yield flink
    finally:
        flink.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    database = PostgreSQL()
    yield database
    database.stop()


@pytest.fixture
def registry() -> Iterator[Served]:
    with serve(Registry()) as served:
        yield served


@pytest.fixture
def streams(real_kafka: RealKafka, registry: Served, request: pytest.FixtureRequest) -> StreamSettings:
    """Topics of the test's own."""
    prefix = f"t{abs(hash(request.node.nodeid)) % 10**8}-"
    names = {role: prefix + role for role in real_kafka.settings().topics}
    return real_kafka.settings(registry.url, names)


@pytest.fixture
def system(tmp_path: Path, streams: StreamSettings, registry: Served) -> Iterator[System]:
    with System(tmp_path / "system", streams, registry.url) as found:
        yield found
