"""The guide's SQL, as printed, on a real Flink of one's own over a recorded race."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.services.flink import RealFlink
from bench.services.kafka import RealKafka
from bench.services.language_model import serve_model
from bench.services.registry_http import serve
from bench.services.waiting import wait_for
from races.flink.dialect import MODEL, Model, create_model
from races.flink.statements import statements
from races.flink.tables import Place, create_tables
from races.sql.self_hosted import OwnSession, SelfHosted
from races.sql.service import Start
from races.sql.statements import split
from races.streams.admin import create_topic
from races.streams.registry.service import Registry
from races.streams.topics import DEFAULT_NAMES
from tests.docs.guide import Block, blocks
from tests.integration.flink_race import RaceOnKafka, on_kafka, recorded_race

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
BLOCKS = [block for block in blocks() if block.language == "sql" and block.how.startswith("own flink")]
FIRST_ROW_S = 60


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RaceOnKafka]:
    """On a Kafka of its own, because the guide calls topics by their usual names."""
    kafka = RealKafka(tmp_path_factory.mktemp("guide"))
    kafka.start()
    with serve(Registry()) as registry:
        place = kafka.settings(registry.url)
        found = on_kafka(place, DEFAULT_NAMES, registry.registry, recorded_race())
        found.publish()
        yield found
    kafka.stop()


@pytest.fixture(scope="module")
def desk(race: RaceOnKafka, real_flink: RealFlink) -> Iterator[OwnSession]:
    """The workspace's session of a person."""
    place = Place(race.settings.bootstrap, race.settings.registry_url)

    def make_topic(name: str) -> None:
        create_topic(race.settings, name)

    flink = real_flink.gateway, real_flink.cluster
    session = SelfHosted(*flink, place, race.settings.topics, "guide", make_topic).open("a learner")
    yield session
    session.close()
    real_flink.cancel_all()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.how == "own flink"], ids=str)
def test_statement_runs_as_printed(desk: OwnSession, block: Block) -> None:
    """A query gives rows, an INSERT runs on, and a CREATE TABLE is done. They run in the guide's order."""
    (piece,) = split(block.text)
    running = desk.start(piece.sql, Start())

    def has_begun() -> bool:
        page = running.fetch()
        return bool(page.changes) or page.done or bool(page.ready and page.job and not page.is_query)

    wait_for(has_begun, f"{piece.sql[:60]} has begun", FIRST_ROW_S)
    if not piece.sql.startswith("INSERT"):
        running.stop()


def test_model_is_called_as_printed(race: RaceOnKafka, real_flink: RealFlink) -> None:
    (block,) = [block for block in BLOCKS if block.how == "own flink: model"]
    bedrock = next(one.sql for one in statements() if one.kind == "model")
    place = Place(race.settings.bootstrap, race.settings.registry_url)
    session = real_flink.gateway.open("a model")
    with serve_model() as model:
        for sql in create_tables(race.settings.topics, place):
            session.run(sql)
        made = create_model(bedrock, MODEL, Model(model.url, "small", "k"))
        session.run(made.replace("`race_context` STRING", "`message` STRING"))
        session.run(
            "CREATE TEMPORARY VIEW `happened` AS SELECT `message` FROM `f1-race-control` WHERE `type` = 'lights_out'"
        )
        operation = session.start(block.text.strip().rstrip(";"), {"restart-strategy.type": "none"})
        rows: list[tuple[object, ...]] = []

        def has_answered() -> bool:
            rows.extend(change.fields for change in operation.fetch().changes)
            return bool(rows)

        wait_for(has_answered, "the model's answer", FIRST_ROW_S)
        operation.close()
    ((message, said),) = rows
    assert said == f"SAID {message}"
    session.close()
