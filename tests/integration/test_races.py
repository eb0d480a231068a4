"""Races on a real Apache Kafka, with workers and webs in processes of their own."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path

import pytest
import websockets
from websockets.typing import Origin

from races.health import NOBODY, WORKER_SEEN
from races.management.commands.trace_tick import WORDS
from races.streams.config import StreamSettings
from races.tracing import STAGES
from tests.conftest import wait_for
from tests.integration.checks import (
    check_ended,
    check_records,
    goes_on,
    health,
    positions,
    told_away,
)
from tests.integration.java import free_port
from tests.integration.postgres import PostgreSQL
from tests.integration.system import System
from tests.streams.registry_http import Served

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
LEASE_S = 6.0


def test_a_worker_killed_in_mid_race_is_followed_by_another(
    system: System, streams: StreamSettings, registry: Served
) -> None:
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


def test_webs_tell_that_no_worker_is_left_until_there_is_one_again(
    system: System, streams: StreamSettings, registry: Served
) -> None:
    _, base = system.web("daphne")
    assert health(base)[1]["recorder"]["ok"], "before the first worker there is nothing to record"
    worker = system.worker()
    race_id = system.race("--laps", "6")
    wait_for(lambda: system.status(base, race_id)["tick"] > 40, "the race is on", 60)
    assert health(base)[0] == 200
    worker.kill()
    told_away(base, "recorder", NOBODY, WORKER_SEEN.total_seconds() + 3)
    assert health(base)[1]["worker"] == {"ok": False, "workers": []}
    system.worker()
    goes_on(system, base, race_id, "no worker at all, its start included")
    ticks = check_ended(system, base, race_id)
    check_records(positions(streams, registry, race_id), ticks)


def test_two_webs_under_two_servers_show_the_same_race(system: System) -> None:
    port = free_port()
    system.worker("--metrics-port", str(port))
    bases = [system.web(server)[1] for server in ("daphne", "uvicorn")]
    race_id = system.race()
    wait_for(lambda: system.status(bases[0], race_id)["tick"] > 20, "the race is on", 60)

    async def watch(base: str) -> list[int]:
        url = f"ws://{base}/ws/races/{race_id}/"
        ticks: list[int] = []
        async with websockets.connect(url, origin=Origin(f"http://{base}"), max_size=None) as page:
            snapshot = str(await page.recv())
            assert 'id="tower"' in snapshot
            while len(ticks) < 15:
                if found := re.search(r'data-tick="(\d+)"', str(await asyncio.wait_for(page.recv(), 10))):
                    ticks.append(int(found[1]))
        return ticks

    async def both() -> list[list[int]]:
        return await asyncio.gather(*(watch(base) for base in bases))

    for ticks in asyncio.run(both()):
        assert ticks == list(range(ticks[0], ticks[0] + 15))
    said = system.manage("trace_tick", race_id, "--lab", f"http://{bases[1]}", "--tick", str(ticks[-1]))
    assert "The worker is another process" in said
    ways = dict(re.findall(r"^  (\w.*?)  +([\d.]+) ", said, re.M))
    assert set(ways) == {WORDS[stage] for stage in ("due", "read", "shown", "delivered")}
    assert 0 < float(ways[WORDS["read"]]) < float(ways[WORDS["delivered"]]) < 5_000
    said = system.manage(
        "trace_tick", race_id, "--lab", f"http://{bases[1]}", "--tick", str(ticks[-1]),
        "--worker", f"http://127.0.0.1:{port}",
    )  # fmt: skip
    whole = {name: float(ms) for name, ms in re.findall(r"^  (\w.*?)  +([\d.]+) ", said, re.M)}
    assert list(whole) == [WORDS[stage] for stage in STAGES]
    assert sorted(whole.values()) == list(whole.values())


def test_a_web_that_is_killed_costs_the_race_nothing(
    system: System, streams: StreamSettings, registry: Served
) -> None:
    system.worker()
    web, base = system.web("uvicorn")
    _, other = system.web("daphne")
    race_id = system.race()
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
