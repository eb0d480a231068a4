"""An embedded Kafka and workers, recorders in threads, as runlab has them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.test import Client

from races.lab.components import Components, make_components
from races.models import Race
from races.models.creation import Choice, create_race
from races.recorder.recorder import Recorder
from races.streams import connection
from races.streams.config import embedded_settings
from races.streams.connection import Connection
from races.streams.consumer import Tail
from races.streams.embedded import EmbeddedKafka
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES, RECORDED_ROLES
from tests.fakes.waiting import wait_for


@pytest.fixture(name="kafka")
def kafka_fixture() -> Iterator[Connection]:
    with EmbeddedKafka(DEFAULT_NAMES.values()) as cluster:
        found = connection.connect(embedded_settings(cluster.bootstrap), Registry())
        connection.use(found)
        yield found
        connection.use(None)


@contextmanager
def running(components: Components) -> Iterator[Components]:
    """Worker, analytics and recorder of one process. One that dies fails the test."""
    deaths: list[str] = []
    components.start(deaths.append)
    try:
        yield components
    finally:
        components.stop()
    assert not deaths


@contextmanager
def recording(kafka: Connection) -> Iterator[Recorder]:
    recorder = Recorder(
        lambda start, incarnation: kafka.tail(RECORDED_ROLES, start, incarnation), kafka.codec
    )
    thread = threading.Thread(target=recorder.run)
    thread.start()
    try:
        yield recorder
    finally:
        recorder.stop()
        thread.join(10)


def health() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/healthz")
    return answer.status_code, answer.json()


def short_race(seed: int = 1, **choice: Any) -> Race:
    """A lap or two at full pace: a few seconds."""
    fields: dict[str, Any] = {"circuit": "spielberg", "laps": 1, "pace": 60, "seed": seed} | choice
    return create_race(Choice("NOR", **fields))


def ended(race: Race, seconds: float = 40.0) -> Race:
    def look() -> bool:
        race.refresh_from_db()
        return not race.is_active

    wait_for(look, f"{race} ends", seconds)
    return race


class Records:
    """Everything that was ever on some topics, read again from their beginning."""

    def __init__(self, kafka: Connection, role: str) -> None:
        self._kafka, self._role = kafka, role

    def read(self, enough: Callable[[list[dict[str, Any]]], bool] = bool) -> list[dict[str, Any]]:
        with ExitStack() as stack:
            tail: Tail = self._kafka.tail([self._role], "beginning")
            stack.callback(tail.close)
            records: list[dict[str, Any]] = []

            def look() -> bool:
                found = tail.poll(5000, 0.1)
                records.extend(
                    self._kafka.codec.decode(self._role, m.value) | {"_at": m.timestamp_ms, "_bytes": m.value}
                    for m in found
                )
                return not found and enough(records)

            wait_for(look, f"records on {self._role}")
            return records


@pytest.fixture(name="components")
def components_fixture(kafka: Connection) -> Iterator[Components]:
    with running(make_components(kafka)) as found:
        yield found
