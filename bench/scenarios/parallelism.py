"""The lab's statements on a Flink at parallelism 1 and 2: records a second, processor, state of a race.

Twelve races' records lie in Kafka before a statement starts, so that it runs as fast as it can. Broker, Flink and this
process share the machine's cores.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from bench.harness import all_cpu_seconds, load_average, setting
from bench.scenarios.analytics import records_of
from bench.services.flink import RealFlink
from bench.services.kafka import RealKafka
from bench.services.registry_http import serve
from bench.services.waiting import wait_for
from races.flink.dialect import Query, in_sql_alone, queries
from races.streams.admin import ensure_topics
from races.streams.codec import Codec
from races.streams.config import StreamSettings
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from races.worker.records import KeyedRecord

ROLES = ("positions", "car_metrics")
LIMIT_S = 120.0


def race_copies(count: int) -> Iterable[KeyedRecord]:
    """One race under several ids, tick beside tick, as races that run at once. Event times end now."""
    found = [record for record in records_of("monza", 1) if record.role in ROLES]
    shift = int(time.time() * 1000) - max(record.value["timestamp"] for record in found)
    for record in found:
        at = record.value["timestamp"] + shift
        for number in range(count):
            race = f"race-{number}"
            key = record.key.replace("monza-1", race) if isinstance(record.key, str) else record.key
            yield replace(record, key=key, value=record.value | {"race_id": race, "timestamp": at})


def publish(settings: StreamSettings, codec: Codec, count: int) -> dict[str, int]:
    """Sends the races and returns how many records each role has."""
    publisher, sent = Publisher(settings, codec), dict.fromkeys(ROLES, 0)
    for record in race_copies(count):
        publisher.send(record.role, record.key, record.value, record.value["timestamp"])
        sent[record.role] += 1
    publisher.flush(120)
    publisher.close()
    return sent


def measured(
    flink: RealFlink, settings: StreamSettings, codec: Codec, query: Query, parallelism: int, records: int
) -> dict[str, Any]:
    """The statement from its start until it has written for every record, but for the last tick's."""
    name = f"{query.name}-{parallelism}"
    more = {"parallelism.default": str(parallelism), "pipeline.name": name}
    more["execution.checkpointing.interval"] = "2 s"
    once = replace(query, name=name, properties={**query.properties, **more})
    deployer = flink.deployer([once], settings, codec)
    pid = flink.local.process.pid if flink.local.process else 0
    deployer.look()
    if deployer.trouble:
        raise RuntimeError(deployer.trouble)
    began, cpu = time.monotonic(), all_cpu_seconds(pid)
    job = next(one.id for one in flink.cluster.jobs() if one.name == name and not one.ended)
    enough = records - 22 * 12 * 2
    wait_for(lambda: flink.cluster.records(job).written >= enough, f"{name} has written", LIMIT_S)
    took, used = time.monotonic() - began, all_cpu_seconds(pid) - cpu
    time.sleep(4)  # a checkpoint with all of it
    size = _state_bytes(flink, job)
    flink.cancel_all()
    return {
        "records_a_second": round(records / took),
        "cpu_us_a_record": round(1e6 * used / records),
        "state_kb": round(size / 1000),
    }


def _state_bytes(flink: RealFlink, job: str) -> int:
    found: Mapping[str, Any] = requests.get(
        f"{flink.local.rest_url}/jobs/{job}/checkpoints", timeout=10
    ).json()
    return int(found["latest"]["completed"]["state_size"])


def run() -> dict[str, object]:
    races = int(setting("BENCH_RACES", 12))
    figures: dict[str, object] = {"load_before": load_average(), "races": races}
    with tempfile.TemporaryDirectory() as name, serve(Registry()) as registry:
        folders = [Path(name, part) for part in ("kafka", "flink")]
        for folder in folders:
            folder.mkdir()
        kafka, flink = RealKafka(folders[0]), RealFlink(folders[1])
        try:
            kafka.start()
            flink.start()
            settings = kafka.settings(registry.url)
            ensure_topics(settings)
            codec = Codec(settings, registry.registry)
            codec.prepare()
            sent = publish(settings, codec, races)
            average, anomalies = queries(["average", "anomalies"], settings.topics, None, "bench")
            # the first run warms the planner and the compiler, and is not counted
            measured(flink, settings, codec, replace(average, name="warm"), 1, sent["positions"])
            for parallelism in (1, 2):
                figures[f"parallelism_{parallelism}"] = {
                    "average": measured(flink, settings, codec, average, parallelism, sent["positions"]),
                    "anomalies": measured(
                        flink, settings, codec, anomalies, parallelism, sent["car_metrics"]
                    ),
                    "anomalies_in_sql": measured(
                        flink,
                        settings,
                        codec,
                        replace(in_sql_alone(anomalies), name="pure"),
                        parallelism,
                        sent["car_metrics"],
                    ),
                }
        finally:
            flink.stop()
            kafka.stop()
    return {**figures, "load_after": load_average()}
