"""One record there and back with the new keys: the proof that a lab can run on what was built."""

from __future__ import annotations

import os
import re
import time
from contextlib import closing
from typing import Any
from uuid import UUID

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from provisioning.errors import LOOPBACK, ProvisioningError
from provisioning.session import Session
from provisioning.steps import SOON_S, Steps, Waiting
from races.streams.codec import Codec
from races.streams.config import StreamSettings
from races.streams.registry.client import HttpRegistry

ROLE = "race_control"  # the quietest topic; a message of no race, which every reader passes over
NO_RACE = str(UUID(int=0))
DEADLINE_S = 90.0
POLL_S = 0.2
NOISE = re.compile(r"^\w+://\S+: | \(after \d+ms in state \w+\)|error:\w+:SSL routines::")
BLOCKED = (
    "A firewall may block port 9092, or the key is not known everywhere yet. Running again goes on from here."
)
UNTRUSTED = (
    "Whoever answers on Kafka's port could not prove to be it: an inspecting proxy, or a stand-in whose certificate is "
    "not in REQUESTS_CA_BUNDLE. Running again goes on from here."
)
KAFKA_PROTOCOLS = ("PLAINTEXT", "SASL_SSL", "SSL", "SASL_PLAINTEXT")


def split_endpoint(endpoint: str) -> tuple[str, str]:
    """Splits SASL_SSL://host:9092 into (SASL_SSL, host:9092). Without a scheme Confluent Cloud's own is meant."""
    scheme, separator, address = endpoint.rpartition("://")
    protocol = scheme.upper() if separator else "SASL_SSL"
    if protocol not in KAFKA_PROTOCOLS:
        raise ProvisioningError(f"The cluster's bootstrap endpoint has an unknown protocol: {scheme}.")
    return protocol, address


def librdkafka(session: Session) -> dict[str, str]:
    protocol, address = split_endpoint(str(session.need("cluster")["bootstrap"]))
    options = {"bootstrap.servers": address, "security.protocol": protocol}
    if protocol.startswith("SASL"):
        key = session.key("kafka") or {}
        options |= {"sasl.mechanism": "PLAIN", "sasl.username": key["id"], "sasl.password": key["secret"]}
    bundle = os.environ.get("REQUESTS_CA_BUNDLE")
    if (
        bundle and protocol.endswith("SSL") and address.rpartition(":")[0] in LOOPBACK
    ):  # a stand-in's certificate
        options["ssl.ca.location"] = bundle
    return options


def produce_and_read_back(session: Session) -> Steps[str]:
    """Returns in words how many milliseconds it took. Raises ProvisioningError. It gives way while it waits, which
    may take minutes."""
    start, key = time.monotonic(), session.key("registry") or {}
    settings = StreamSettings(
        embedded=False,
        librdkafka=librdkafka(session),
        registry_url=str(key["endpoint"]),
        registry_auth=f"{key['id']}:{key['secret']}",
        topics=dict(session.desired.topics),
        auto_register=False,
    )
    with closing(HttpRegistry(settings.registry_url, settings.registry_auth)) as registry:
        record = Codec(settings, registry).encode(ROLE, check_record(int(time.time() * 1000)))
    sent = yield from produce(session, record)
    got = yield from _read_back(session, sent)
    if got.value() != sent.value():
        raise ProvisioningError("The record that came back is not the one that was sent.")
    return f"one record there and back in {(time.monotonic() - start) * 1000:.0f} ms"


def check_record(timestamp: int) -> dict[str, Any]:
    """Makes the record that is sent there and back. timestamp is in epoch milliseconds."""
    return {
        "race_id": NO_RACE,
        "tick": 0,
        "timestamp": timestamp,
        "type": "check",
        "driver_code": "",
        "lap": 0,
        "message": "provision_confluent was here",
        "event": -1,
        "other_code": "",
        "position": 0,
        "value": None,
    }


class _Complaints:
    """Keeps what librdkafka complains of: it retries a refused login in silence and tells about it here only."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, error: KafkaError) -> None:
        self.last = NOISE.sub("", error.str())

    def waiting(self, what: str) -> Waiting:
        said = f" ({self.last})" if self.last else ""
        return Waiting(f"for Kafka {what}{said}", SOON_S)

    def failure(self, session: Session, what: str) -> ProvisioningError:
        why = session.redact(f": {self.last}" if self.last else "")
        return ProvisioningError(
            f"Kafka did not {what} within {DEADLINE_S:.0f} s{why}.",
            UNTRUSTED if "certificate" in self.last else BLOCKED,
        )


def _options(session: Session, complaints: _Complaints) -> dict[str, Any]:
    return librdkafka(session) | {"error_cb": complaints, "log_level": 0, "log.connection.close": False}


def produce(session: Session, value: bytes) -> Steps[Message]:
    complaints, delivered = _Complaints(), list[Message]()
    producer = Producer(_options(session, complaints) | {"message.timeout.ms": int(DEADLINE_S * 1000)})

    def on_delivery(error: KafkaError | None, message: Message) -> None:
        if error is None:
            delivered.append(message)
        else:
            complaints(error)

    producer.produce(session.topic(ROLE), value, NO_RACE.encode(), on_delivery=on_delivery)
    end = time.monotonic() + DEADLINE_S
    while not delivered:
        producer.poll(POLL_S)
        if not delivered and time.monotonic() >= end:
            raise complaints.failure(session, "take a record")
        if not delivered:
            yield complaints.waiting("to take a record")
    return delivered[0]


def _read_back(session: Session, sent: Message) -> Steps[Message]:
    complaints = _Complaints()
    group = {"group.id": "f1-provisioning-check", "enable.auto.commit": False, "fetch.wait.max.ms": 20}
    consumer = Consumer(_options(session, complaints) | group)
    try:
        consumer.assign(
            [TopicPartition(str(sent.topic()), int(sent.partition() or 0), int(sent.offset() or 0))]
        )
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            message = consumer.poll(POLL_S)
            if message is not None and message.error() is None:
                return message
            yield complaints.waiting("to give it back")
        raise complaints.failure(session, "give the record back")
    finally:
        consumer.close()
