"""Duplicated, reordered, late, missing and foreign records, and a clock that steps, on a real Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.services.kafka import RealKafka
from bench.services.registry_http import Served
from races.streams import connection
from races.streams.admin import ensure_topics
from races.streams.config import with_topics
from races.streams.connection import Connection
from tests.fakes import stories
from tests.streams.contract import fresh_names

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def kafka(real_kafka: RealKafka, registry: Served) -> Iterator[Connection]:
    settings = with_topics(real_kafka.settings(registry.url), fresh_names())
    ensure_topics(settings)
    found = connection.connect(settings)
    connection.use(found)
    yield found
    connection.use(None)


def test_duplicates_make_the_same_history(kafka: Connection) -> None:
    stories.duplicated_and_reordered(kafka)


def test_late_and_missing_ticks(kafka: Connection) -> None:
    stories.late_and_missing(kafka)


def test_older_and_newer_schemas(kafka: Connection, registry: Served) -> None:
    stories.other_schemas(kafka, registry.registry)


@pytest.mark.parametrize("step_s", [-60, 60])
def test_stepping_clock_changes_no_record(kafka: Connection, step_s: int) -> None:
    stories.stepped_clock(kafka, step_s)
