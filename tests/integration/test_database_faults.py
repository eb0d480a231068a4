"""A database that takes no writes for a while, in mid-race: locked by somebody, or its disk full. Worker and web are
processes of their own beside a real Kafka.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.services.registry_http import Served
from bench.services.system import System
from races.models.race import RESERVE
from races.streams.config import StreamSettings
from tests.fakes.database import locked
from tests.fakes.small_disk import SmallDisk, small_disk
from tests.fakes.waiting import wait_for
from tests.integration.checks import check_ended, check_records, goes_on, health, lives, on, positions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
AWAY_S = 10.0  # longer than a lease


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "system" / "var", "32m") as found:
        yield found


@pytest.fixture
def system_on_disk(
    tmp_path: Path, disk: SmallDisk, streams: StreamSettings, registry: Served
) -> Iterator[System]:
    with System(tmp_path / "system", streams, registry.url, disk.inside) as found:
        yield found


def check_health_says(base: str, words: str) -> None:
    """Waits until /healthz says the words, and then checks for ten seconds that no process ends."""
    end = time.monotonic() + AWAY_S
    wait_for(
        lambda: words in health(base)[1]["database"].get("error", ""), f"health says so: {health(base)}", 9
    )
    assert health(base)[0] == 503
    while time.monotonic() < end:
        assert lives(base)
        time.sleep(0.5)


def test_locked_database_costs_no_tick(system: System, streams: StreamSettings, registry: Served) -> None:
    worker, (_, base) = system.worker(), system.web()
    race_id = on(system, base)
    with locked(system.database):
        tick = system.status(base, race_id)["tick"]
        check_health_says(base, "locked")
        assert system.status(base, race_id)["tick"] < tick + 2 * RESERVE, "fifty were due"
    goes_on(system, base, race_id, f"database locked for {AWAY_S:.0f} s")
    ticks = check_ended(system, base, race_id)
    assert worker.poll() is None
    check_records(positions(streams, registry, race_id), ticks)


def test_full_disk_costs_no_tick(
    system_on_disk: System, disk: SmallDisk, streams: StreamSettings, registry: Served
) -> None:
    system = system_on_disk
    worker, (_, base) = system.worker(), system.web()
    race_id = on(system, base)
    disk.fill()
    try:
        check_health_says(base, "full")
        assert "History waits: database or disk is full" in system.logs()
    finally:
        disk.free()
    goes_on(system, base, race_id, f"disk full for {AWAY_S:.0f} s")
    system.until(base, race_id, "finished", 150)
    copy = disk.copied("db.sqlite3", system.folder / "copy.sqlite3")
    ticks = check_ended(system, base, race_id, copy)
    assert worker.poll() is None
    check_records(positions(streams, registry, race_id), ticks)
