"""The Compose file's Kafka: the same version of it from Maven starts with the same settings and does what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient

from bench.services.kafka import RealKafka
from bench.services.waiting import free_port
from races.streams.logs import QUIET
from tests.docs.guide import ROOT
from tests.fakes.waiting import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
KAFKA = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["kafka"]


def properties(environment: dict[str, object], places: dict[str, str]) -> dict[str, str]:
    """As the image makes them of variables, with this machine's addresses."""
    found = {}
    for variable, value in environment.items():
        text = str(value)
        for theirs, ours in places.items():
            text = text.replace(theirs, ours)
        found[variable.removeprefix("KAFKA_").replace("_", ".").lower()] = text
    return found


def test_version_is_that_of_the_image() -> None:
    version = KAFKA["image"].partition(":")[2]
    assert f"kafka_2.13-{version}.jar" in (ROOT / "races/flink/local/locks/kafka.lock").read_text()


def test_both_listeners_answer_and_no_topic_makes_itself(tmp_path: Path) -> None:
    inside, controller, outside = (str(free_port()) for _ in range(3))
    places = {"9092": inside, "9093": controller, "9094": outside, "kafka:": "127.0.0.1:"}
    kafka = RealKafka(tmp_path, properties(KAFKA["environment"], places))
    kafka.port = int(inside)
    try:
        kafka.start()
        for port in (inside, outside):
            brokers = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", **QUIET}).list_topics(timeout=10)
            assert [str(broker) for broker in brokers.brokers.values()] == [f"127.0.0.1:{port}/1"]
        refused: list[KafkaError | None] = []
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.timeout.ms": 5000, **QUIET})
        producer.produce("nobody-made-me", b"", on_delivery=lambda error, _: refused.append(error))
        wait_for(lambda: producer.poll(0.1) or refused, "the record is refused", 30)
        assert refused[0] is not None
    finally:
        kafka.stop()
