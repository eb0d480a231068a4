"""Records through codec and Kafka: encode, decode, produce, consume, microseconds and records a second."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from itertools import cycle
from statistics import median
from typing import Any

import fastavro

from races.streams.codec import REMEMBERED, Codec
from races.streams.config import embedded_settings
from races.streams.consumer import Tail
from races.streams.embedded import EmbeddedKafka
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES, TOPICS

RECORDS = 20_000
ROUNDS, CALLS = 15, 3000
TICKS, TICK_RECORDS = 100, 110
RACE = "0b6b1a6e-7e2f-4a26-8c5e-31b8c2a6f3a1"
RECORD: dict[str, Any] = {
    "driver_name": "Lando Norris",
    "team_name": "McLaren",
    "race_id": RACE,
    "driver_code": "NOR",
    "speed": 287.31,
    "position": 3,
    "timestamp": 0,
    "tick": 312,
    "gap_s": 3.21,
    "interval_s": 1.2,
    "last_lap_s": 81.234,
    "best_lap_s": 80.9,
    "sector_1_s": 26.1,
    "sector_2_s": 27.1,
    "sector_3_s": 27.8,
    "tyre": "MEDIUM",
    "stints": "S1 M9",
}


def _microseconds(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Processor time of this thread for one call: the least of some rounds, taken in turn, since other load on the
    machine only adds and is the same for all.
    """
    least = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            began = time.thread_time()
            for _ in range(CALLS):
                work()
            least[name] = min(least[name], (time.thread_time() - began) / CALLS * 1e6)
    return {name: round(microseconds, 1) for name, microseconds in least.items()}


def _codec(codec: Codec, record: dict[str, Any]) -> dict[str, float]:
    data = codec.encode("positions", record)
    full, schema = (
        codec.decode("positions", data),
        fastavro.parse_schema(json.loads(TOPICS["positions"].value_schema)),
    )
    others = (record | {"timestamp": number} for number in range(3 * REMEMBERED))
    unread = cycle([codec.encode("positions", other) for other in others])  # round after round forgotten
    works: dict[str, Callable[[], object]] = {
        "encode_us": lambda: codec.encode("positions", full),
        "decode_and_check_us": lambda: codec.decode("positions", next(unread)),
        "decode_again_us": lambda: codec.decode("positions", data),  # by the next reader in the same process
        "fastavro_encode_us": lambda: fastavro.schemaless_writer(io.BytesIO(), schema, full),
        "fastavro_decode_us": lambda: fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None),
    }
    return {"bytes": len(data), **_microseconds(works)}


def _ticks(publisher: Publisher, record: dict[str, Any]) -> dict[str, float]:
    """As the worker sends: five races' ticks at once, then a pause in which they are acknowledged."""
    used = []
    for _ in range(TICKS):
        began = time.thread_time()
        for _ in range(TICK_RECORDS):
            publisher.send("positions", RACE, record, record["timestamp"])
        used.append((time.thread_time() - began) / TICK_RECORDS * 1e6)
        publisher.flush(10)
    return {"send_us_median": round(median(used), 1), "send_us_least": round(min(used), 1)}


def _through_kafka(publisher: Publisher, tail: Tail, record: dict[str, Any]) -> dict[str, float]:
    """Rates of the whole process: the sender, the poll thread, librdkafka and its broker, and the reader."""
    began = time.perf_counter()
    for _ in range(RECORDS):
        publisher.send("positions", RACE, record, record["timestamp"])
    sent = time.perf_counter() - began
    publisher.flush(60)
    acknowledged, began, count = time.perf_counter() - began, time.perf_counter(), 0
    while count < RECORDS:
        count += len(tail.poll(1000, 0.5))
    return {
        "sent_per_s": round(RECORDS / sent),
        "acknowledged_per_s": round(RECORDS / acknowledged),
        "consumed_per_s": round(RECORDS / (time.perf_counter() - began)),
    }


def run() -> dict[str, object]:
    """On the embedded cluster, 20,000 records of one partition; 40 races make 4,400 records a second."""
    record = RECORD | {"timestamp": int(time.time() * 1000)}
    with EmbeddedKafka(DEFAULT_NAMES.values()) as kafka:
        settings = embedded_settings(kafka.bootstrap)
        codec = Codec(settings, Registry())
        publisher, tail = Publisher(settings, codec), Tail(settings, ["positions"])
        record = codec.decode(
            "positions", codec.encode("positions", record)
        )  # with every field, as the worker's
        figures = _codec(codec, record) | _through_kafka(publisher, tail, record) | _ticks(publisher, record)
        publisher.close()
        tail.close()
    return {**figures, "send_must_be_under_us": 10}
