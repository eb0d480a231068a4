from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.kafka import RealKafka
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
def postgres() -> Iterator[PostgreSQL]:
    database = PostgreSQL()
    yield database
    database.stop()
