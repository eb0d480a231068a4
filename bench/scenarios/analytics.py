"""The embedded engine on one core: records a second with all three analyses, alone and between decode and encode.

A default race of each circuit, its positions, race control and engine readings. Counted is processor time of the
one thread that does it, so that other processes on the machine don't change the figure; the median of the races.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from races.analytics.engine import Derived, RaceAnalytics
from races.sim import Race, RaceSettings, circuit_slugs, default_laps, load_season
from races.sim.distance import DEFAULT_PACE
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.registry.service import Registry
from races.worker.records import KeyedRecord, entry_list, tick_records

MUST_REACH = 20_000
RACES = 12


def records_of(circuit: str, seed: int) -> list[KeyedRecord]:
    laps = default_laps(circuit)
    race = Race(RaceSettings(circuit, laps, DEFAULT_PACE, seed))
    field = entry_list(f"{circuit}-{seed}", laps, load_season())
    records: list[KeyedRecord] = []
    while not race.over:
        tick = race.advance()
        records += tick_records(field, tick, tick.tick * 200, metrics=True)
    return records


def engine_only(records: list[KeyedRecord]) -> int:
    engine = RaceAnalytics(records[0].value["race_id"], anomaly=True)
    return sum(len(engine.feed(record.role, record.value, record.key)) for record in records)


def with_codec(codec: Codec, encoded: list[tuple[str, bytes, str]], race_id: str) -> int:
    engine = RaceAnalytics(race_id, anomaly=True)
    written = 0
    for role, data, key in encoded:
        for derived in engine.feed(role, codec.decode(role, data), key):
            written += len(_encoded(codec, derived)) > 0
    return written


def _encoded(codec: Codec, derived: Derived) -> bytes:
    return codec.encode(derived.role, derived.value) + (codec.encode_key(derived.role, derived.key) or b"")


def _rate(records: int, work: Callable[[], int]) -> float:
    began = time.thread_time()
    work()
    return records / (time.thread_time() - began)


def _rates(codec: Codec) -> Iterator[tuple[float, float]]:
    for number, circuit in enumerate(circuit_slugs()[:RACES]):
        records = records_of(circuit, number)
        race_id = records[0].value["race_id"]
        encoded = [(r.role, codec.encode(r.role, r.value), r.key) for r in records]
        alone = _rate(len(records), partial(engine_only, records))
        whole = _rate(len(records), partial(with_codec, codec, encoded, race_id))
        print(f"{circuit:<14} {len(records):>7} records  {alone:>9,.0f}/s  with Avro {whole:>9,.0f}/s")
        yield alone, whole


def run() -> dict[str, float | bool]:
    codec = Codec(embedded_settings("unused"), Registry())
    alone, whole = zip(*_rates(codec), strict=True)
    return {
        "records_per_s": round(median(alone)),
        "records_per_s_slowest": round(min(alone)),
        "records_per_s_with_avro": round(median(whole)),
        "must_reach": MUST_REACH,
        "reached": median(alone) >= MUST_REACH,
    }
