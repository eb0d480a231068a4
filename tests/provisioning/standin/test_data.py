"""Topics and subjects of the stand-in, and the Kafka behind them."""

import json
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from provisioning.standin import Latencies, Standin
from tests.fakes import openapi
from tests.fakes.api_caller import POSITIONS, Lab, ManualClock, build, cluster_body, made

SCHEMA = {"schemaType": "AVRO", "schema": POSITIONS}


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(kafka=False) as found:
        yield found
    assert openapi.problems(found.calls) == []


@pytest.fixture
def lab(standin: Standin) -> Lab:
    return build(standin)


def test_topic_keeps_its_configuration(lab: Lab) -> None:
    """A topic keeps its partitions and configuration."""
    configs = [{"name": "retention.ms", "value": "86400000"}]
    topic = made(lab.topic("orders", configs=configs))
    assert (topic["partitions_count"], topic["replication_factor"]) == (2, 3)
    found = lab.kafka.get(f"{lab.topics}/orders/configs")["data"]
    assert {c["name"]: c["value"] for c in found}["retention.ms"] == "86400000"
    assert [c["name"] for c in found if not c["is_default"]] == ["retention.ms"]


def test_a_topic_exists_once(lab: Lab) -> None:
    made(lab.topic("orders"))
    again = lab.topic("orders")
    assert again.status_code == 400
    assert again.json() == {"error_code": 40002, "message": "Topic 'orders' already exists."}


def test_an_unknown_topic_is_404(lab: Lab) -> None:
    for method in ("GET", "DELETE"):
        assert lab.kafka(method, f"{lab.topics}/nothing").json()["error_code"] == 40403


def test_partitions_grow_only(lab: Lab) -> None:
    """Partitions grow only and configuration can be altered."""
    made(lab.topic("orders"))
    address = f"{lab.topics}/orders"
    assert made(lab.kafka("PATCH", address, {"partitions_count": 4}))["partitions_count"] == 4
    assert lab.kafka("PATCH", address, {"partitions_count": 3}).status_code == 400
    change = {"data": [{"name": "cleanup.policy", "value": "compact"}]}
    assert lab.kafka("POST", f"{address}/configs:alter", change).status_code == 204
    found = lab.kafka.get(f"{address}/configs")["data"]
    assert {c["name"]: c["value"] for c in found}["cleanup.policy"] == "compact"


@pytest.mark.parametrize(
    "more",
    [
        {"topic_name": "not a name"},
        {"replication_factor": 1},
        {"configs": [{"name": "retention.days", "value": "1"}]},
    ],
)
def test_a_faulty_topic_is_refused(lab: Lab, more: dict[str, object]) -> None:
    assert lab.topic("orders", **more).status_code == 400


def test_deleted_topic_keeps_its_name_a_while() -> None:
    """A topic that is going is ownership taged for deletion until it is gone."""
    manual_clock = ManualClock()
    with Standin(Latencies(topic_gone=12), clock=manual_clock, kafka=False) as standin:
        lab = build(standin)
        made(lab.topic("orders"))
        assert lab.kafka("DELETE", f"{lab.topics}/orders").status_code == 204
        assert lab.kafka("GET", f"{lab.topics}/orders").status_code == 404
        assert lab.topic("orders").json()["message"] == "Topic 'orders' is marked for deletion."
        manual_clock.advance(12)
        made(lab.topic("orders"))


def test_registry_compatibility_and_deletes(lab: Lab) -> None:
    """The registry checks compatibility and deletes softly before hard."""
    made(lab.registry("PUT", "/config/orders-value", {"compatibility": "BACKWARD"}))
    first = made(lab.registry("POST", "/subjects/orders-value/versions", SCHEMA))
    assert made(lab.registry("POST", "/subjects/orders-value/versions", SCHEMA)) == first
    other = {
        "schema": json.dumps({"type": "record", "name": "Other", "fields": [{"name": "x", "type": "int"}]})
    }
    assert lab.registry("POST", "/subjects/orders-value/versions", other).status_code == 409
    hard = lab.registry("DELETE", "/subjects/orders-value?permanent=true")
    assert (hard.status_code, hard.json()["error_code"]) == (404, 40405)
    assert lab.registry("DELETE", "/subjects/orders-value").json() == [1]
    assert lab.registry.get("/subjects") == []
    assert lab.registry.get("/subjects?deleted=true") == ["orders-value"]
    assert lab.registry("DELETE", "/subjects/orders-value?permanent=true").json() == [1]
    assert lab.registry.get("/subjects?deleted=true") == []


def test_registries_are_separate(standin: Standin, lab: Lab) -> None:
    """Registries of two environments are foreign to each other."""
    made(lab.registry("POST", "/subjects/orders-value/versions", SCHEMA))
    other = made(
        lab.cloud(
            "POST",
            "/org/v2/environments",
            {"display_name": "b", "stream_governance_config": {"package": "ESSENTIALS"}},
        )
    )
    made(lab.cloud("POST", "/cmk/v2/clusters", cluster_body(other["id"])))
    found = lab.cloud.get(f"/srcm/v3/clusters?environment={other['id']}")["data"][0]
    assert standin.state.subjects[found["id"]].names() == []


def test_records_pass_through_its_kafka() -> None:
    """Records pass through the Kafka at the bootstrap endpoint."""
    with Standin() as standin:
        lab = build(standin)
        made(lab.topic("orders"))
        spec = lab.cloud.get(f"/cmk/v2/clusters/{lab.cluster}?environment={lab.environment}")["spec"]
        scheme, _, address = spec["kafka_bootstrap_endpoint"].partition("://")
        assert scheme == "PLAINTEXT"
        assert roundtrip(address, "orders", b"a record") == b"a record"


def test_kafka_of_a_deleted_cluster_is_gone() -> None:
    """The Kafka of a deleted cluster is gone."""
    with Standin() as standin:
        lab = build(standin)
        assert lab.cluster in standin.state.brokers
        lab.cloud("DELETE", f"/cmk/v2/clusters/{lab.cluster}?environment={lab.environment}")
        assert standin.state.brokers == {}


def roundtrip(bootstrap: str, topic: str, value: bytes) -> bytes | None:
    """What a consumer reads back, None after ten seconds."""
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    producer.produce(topic, value, partition=0)
    producer.flush(10)
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "test", "log_level": 0, "fetch.wait.max.ms": 5}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    deadline = time.monotonic() + 10
    try:
        while time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                return message.value()
        return None
    finally:
        consumer.close()
