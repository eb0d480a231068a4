"""The lab's queries on a Flink of one's own, over a whole recorded race: it writes what the embedded engine writes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bench.services.flink import RealFlink
from bench.services.kafka import RealKafka
from bench.services.language_model import SpokenModel, serve_model
from bench.services.registry_http import Served, serve
from bench.services.waiting import wait_for
from races.flink.dialect import Model, in_sql_alone, queries
from races.streams.registry.service import Registry
from races.worker.records import KeyedRecord
from tests.integration.flink_answers import all_answers
from tests.integration.flink_race import Keyed, RaceOnKafka, Row, on_kafka, recorded_race
from tests.streams.contract import fresh_names

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
KEY = "sk-not-to-be-seen"
CARS = 22
REPEATED = 300


@pytest.fixture(scope="module")
def registry() -> Iterator[Served]:
    with serve(Registry()) as served:
        yield served


@pytest.fixture(scope="module")
def model() -> Iterator[SpokenModel]:
    with serve_model() as found:
        yield found


@pytest.fixture(scope="module")
def race(real_kafka: RealKafka, registry: Served) -> RaceOnKafka:
    records = with_repeats(recorded_race())
    return on_kafka(real_kafka.settings(registry.url), fresh_names(), registry.registry, records)


def with_repeats(records: tuple[KeyedRecord, ...]) -> tuple[KeyedRecord, ...]:
    """Every reading of one tick comes twice, as from a worker that takes a race over."""
    again = [one for one in records if one.role == "car_metrics" and one.value["tick"] == REPEATED]
    place = 1 + max(place for place, one in enumerate(records) if one in again)
    return (*records[:place], *again, *records[place:])


def judged(rows: list[tuple[Any, Row]]) -> int:
    """How many readings have a row: one that came twice may have two."""
    return len({(key["key"], key["ts"]) for key, _ in rows})


@pytest.fixture(scope="module")
def schemas(race: RaceOnKafka, registry: Served) -> dict[str, list[int]]:
    """Versions of each subject before Flink has written anything."""
    assert race
    return versions(registry)


@pytest.fixture(scope="module")
def written(
    race: RaceOnKafka, schemas: dict[str, list[int]], real_flink: RealFlink, model: SpokenModel
) -> Iterator[dict[str, Keyed]]:
    """What Flink wrote of the race, by role and key."""
    groups = ["average", "commentary", "anomalies"]
    wanted = queries(groups, race.settings.topics, Model(model.url, "small", KEY), "lab")
    # a whole race comes at once here, perhaps before the source has looked where the topic's end is
    wanted = [replace(query, startup="earliest-offset") for query in wanted]
    real_flink.cancel_all()  # what other tests left
    deployer = real_flink.deployer(wanted, race.settings, race.codec, race.begin_ms - 1000)
    deployer.look()
    assert deployer.trouble == ""
    names = {query.name for query in wanted}
    wait_for(
        lambda: {name for name, state in real_flink.states().items() if state == "RUNNING"} == names,
        "the three statements run, and nothing else",
        60,
    )
    race.publish()
    averages, readings = sum(map(len, race.averages().values())), len(race.anomalies())
    last_tick = CARS  # waits for a watermark that only the next race brings
    yield {
        "avg_speed": race.read("avg_speed", lambda found: len(found) >= averages),
        "car_metrics_anomalies": race.read(
            "car_metrics_anomalies", lambda found: judged(found) >= readings - last_tick
        ),
        "commentary": race.read("commentary", lambda found: len(found) >= len(set(model.asked)) > 5),
    }
    real_flink.cancel_all()


def versions(registry: Served) -> dict[str, list[int]]:
    _, subjects = registry.registry.handle("GET", "/subjects", {}, b"")
    return {one: registry.registry.handle("GET", f"/subjects/{one}/versions", {}, b"")[1] for one in subjects}


def test_averages_are_the_embedded_engines(written: dict[str, Keyed], race: RaceOnKafka) -> None:
    """One for each record, every step within 1e-12, and the last one of each driver equal."""
    expected = race.averages()
    assert written["avg_speed"].keys() == expected.keys()
    for key, rows in expected.items():
        found = [row["avg_speed"] for row in written["avg_speed"][key]]
        assert found == pytest.approx([row["avg_speed"] for row in rows], rel=1e-12)
        assert found[-1] == rows[-1]["avg_speed"]


def test_anomalies_are_the_embedded_engines(written: dict[str, Keyed], race: RaceOnKafka) -> None:
    agree(written["car_metrics_anomalies"], race.anomalies())


def agree(found: Keyed, expected: Keyed) -> None:
    """Flags equal on every row, numbers within 1e-9, nothing missing but the last tick."""
    missing = expected.keys() - found.keys()
    assert len(missing) <= CARS
    assert {key[1] for key in missing} <= {max(key[1] for key in expected)}
    assert not found.keys() - expected.keys()
    flags = 0
    for key, rows in found.items():
        ours, its = expected[key][-1], rows[-1]
        assert its["is_anomaly"] == ours["is_anomaly"]
        flags += its["is_anomaly"] is True
        for name in ("engine_temperature", "forecast_value", "lower_bound", "upper_bound", "rmse"):
            assert its[name] == pytest.approx(ours[name], abs=1e-9)
    assert flags > 10


def test_pure_sql_detector_agrees(
    race: RaceOnKafka, written: dict[str, Keyed], real_flink: RealFlink, registry: Served
) -> None:
    """The same detector for a Flink without our classes; it reads the race that lies there already."""
    assert written
    names = dict(race.settings.topics)
    names["car_metrics_anomalies"] += "-pure"
    pure = on_kafka(race.settings, names, registry.registry, race.records)
    wanted = [in_sql_alone(query) for query in queries(["anomalies"], names, None, "pure")]
    real_flink.cancel_all()
    deployer = real_flink.deployer(wanted, pure.settings, pure.codec, race.begin_ms - 1000)
    deployer.look()
    assert deployer.trouble == ""
    expected = race.anomalies()
    found = pure.read("car_metrics_anomalies", lambda rows: judged(rows) >= len(expected) - CARS)
    agree(found, expected)


def test_commentary_is_the_models(written: dict[str, Keyed], model: SpokenModel, race: RaceOnKafka) -> None:
    lines = written["commentary"][()]
    assert {line["message"] for line in lines} == {f"SAID {prompt}" for prompt in model.asked}
    assert len({line["id"] for line in lines}) == len(lines)
    assert model.keys == {f"Bearer {KEY}"}
    assert all(prompt.startswith("Lap ") for prompt in model.asked)
    events = [record.value for record in race.records if record.role == "race_control"]
    assert 5 < len(lines) < len(events)
    codes = {
        f"{event['race_id']}:e{event['event']}": [event["driver_code"], event["other_code"]]
        for event in events
    }
    for line in lines:
        assert line["drivers"] == ([code for code in codes[line["id"]] if code] or None)
    assert {len(line["drivers"] or ()) for line in lines} >= {0, 2}


def test_no_new_schema(written: dict[str, Keyed], schemas: dict[str, list[int]], registry: Served) -> None:
    assert written
    after = versions(registry)
    assert {subject: after[subject] for subject in schemas} == schemas


def test_key_is_nowhere(written: dict[str, Keyed], real_flink: RealFlink) -> None:
    """In no answer of the dashboard, no file and no process list."""
    assert written
    folder = real_flink.local.folder
    assert KEY not in all_answers(real_flink.local.rest_url)
    assert KEY not in subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    for file in folder.rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file
