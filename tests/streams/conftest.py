from __future__ import annotations

from collections.abc import Iterator

import pytest

from races.streams.embedded import EmbeddedKafka


@pytest.fixture(scope="package")
def embedded() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as kafka:
        yield kafka
