"""The same contract on a real Apache Kafka, so that the embedded cluster cannot drift from it."""

from __future__ import annotations

import pytest

from bench.services.kafka import RealKafka
from races.streams.admin import ensure_topics
from races.streams.config import StreamSettings
from tests.streams.contract import StreamsContract
from tests.streams.reader_contract import ReaderContract

pytestmark = pytest.mark.integration


class TestApacheKafka(ReaderContract, StreamsContract):
    @pytest.fixture
    def broker(self, real_kafka: RealKafka) -> StreamSettings:
        return real_kafka.settings()

    def make_topics(self, settings: StreamSettings) -> None:
        ensure_topics(settings)
