"""The project's own records through a real Apache Flink and back: what it computes is what we compute."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pytest

from bench.services.kafka import RealKafka
from bench.services.registry_http import Served, serve
from races.analytics.average_speed import AverageSpeed
from races.streams.admin import ensure_topics
from races.streams.codec import Codec
from races.streams.config import StreamSettings, with_topics
from races.streams.consumer import Tail
from races.streams.producer import Publisher
from races.streams.registry.service import Registry
from tests.integration.flink import Ran, run_sql
from tests.streams.contract import fresh_names
from tests.streams.records import NOW_MS, POSITION, VALUES, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
DRIVERS = {"Lando Norris": "NOR", "Max Verstappen": "VER", "Charles Leclerc": "LEC"}
RACES = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
TICKS = 60
SPIKE_TICK = 40
HAPPENED = (  # type, position, message: what the stand-in of AI_COMPLETE answers with
    ("lights_out", 0, "LIGHTS OUT"),
    ("overtake", 3, "PASSED FOR P3"),
    ("overtake", 15, "PASSED FOR P15"),
    ("retirement", 0, "ANSWER NULL"),
    ("pit_in", 12, "INTO THE PIT LANE"),
    ("safety_car", 0, "ANSWER BLANK"),
    ("chequered", 1, "FLAG"),
)
TABLES = """
SET 'parallelism.default' = '1';
SET 'table.local-time-zone' = 'UTC';
SET 'table.exec.sink.require-on-conflict' = 'false';
CREATE TABLE `${positions}` (
  driver_name STRING, `position` INT, `timestamp` BIGINT, race_id STRING, team_name STRING, speed DOUBLE
) WITH (${source}, 'topic' = '${positions}');
CREATE TABLE `${avg_speed}` (
  driver_name STRING, race_id STRING, avg_speed DOUBLE, PRIMARY KEY (driver_name, race_id) NOT ENFORCED
) WITH (${sink}, 'topic' = '${avg_speed}');
CREATE TABLE `${car_metrics}` (
  `key` STRING, team_name STRING, `timestamp` BIGINT, engine_temperature DOUBLE,
  `$$rowtime` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
  WATERMARK FOR `$$rowtime` AS `$$rowtime` - INTERVAL '1' SECOND
) WITH (${source}, 'topic' = '${car_metrics}', 'key.format' = 'raw', 'key.fields' = 'key',
  'value.fields-include' = 'EXCEPT_KEY');
CREATE TABLE `${race_control}` (
  race_id STRING NOT NULL, `timestamp` BIGINT NOT NULL, `type` STRING NOT NULL, lap INT NOT NULL,
  message STRING NOT NULL, event INT NOT NULL, `position` INT NOT NULL, driver_code STRING NOT NULL,
  other_code STRING NOT NULL
) WITH (${source}, 'topic' = '${race_control}');
CREATE TABLE `${commentary}` (
  id STRING NOT NULL, message STRING NOT NULL, `timestamp` BIGINT NOT NULL, `type` STRING NOT NULL, race_id STRING,
  drivers ARRAY<STRING>
) WITH ('connector' = 'kafka', 'properties.bootstrap.servers' = '${bootstrap}', 'topic' = '${commentary}',
  'value.format' = 'json');
CREATE TABLE `${car_metrics_anomalies}` (
  `key` STRING, ts TIMESTAMP(3), team_name STRING, engine_temperature DOUBLE, is_anomaly BOOLEAN,
  forecast_value DOUBLE, PRIMARY KEY (`key`, ts) NOT ENFORCED
) WITH (${sink}, 'topic' = '${car_metrics_anomalies}');
"""
WINDOW = """
INSERT INTO `${car_metrics_anomalies}`
SELECT `key`, CAST(`$$rowtime` AS TIMESTAMP(3)), team_name, engine_temperature,
  ABS(engine_temperature - mean) > 5, mean
FROM (
  SELECT *, AVG(engine_temperature) OVER (
    PARTITION BY `key` ORDER BY `$$rowtime` ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) AS mean
  FROM `${car_metrics}`);
"""
SOURCE = """'connector' = 'kafka', 'properties.bootstrap.servers' = '{bootstrap}',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset',
  'value.format' = 'avro-confluent', 'value.avro-confluent.url' = '{registry}'"""
SINK = """'connector' = 'upsert-kafka', 'properties.bootstrap.servers' = '{bootstrap}',
  'key.format' = 'avro-confluent', 'key.avro-confluent.url' = '{registry}',
  'value.format' = 'avro-confluent', 'value.avro-confluent.url' = '{registry}',
  'value.fields-include' = 'EXCEPT_KEY'"""


@pytest.fixture(scope="module")
def registry() -> Iterator[Served]:
    with serve(Registry()) as served:
        yield served


def speed(race: str, code: str, tick: int) -> float:
    return round(200 + 80 * math.sin(tick / 7 + len(code) * RACES.index(race)) + ord(code[0]) / 10, 3)


def temperature(code: str, tick: int) -> float:
    return (
        104.0 + ord(code[0]) % 3 + 0.25 * (tick % 4) + (20.0 if tick == SPIKE_TICK and code == "VER" else 0.0)
    )


def sent_positions() -> list[dict[str, Any]]:
    return [
        POSITION
        | {
            "driver_name": name,
            "driver_code": code,
            "race_id": race,
            "tick": tick,
            "timestamp": NOW_MS + tick * 200,
        }
        | {"speed": speed(race, code, tick)}
        for tick in range(TICKS)
        for race in RACES
        for name, code in DRIVERS.items()
    ]


def sent_events() -> list[dict[str, Any]]:
    return [
        VALUES["race_control"] | {"event": event, "type": kind, "position": position, "message": message}
        for event, (kind, position, message) in enumerate(HAPPENED)
    ]


def publish(settings: StreamSettings, codec: Codec) -> None:
    publisher = Publisher(settings, codec)
    for event in sent_events():
        publisher.send("race_control", event["race_id"], event, event["timestamp"])
    for record in sent_positions():
        publisher.send("positions", record["race_id"], record, record["timestamp"])
    for tick in range(TICKS):
        for code in DRIVERS.values():
            metric = {
                "team_name": "Team",
                "timestamp": NOW_MS + tick * 200,
                "race_id": RACES[0],
                "driver_code": code,
            }
            metric |= {"engine_temperature": temperature(code, tick), "tick": tick}
            publisher.send("car_metrics", f"{RACES[0]}:{code}", metric, NOW_MS + tick * 200)
    assert publisher.flush(30) == 0
    publisher.close()


def job(settings: StreamSettings, registry_url: str) -> str:
    """Our tables in Apache Flink's dialect, the project's own queries as they are, and one over a window."""
    files = ("11_average_speed_query.sql", "23_commentary_query.sql")
    queries = "".join((ROOT / "races/flink/sql" / file).read_text() for file in files)
    options = {"bootstrap": settings.bootstrap, "registry": registry_url}
    names = {**settings.topics, "source": SOURCE.format(**options), "sink": SINK.format(**options)}
    return Template(TABLES + queries + WINDOW).substitute(names, bootstrap=settings.bootstrap, model="writer")


@dataclass(frozen=True, slots=True)
class Written:
    """What Flink wrote, decoded by our codec: (key, value) in order, and of commentary the value; how it ran."""

    avg_speed: list[tuple[Any, dict[str, Any]]]
    anomalies: list[tuple[Any, dict[str, Any]]]
    commentary: list[dict[str, Any]]
    ran: Ran


@pytest.fixture(scope="module")
def written(real_kafka: RealKafka, registry: Served, tmp_path_factory: pytest.TempPathFactory) -> Written:
    settings = with_topics(real_kafka.settings(), fresh_names())
    ensure_topics(settings)
    codec = Codec(settings, registry.registry)
    publish(settings, codec)
    ran = run_sql(job(settings, registry.url), tmp_path_factory.mktemp("flink"))
    found = Written([], [], [], ran)
    tail = Tail(settings, ["avg_speed", "car_metrics_anomalies", "commentary"])

    def all_read() -> bool:
        for message in tail.poll(5000, 0.2):
            if message.role == "commentary":  # Apache Flink has no JSON that frames its schema's id
                found.commentary.append(json.loads(message.value or b""))
                continue
            both = codec.decode_key(message.role, message.key), codec.decode(message.role, message.value)
            (found.avg_speed if message.role == "avg_speed" else found.anomalies).append(both)
        # the last one told is the flag
        told = any(line["message"].endswith("FLAG") for line in found.commentary)
        return told and len(found.avg_speed) >= len(sent_positions()) and len(found.anomalies) >= TICKS * 3

    eventually("Flink's records are read", all_read, 30)
    tail.close()
    return found


def test_flinks_average_is_ours(written: Written) -> None:
    engines = {race: AverageSpeed() for race in RACES}
    for record in sent_positions():
        engines[record["race_id"]].feed(record)
    newest = {(key["race_id"], key["driver_name"]): value["avg_speed"] for key, value in written.avg_speed}
    assert len(newest) == len(RACES) * len(DRIVERS)
    for (race, driver), average in newest.items():
        assert average == pytest.approx(engines[race].of(driver), rel=1e-12)


def test_flink_writes_every_average(written: Written) -> None:
    assert len(written.avg_speed) == len(sent_positions())


def test_flinks_window_is_pythons(written: Written) -> None:
    assert len(written.anomalies) == TICKS * len(DRIVERS)
    for key, value in written.anomalies:
        code, tick = key["key"].split(":")[1], (key["ts"] - NOW_MS) // 200
        window = [temperature(code, past) for past in range(max(0, tick - 4), tick + 1)]
        assert value["engine_temperature"] == temperature(code, tick)
        assert value["forecast_value"] == pytest.approx(statistics.fmean(window))
        assert value["is_anomaly"] == (abs(window[-1] - statistics.fmean(window)) > 5)
    flagged = [key for key, value in written.anomalies if value["is_anomaly"]]
    assert flagged == [{"key": f"{RACES[0]}:VER", "ts": NOW_MS + SPIKE_TICK * 200}]


def test_model_is_asked_for_chosen_rows(written: Written) -> None:
    told = ("LIGHTS OUT", "PASSED FOR P3", "ANSWER NULL", "ANSWER BLANK", "FLAG")
    assert written.ran.asked == [f"Lap 9: {message}" for message in told]


def test_rows_are_chosen_below_the_call(written: Written) -> None:
    """A filter above it would pay for an answer and throw it away."""
    plan = written.ran.plan.partition("== Optimized Execution Plan ==")[2].splitlines()
    (call,) = [line for line, words in enumerate(plan) if "Correlate(" in words and "AI_COMPLETE" in words]
    below = plan[call + 1]
    assert below.index("Calc(") > plan[call].index("Correlate(")
    assert "where=" in below and "lights_out" in below and "overtake" in below
    assert not any("lights_out" in words and "where=" in words for words in plan[:call])


def test_answer_becomes_a_plain_line(written: Written) -> None:
    lines = [(line["id"].partition(":")[2], line["type"], line["message"]) for line in written.commentary]
    assert lines == [
        ("e0", "highlight", "Lap 9: LIGHTS OUT"),
        ("e1", "highlight", "Lap 9: PASSED FOR P3"),
        ("e6", "highlight", "Lap 9: FLAG"),
    ]
    assert all(line["drivers"] == ["NOR", "PER"] for line in written.commentary)


def test_flink_registers_its_schemas(written: Written, registry: Served) -> None:
    assert written
    flinks = [line for line in registry.requests if line.startswith("POST /subjects/")]
    assert any("avg-speed" in line and line.endswith("-key/versions") for line in flinks)
    assert any("anomalies" in line and line.endswith("-value/versions") for line in flinks)
