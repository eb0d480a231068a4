"""The guide's exercises on a recorded race: each solution gives what the race's own records say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

import pytest

from bench.services.flink import RealFlink
from bench.services.kafka import RealKafka
from bench.services.registry_http import serve
from races.flink.exercises import Exercise, exercises
from races.flink.gateway import Session
from races.flink.tables import EARLIEST, Place, create_tables
from races.streams.registry.service import Registry
from tests.integration.flink_race import RaceOnKafka, on_kafka, recorded_race
from tests.streams.contract import fresh_names

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
Rows = Counter[tuple[Any, ...]]
SEED = 3
BOUNDED = EARLIEST | {"scan.bounded.mode": "latest-offset"}
SETTINGS = {
    "table.exec.source.idle-timeout": "10 s",
    "table.local-time-zone": "UTC",
    "restart-strategy.type": "none",
}


@pytest.fixture(scope="module")
def race(real_kafka: RealKafka) -> Iterator[RaceOnKafka]:
    with serve(Registry()) as registry:
        place = real_kafka.settings(registry.url)
        found = on_kafka(place, fresh_names(), registry.registry, recorded_race(seed=SEED))
        found.publish()
        yield found


@pytest.fixture(scope="module")
def session(race: RaceOnKafka, real_flink: RealFlink) -> Iterator[Session]:
    found = real_flink.gateway.open("exercises")
    place = Place(race.settings.bootstrap, race.settings.registry_url)
    for table in create_tables(race.settings.topics, place, BOUNDED, race.codec.schema_id("commentary")):
        found.run(table)
    yield found
    found.close()


def exercise(race: RaceOnKafka, number: int) -> Exercise:
    return next(one for one in exercises(race.settings.topics) if one.number == number)


def answer(session: Session, race: RaceOnKafka, number: int) -> Rows:
    """The rows that stand at the end, the changelog folded."""
    wanted = exercise(race, number)
    for view in wanted.views:
        session.run(view)
    operation, rows = session.start(wanted.query, SETTINGS), Rows()
    while True:
        page = operation.fetch()
        for change in page.changes:
            rows[change.fields] += -1 if change.kind in ("-U", "-D") else 1
        if page.done:
            return +rows


def of(race: RaceOnKafka, role: str) -> list[dict[str, Any]]:
    return [record.value for record in race.records if record.role == role]


def by_car(race: RaceOnKafka, role: str) -> dict[str, list[dict[str, Any]]]:
    cars: dict[str, list[dict[str, Any]]] = {}
    for value in of(race, role):
        cars.setdefault(value["driver_code"], []).append(value)
    return cars


def events(race: RaceOnKafka, kind: str) -> list[dict[str, Any]]:
    return [value for value in of(race, "race_control") if value["type"] == kind]


def test_twelve_with_question_and_answer(race: RaceOnKafka) -> None:
    found = exercises(race.settings.topics)
    assert [one.number for one in found] == list(range(1, 13))
    assert all(one.ask.endswith("?") or "." in one.ask for one in found)
    assert all(one.see for one in found)


def test_01_top_speed_of_each_window(session: Session, race: RaceOnKafka) -> None:
    expected: dict[tuple[str, int], float] = {}
    for car in of(race, "positions"):
        if car["phase"] == "race":
            key = (car["driver_code"], car["timestamp"] // 10_000)
            expected[key] = max(expected.get(key, 0.0), car["speed"])
    found = answer(session, race, 1)
    assert Counter((code, kmh) for _, code, kmh in found.elements()) == Counter(
        (code, kmh) for (code, _), kmh in expected.items()
    )


def test_02_three_fastest_of_each_window(session: Session, race: RaceOnKafka) -> None:
    sums: dict[int, dict[str, list[float]]] = {}
    for car in of(race, "positions"):
        newest = car["timestamp"] // 5000
        for window in range(newest - 2, newest + 1):
            sums.setdefault(window, {}).setdefault(car["driver_code"], []).append(car["speed"])
    found = answer(session, race, 2)
    assert found.total() == 3 * len(sums)
    fastest = [max(sum(speeds) / len(speeds) for speeds in cars.values()) for cars in sums.values()]
    assert sorted(kmh for _, _, kmh, place in found if place == 1) == pytest.approx(sorted(fastest))


def test_03_visits_to_the_pit_lane(session: Session, race: RaceOnKafka) -> None:
    expected = Rows()
    for code, car in by_car(race, "positions").items():
        visits: list[list[int]] = []
        for at in (one["timestamp"] for one in car if one["pit"]):
            if not visits or at - visits[-1][-1] >= 1000:
                visits.append([])
            visits[-1].append(at)
        expected.update((code, len(visit)) for visit in visits)
    found = answer(session, race, 3)
    assert Rows((code, count) for code, _, count in found.elements()) == expected
    assert expected.total() > 10


def test_04_three_fastest_laps(session: Session, race: RaceOnKafka) -> None:
    best = {
        code: min(one["best_lap_s"] for one in car if one["best_lap_s"] is not None)
        for code, car in by_car(race, "positions").items()
        if any(one["best_lap_s"] is not None for one in car)
    }
    found = sorted(answer(session, race, 4))
    assert [place for place, _, _ in found] == [1, 2, 3]
    assert [lap for _, _, lap in found] == sorted(best.values())[:3]


def test_05_newest_record_of_each_car(session: Session, race: RaceOnKafka) -> None:
    newest = {code: (car[-1]["tick"], car[-1]["position"]) for code, car in by_car(race, "positions").items()}
    found = answer(session, race, 5)
    assert {code: (tick, place) for _, code, tick, place in found} == newest
    assert found.total() == len(newest)


def test_06_places_gained(session: Session, race: RaceOnKafka) -> None:
    expected = Rows(
        (code, before["position"], after["position"], after["tick"])
        for code, car in by_car(race, "positions").items()
        for before, after in pairwise(car)
        if after["position"] < before["position"] and after["phase"] == "race" and not after["pit"]
    )
    assert answer(session, race, 6) == expected
    assert expected.total() > 30


def test_07_stuck_sensors(session: Session, race: RaceOnKafka) -> None:
    expected = Rows()
    for code, car in by_car(race, "car_metrics").items():
        runs = [(value, len(list(run))) for value, run in groupby(one["engine_temperature"] for one in car)]
        expected.update((code, value, length) for value, length in runs[:-1] if length >= 10)
    assert answer(session, race, 7) == expected
    assert expected.total() >= 1


def test_08_stops(session: Session, race: RaceOnKafka) -> None:
    expected = Rows(
        (came["driver_code"], came["lap"], left["value"])
        for came in events(race, "pit_in")
        for left in events(race, "pit_out")
        if came["driver_code"] == left["driver_code"] and 0 <= left["timestamp"] - came["timestamp"] <= 60_000
    )
    assert answer(session, race, 8) == expected
    assert expected.total() > 10


def test_09_tyre_at_each_overtake(session: Session, race: RaceOnKafka) -> None:
    cars = {(one["driver_code"], one["tick"]): one for one in of(race, "positions")}
    expected = Rows()
    for one in events(race, "overtake"):
        car = cars[one["driver_code"], one["tick"]]
        expected[one["event"], one["driver_code"], car["tyre"], car["tyre_age"]] += 1
    assert answer(session, race, 9) == expected
    assert expected.total() > 10


def test_10_no_late_record(session: Session, race: RaceOnKafka) -> None:
    assert answer(session, race, 10) == Rows()


def test_11_undercuts(session: Session, race: RaceOnKafka) -> None:
    expected = Rows(
        (passed["driver_code"], passed["other_code"], passed["event"])
        for passed in events(race, "overtake")
        for left in events(race, "pit_out")
        for came in events(race, "pit_in")
        if left["driver_code"] == passed["driver_code"]
        and came["driver_code"] == passed["other_code"]
        and 0 <= passed["timestamp"] - left["timestamp"] <= 30_000
        and -1000 <= passed["timestamp"] - came["timestamp"] <= 5000
    )
    assert answer(session, race, 11) == expected


def test_12_overtakes_of_each_minute(session: Session, race: RaceOnKafka) -> None:
    expected: Counter[tuple[int, int]] = Counter()
    for one in events(race, "overtake"):
        minute, step = one["timestamp"] // 60_000, one["timestamp"] % 60_000 // 10_000
        expected.update((minute, end) for end in range(step, 6))
    found = answer(session, race, 12)
    assert Counter(count for _, _, count in found.elements()) == Counter(expected.values())
