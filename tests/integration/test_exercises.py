"""The guide's exercises on a recorded race: each solution gives what the race's own records say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from bench.services.flink import RealFlink
from bench.services.kafka import RealKafka
from bench.services.registry_http import serve
from races.flink.exercises import exercises
from races.flink.exercises.check import check
from races.flink.exercises.truth import Truth
from races.flink.gateway import Session
from races.flink.tables import EARLIEST, Place, create_tables
from races.streams.registry.service import Registry
from tests.integration.flink_race import RaceOnKafka, on_kafka, recorded_race
from tests.streams.contract import fresh_names

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
Rows = Counter[tuple[Any, ...]]
SEED = 4
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


def answer(session: Session, race: RaceOnKafka, number: int) -> list[dict[str, Any]]:
    """The rows that stand at the end, the changelog folded."""
    wanted = exercises(race.settings.topics)[number - 1]
    for view in wanted.views:
        session.run(view)
    operation, rows = session.start(wanted.query, SETTINGS), Rows()
    while True:
        page = operation.fetch()
        for change in page.changes:
            rows[change.fields] += -1 if change.kind in ("-U", "-D") else 1
        if page.done:
            return [dict(zip(wanted.names, read(fields), strict=True)) for fields in rows.elements()]


def read(fields: tuple[Any, ...]) -> list[Any]:
    """Instants as numbers, which a topic has; the gateway writes them as text."""
    return [
        datetime.fromisoformat(value) if isinstance(value, str) and "T" in value and ":" in value else value
        for value in fields
    ]


def truth_of(race: RaceOnKafka) -> Truth:
    """Returns the truth without the faults, so that whatever gives the same reading ten times is stuck."""
    of = {
        role: [record.value for record in race.records if record.role == role]
        for role in ("positions", "race_control", "car_metrics")
    }
    return Truth(race.records[0].value["race_id"], of["positions"], of["race_control"], of["car_metrics"])


LEAST = {1: 100, 2: 30, 3: 10, 4: 2, 5: 22, 6: 30, 7: 1, 8: 10, 9: 10, 10: 1, 11: 1, 12: 5}


@pytest.mark.parametrize("number", LEAST)
def test_solution_is_right(session: Session, race: RaceOnKafka, number: int) -> None:
    """Flink's rows are those that the check computes of the race's records, in a code of its own."""
    found = answer(session, race, number)
    verdict = check(exercises(race.settings.topics)[number - 1], found, truth_of(race))
    assert verdict.words == ()
    assert verdict.right
    assert verdict.found == len(found) >= verdict.expected >= LEAST[number]
