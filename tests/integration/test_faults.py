"""A real Kafka, a registry and workers that go away in mid-race and come back: nothing lost, all of it told."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.services.kafka import RealKafka
from bench.services.registry_http import Served
from bench.services.system import System
from races.streams.config import StreamSettings
from tests.fakes.expected import check_published
from tests.fakes.waiting import wait_for
from tests.integration.checks import (
    check_ended,
    check_records,
    goes_on,
    lives,
    on,
    positions,
    told_alone,
    told_away,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
AWAY_S = 30.0


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[RealKafka]:
    """One of the test's own: it is stopped and wiped."""
    folder = tmp_path / "kafka"
    folder.mkdir()
    found = RealKafka(folder)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def streams(kafka: RealKafka, registry: Served) -> StreamSettings:
    return kafka.settings(registry.url)


def test_restarted_broker_loses_no_tick(
    system: System, kafka: RealKafka, streams: StreamSettings, registry: Served
) -> None:
    system.worker()
    _, base = system.web()
    race_id = on(system, base)
    kafka.stop()
    end = time.monotonic() + AWAY_S
    told_away(base, "kafka")
    while time.monotonic() < end:
        assert lives(base)
        time.sleep(1)
    kafka.start()
    goes_on(system, base, race_id, f"broker away for {AWAY_S:.0f} s")
    ticks = check_ended(system, base, race_id)
    check_records(positions(streams, registry, race_id), ticks)


def test_empty_broker_ends_with_history(
    system: System, kafka: RealKafka, streams: StreamSettings, registry: Served
) -> None:
    system.worker()
    _, base = system.web()
    race_id = on(system, base)
    kafka.stop()
    kafka.wipe()
    told_away(base, "kafka")
    kafka.start()
    goes_on(system, base, race_id, "broker wiped", 90)
    ticks = check_ended(system, base, race_id)
    again = positions(streams, registry, race_id)
    first = min(record["tick"] for record in again)
    assert first > 0, "what it had before is gone"
    check_published(again, ticks, first)


def test_lost_registry_costs_nothing(system: System, streams: StreamSettings, registry: Served) -> None:
    system.worker()
    _, base = system.web()
    race_id = on(system, base, "--laps", "12")
    registry.down = True
    told_away(base, "registry", seconds=15)
    tick = system.status(base, race_id)["tick"]
    wait_for(lambda: system.status(base, race_id)["tick"] > tick + 10, "the race goes on without it", 30)
    registry.down = False
    goes_on(system, base, race_id, "registry away in mid-race")
    ticks = check_ended(system, base, race_id)
    check_records(positions(streams, registry, race_id), ticks)


def test_registry_down_at_start_is_awaited(system: System, streams: StreamSettings, registry: Served) -> None:
    registry.down = True
    system.worker()
    _, base = system.web()
    race_id = system.race()
    wait_for(lambda: "registry" in system.status(base, race_id)["waiting_for"], "the race says why", 60)
    told_away(base, "registry")
    registry.down, back = False, time.monotonic()
    wait_for(lambda: system.status(base, race_id)["tick"] > 0, "it starts", 60)
    print(f"\nregistry down at the start: racing {time.monotonic() - back:.1f} s after it was up")
    ticks = check_ended(system, base, race_id)
    check_records(positions(streams, registry, race_id), ticks)


def test_suspended_worker_says_nothing(system: System, streams: StreamSettings, registry: Served) -> None:
    first = system.worker()
    _, base = system.web()
    race_id = on(system, base)
    first.send_signal(signal.SIGSTOP)
    try:
        told_alone(base)
        system.worker()
        goes_on(system, base, race_id, "worker suspended")
    finally:
        first.send_signal(signal.SIGCONT)
    ticks = check_ended(system, base, race_id)
    assert first.poll() is None
    check_records(positions(streams, registry, race_id), ticks)
