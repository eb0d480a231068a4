"""Races on a real Apache Kafka, with workers and webs in processes of their own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bench.services.registry_http import Served
from bench.services.system import System
from races.streams.config import StreamSettings
from tests.fakes.waiting import wait_for
from tests.integration.checks import (
    check_ended,
    check_records,
    goes_on,
    health,
    positions,
    told_alone,
)
from tests.integration.postgres import PostgreSQL

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
LEASE_S = 6.0


def test_killed_worker_is_followed(system: System, streams: StreamSettings, registry: Served) -> None:
    first = system.worker()
    _, base = system.web("daphne")
    race_id = system.race("--laps", "9")
    wait_for(lambda: system.status(base, race_id)["tick"] > 40, "the race is on", 60)
    system.worker()
    wait_for(lambda: len(health(base)[1]["worker"]["workers"]) == 2, "the other one is there", 30)
    first.kill()
    killed_at = time.monotonic()
    tick = system.status(base, race_id)["tick"]

    def well_and_further() -> bool:
        status, body = health(base)
        assert (status, body["worker"]["ok"]) == (200, True), body
        return bool(system.status(base, race_id)["tick"] > tick + 20)

    wait_for(well_and_further, "another worker goes on", 40)
    print(
        f"\nfrom kill -9 to 20 further ticks: {time.monotonic() - killed_at:.1f} s (the lease runs {LEASE_S:.0f} s)"
    )
    ticks = check_ended(system, base, race_id)
    check_records(positions(streams, registry, race_id), ticks)


def test_webs_say_that_no_worker_is_left(system: System, streams: StreamSettings, registry: Served) -> None:
    _, base = system.web("daphne")
    assert "error" not in health(base)[1]["worker"], "before the first worker there is nothing to record"
    worker = system.worker()
    race_id = system.race("--laps", "5")
    wait_for(lambda: system.status(base, race_id)["tick"] > 40, "the race is on", 60)
    assert health(base)[0] == 200
    worker.kill()
    told_alone(base)
    system.worker()
    goes_on(system, base, race_id, "no worker at all, its start included")
    ticks = check_ended(system, base, race_id)
    check_records(positions(streams, registry, race_id), ticks)


def test_killed_web_costs_nothing(system: System, streams: StreamSettings, registry: Served) -> None:
    system.worker()
    web, base = system.web("uvicorn")
    _, other = system.web("daphne")
    race_id = system.race("--laps", "4")
    wait_for(lambda: system.status(base, race_id)["tick"] > 20, "the race is on", 60)
    wait_for(lambda: health(other)[0] == 200, "all is well", 30)
    web.kill()
    tick = system.status(other, race_id)["tick"]
    while system.status(other, race_id)["tick"] < tick + 20:
        assert health(other)[0] == 200, health(other)
    ticks = check_ended(system, other, race_id)
    check_records(positions(streams, registry, race_id), ticks)


def test_the_lab_runs_on_postgresql(
    tmp_path: Path, streams: StreamSettings, registry: Served, postgres: PostgreSQL
) -> None:
    with System(tmp_path / "system", streams, registry.url, DATABASE_URL=postgres.url) as system:
        system.worker()
        _, base = system.web("daphne")
        race_id = system.race("--laps", "1", "--pace", "60")
        assert len(system.until(base, race_id, "finished")["classification"]) == 22
        assert json.loads(system.manage("prune_races", "--keep", "0").split()[0]) == 1
