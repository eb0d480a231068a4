"""While the analytics wait for the registry, the worker's other threads do not wait for the analytics."""

from __future__ import annotations

import threading
import time
from typing import Any

from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.consumer import Message
from races.worker.analytics_runner import BACKLOG, BACKLOG_BYTES, AnalyticsRunner, Backlog
from tests.streams.records import POSITION, RACE
from tests.streams.slow import Slow

SETTINGS = embedded_settings("unused:9092")


class Engine:
    over = ended = False

    def __init__(self) -> None:
        self.fed: list[dict[str, Any]] = []

    def feed(self, role: str, record: dict[str, Any], key: str) -> list[Any]:
        self.fed.append(record)
        return []


def test_a_lease_is_kept_though_the_registry_takes_its_time() -> None:
    registry, engine = Slow(), Engine()
    data = Codec(SETTINGS, registry).encode("positions", POSITION)
    analytics = AnalyticsRunner(None, Codec(SETTINGS, registry), None, frozenset())  # type: ignore[arg-type]
    analytics._races[RACE.encode()] = (engine, None)  # type: ignore[assignment]
    message = Message("positions", 0, 0, RACE.encode(), data, 1)
    reader = threading.Thread(target=analytics.take_patiently, args=(message,))
    reader.start()
    assert registry.asked.wait(5)
    began = time.monotonic()
    analytics.forget("another")  # as the keeper of leases does
    assert time.monotonic() - began < 1.0
    registry.answer.set()
    reader.join(10)
    assert engine.fed == [POSITION]
    assert analytics.error == ""


def kept(count: int, size: int) -> Backlog:
    found = Backlog()
    for number in range(count):
        found.add(Message("positions", 0, number, b"race", bytes(size), number))
    return found


def test_waiting_records_are_bounded() -> None:
    assert len(kept(BACKLOG + 10, 100).messages) == BACKLOG
    large = kept(100, 256 * 1024)
    assert sum(message.size for message in large.messages) <= BACKLOG_BYTES
    assert large.dropped_until == 99 - len(large.messages), "the past has to reach as far"
    assert large.messages[-1].timestamp_ms == 99
