"""The lab's own streams on what the stand-in answers, as a config.yaml from provisioning would have it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from provisioning.standin import Standin
from races.streams.codec import Codec
from races.streams.config import StreamSettings
from races.streams.consumer import Tail
from races.streams.errors import RegistryRefused
from races.streams.producer import Publisher
from races.streams.registry.client import HttpRegistry
from tests.fakes.api_caller import Lab, build, made

COMMENT = {"id": "1", "message": "Lights out", "timestamp": 1_790_000_000_000, "type": "info", "race_id": "a"}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Standin() as standin:
        yield build(standin)


def settings(lab: Lab, secret: str = "") -> StreamSettings:
    """The settings that provisioning reads from the answers: the scheme is taken off the bootstrap endpoint."""
    spec = lab.cloud.get(f"/cmk/v2/clusters/{lab.cluster}?environment={lab.environment}")["spec"]
    scheme, _, bootstrap = spec["kafka_bootstrap_endpoint"].partition("://")
    key, right = lab.keys["registry"]
    return StreamSettings(
        embedded=False,
        librdkafka={"bootstrap.servers": bootstrap, "security.protocol": scheme},
        registry_url=lab.registry.base,
        registry_auth=f"{key}:{secret or right}",
    )


@contextmanager
def registry_of(found: StreamSettings) -> Iterator[HttpRegistry]:
    """Closes its connections, which the lab keeps open for as long as it runs."""
    registry = HttpRegistry(found.registry_url, found.registry_auth)
    with registry._client:
        yield registry


def test_publisher_and_tail_on_the_stand_in(lab: Lab) -> None:
    """Records written by the lab's publisher are read back by its tail."""
    made(lab.topic("f1-commentary"))
    found = settings(lab)
    with registry_of(found) as registry:
        codec = Codec(found, registry)
        publisher, tail = Publisher(found, codec), Tail(found, ["commentary"], "beginning")
        try:
            publisher.send("commentary", None, COMMENT, 1_790_000_000_000)
            assert publisher.flush(10) == 0
            deadline = time.monotonic() + 10
            seen: list[dict[str, object]] = []
            while not seen and time.monotonic() < deadline:
                seen = [codec.decode(m.role, m.value) for m in tail.poll(10, 0.1)]
            assert seen == [COMMENT | {"drivers": None}]
        finally:
            tail.close()
            publisher.close()
    assert lab.registry.get("/subjects") == ["f1-commentary-value"]


def test_wrong_registry_key_is_named(lab: Lab) -> None:
    """The lab's registry client says when its key is wrong."""
    with registry_of(settings(lab, secret="wrong")) as registry, pytest.raises(RegistryRefused):
        registry.register("s-value", '"string"', "AVRO")
