"""What is asked of races and of the processes around them, before and after something went wrong."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import requests

from bench.services.registry_http import Served
from bench.services.system import System
from races.health.views import NOBODY, WORKER_SEEN
from races.streams import connection
from races.streams.config import StreamSettings
from races.streams.connection import Connection
from tests.fakes.database import frames, race_of
from tests.fakes.expected import Tick, check_answer, check_frames, check_published, expected_ticks
from tests.fakes.waiting import wait_for


def health(base: str) -> tuple[int, dict[str, Any]]:
    answer = requests.get(f"http://{base}/healthz", timeout=20)
    return answer.status_code, answer.json()


def lives(base: str) -> bool:
    return requests.get(f"http://{base}/livez", timeout=20).status_code == 200


def on(system: System, base: str, *options: str) -> str:
    race_id = system.race("--laps", "8", *options)
    wait_for(lambda: system.status(base, race_id)["tick"] > 30, "the race is on", 60)
    return race_id


def goes_on(system: System, base: str, race_id: str, what: str, seconds: float = 60) -> None:
    """From the fault's end to twenty further ticks, printed."""
    began, tick = time.monotonic(), system.status(base, race_id)["tick"]
    system.wait(lambda: system.status(base, race_id)["tick"] > tick + 20, f"it goes on after {what}", seconds)
    print(f"\n{what}: 20 further ticks {time.monotonic() - began:.1f} s after its end")
    wait_for(lambda: health(base)[0] == 200, f"health after {what}: {health(base)}", 60)


def told_away(base: str, part: str, words: str = "", seconds: float = 40) -> None:
    """/healthz names the part with 503, and the process lives."""

    def named() -> bool:
        status, body = health(base)
        return status == 503 and words in body[part].get("error", "") and not body[part]["ok"]

    wait_for(named, f"it is told of {part}: {health(base)}", seconds)
    assert lives(base)


def told_alone(base: str) -> None:
    """/healthz says that a race is on and no worker is there; a web without one stays in service."""
    alone = {"ok": False, "workers": [], "error": NOBODY}
    wait_for(lambda: health(base)[1]["worker"] == alone, "it is told", WORKER_SEEN.total_seconds() + 3)
    assert health(base)[0] == 200
    assert lives(base)


def check_ended(system: System, base: str, race_id: str, database: Path | None = None) -> list[Tick]:
    """History, classification and API are the simulation's, whose ticks are returned."""
    answer = system.until(base, race_id, "finished", 150)
    database = database or system.database
    ticks = expected_ticks(race_of(database, race_id))
    check_frames(frames(database, race_id), ticks)
    check_answer(answer, ticks)
    assert answer["missing_ticks"] == 0
    return ticks


def positions(streams: StreamSettings, registry: Served, race_id: str) -> list[dict[str, Any]]:
    """Every position record of the race, up to its last tick."""
    kafka: Connection = connection.connect(streams, registry.registry)
    tail = kafka.tail(["positions"], "beginning")
    records: list[dict[str, Any]] = []

    def whole() -> bool:
        found = tail.poll(5000, 0.2)
        for message in found:
            record = kafka.codec.decode("positions", message.value)
            if record["race_id"] == race_id:
                records.append(record | {"_bytes": message.value, "_at": message.timestamp_ms})
        return not found and any(record["phase"] == "over" for record in records)

    wait_for(whole, "the race is on the topic", 30)
    tail.close()
    return records


def check_whole(records: list[dict[str, Any]]) -> None:
    """No tick lost, none doubled with another content, every car in each."""
    ticks: dict[int, dict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for record in records:
        ticks[record["tick"]][record["driver_code"]].add(record["_bytes"])
        assert record["_at"] == record["timestamp"]
    assert sorted(ticks) == list(range(len(ticks)))
    assert {len(cars) for cars in ticks.values()} == {22}
    assert all(len(versions) == 1 for cars in ticks.values() for versions in cars.values())


def check_records(records: list[dict[str, Any]], ticks: list[Tick]) -> None:
    """The same of what is on Kafka, byte by byte where it is there twice."""
    check_whole(records)
    check_published(records, ticks)
