"""Confluent's own clients against our registry over HTTP, and what our client makes of its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from bench.services.registry_http import Served, serve
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.errors import RegistryRefused, RegistryUnavailable, UnknownSchema
from races.streams.registry.client import HttpRegistry
from races.streams.registry.service import Registry
from races.streams.topics import TOPICS
from tests.streams.records import POSITION, VALUES

TOPIC = TOPICS["positions"].name
CONTEXT = SerializationContext(TOPIC, MessageField.VALUE)


@pytest.fixture
def http(served: Served) -> Iterator[HttpRegistry]:
    client = HttpRegistry(served.url)
    yield client
    client.close()


@pytest.fixture
def confluent(served: Served) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": served.url}) as client:
        yield client


@pytest.fixture
def served() -> Iterator[Served]:
    with serve(Registry()) as served:
        yield served


def test_confluents_serializer_and_our_codec_write_the_same_bytes(
    http: HttpRegistry, confluent: SchemaRegistryClient
) -> None:
    codec = Codec(embedded_settings("unused"), http)
    serializer = AvroSerializer(confluent, TOPICS["positions"].value_schema)
    theirs = serializer(POSITION, CONTEXT)
    assert theirs == codec.encode("positions", POSITION)
    deserializer = AvroDeserializer(confluent)
    assert deserializer(codec.encode("positions", POSITION), CONTEXT) == POSITION


def test_confluents_client_finds_its_way_around(confluent: SchemaRegistryClient) -> None:
    client = confluent
    schema = Schema(TOPICS["positions"].value_schema, "AVRO")
    schema_id = client.register_schema("s", schema)
    assert client.get_subjects() == ["s"]
    assert client.get_latest_version("s").schema_id == schema_id
    assert client.lookup_schema("s", schema).version == 1
    assert client.test_compatibility("s", schema)
    assert not client.test_compatibility("s", Schema('{"type": "record", "name": "X", "fields": []}', "AVRO"))
    with pytest.raises(SchemaRegistryError) as missing:
        client.get_latest_version("nobody")
    assert missing.value.error_code == 40401
    assert client.delete_subject("s") == [1]


def test_two_processes_with_http_clients_understand_each_other(served: Served, http: HttpRegistry) -> None:
    other = HttpRegistry(served.url)
    writer, reader = Codec(embedded_settings("unused"), http), Codec(embedded_settings("unused"), other)
    for role, value in VALUES.items():
        assert reader.decode(role, writer.encode(role, value)) == value
    other.close()
    config = served.registry.handle("GET", f"/config/{TOPIC}-value", {})
    assert config == (200, {"compatibilityLevel": "BACKWARD"})


def test_a_level_that_a_person_has_set_stays(served: Served, http: HttpRegistry) -> None:
    served.registry.handle("PUT", f"/config/{TOPIC}-value", {}, b'{"compatibility": "FULL_TRANSITIVE"}')
    http.register(f"{TOPIC}-value", TOPICS["positions"].value_schema, "AVRO", "BACKWARD")
    config = served.registry.handle("GET", f"/config/{TOPIC}-value", {})
    assert config == (200, {"compatibilityLevel": "FULL_TRANSITIVE"})


def test_json_leaves_the_level_of_earlier_labs(served: Served, http: HttpRegistry) -> None:
    served.registry.handle("PUT", "/config/f1-commentary-value", {}, b'{"compatibility": "BACKWARD"}')
    text = TOPICS["commentary"].value_schema
    earlier = json.loads(text)
    del earlier["properties"]["drivers"]
    http.register("f1-commentary-value", json.dumps(earlier), "JSON")
    assert http.register("f1-commentary-value", text, "JSON", "FORWARD") == 2
    config = served.registry.handle("GET", "/config/f1-commentary-value", {})
    assert config == (200, {"compatibilityLevel": "FORWARD"})


def test_a_registry_that_is_down_can_be_waited_for(served: Served, http: HttpRegistry) -> None:
    client, schema = http, TOPICS["positions"].value_schema
    served.down = True
    with pytest.raises(RegistryUnavailable):
        client.register("s", schema, "AVRO", "BACKWARD")
    with pytest.raises(RegistryUnavailable):
        client.schema(1)
    served.down = False
    schema_id = client.register("s", schema, "AVRO", "BACKWARD")
    assert json.loads(client.schema(schema_id)[1]) == json.loads(schema)


def test_a_registry_that_is_not_there_can_be_waited_for() -> None:
    client = HttpRegistry("http://127.0.0.1:1")
    with pytest.raises(RegistryUnavailable):
        client.schema(1)
    client.close()


def test_a_no_is_told_apart_from_no_answer(http: HttpRegistry) -> None:
    client = http
    with pytest.raises(UnknownSchema):
        client.schema(99)
    with pytest.raises(RegistryRefused):
        client.lookup("nobody", TOPICS["positions"].value_schema, "AVRO")
    with pytest.raises(RegistryRefused):
        client.register("s", "{", "AVRO")


class Forbidding(Registry):
    """A registry that forbids some calls, as Confluent's does. `forbids` holds pairs of method and part of a path."""

    def __init__(self, *forbids: tuple[str, str], answer: tuple[int, int] = (403, 40301)) -> None:
        super().__init__()
        self.forbids, self.answer = forbids, answer

    def handle(self, method: str, path: str, query: Mapping[str, str], body: bytes = b"") -> tuple[int, Any]:
        if any(method == verb and part in path for verb, part in self.forbids):
            status, code = self.answer
            return status, {"error_code": code, "message": "User is denied operation Write on Subject"}
        return super().handle(method, path, query, body)


REFUSALS = [(403, 40301), (422, 42205), (405, 405)]
FORBIDS_LEVEL, FORBIDS_VERSION = ("PUT", "/config"), ("POST", "/versions")


@pytest.mark.parametrize("answer", REFUSALS)
def test_forbidden_level_stays_as_it_is(answer: tuple[int, int]) -> None:
    """A key that may register and not configure, and a registry in READONLY mode."""
    registry = Forbidding(FORBIDS_LEVEL, answer=answer)
    with serve(registry) as served, closing(HttpRegistry(served.url)) as http:
        Codec(embedded_settings("unused"), http).prepare()
        assert "PUT /config/f1-driver-positions-value" in served.requests
        assert registry.handle("GET", "/config/f1-driver-positions-value", {}, b"")[0] == 404


@pytest.mark.parametrize("answer", REFUSALS)
def test_key_that_only_reads(answer: tuple[int, int]) -> None:
    """Where every schema is there, a read-only key writes and reads records."""
    registry = Forbidding(answer=answer)
    with serve(registry) as served, closing(HttpRegistry(served.url)) as http:
        Codec(embedded_settings("unused"), http).prepare()
        registry.forbids = (FORBIDS_LEVEL, FORBIDS_VERSION)
        codec = Codec(embedded_settings("unused"), http)
        codec.prepare()
        assert codec.decode("positions", codec.encode("positions", POSITION)) == POSITION


@pytest.mark.parametrize("answer", REFUSALS)
def test_missing_schema_names_the_refusal(answer: tuple[int, int]) -> None:
    registry = Forbidding(FORBIDS_LEVEL, FORBIDS_VERSION, answer=answer)
    with (
        serve(registry) as served,
        closing(HttpRegistry(served.url)) as http,
        pytest.raises(RegistryRefused, match="denied operation Write"),
    ):
        Codec(embedded_settings("unused"), http).prepare()


def test_refused_key_is_no_way_on() -> None:
    registry = Forbidding(("GET", "/"), ("PUT", "/"), ("POST", "/"), answer=(401, 40101))
    with serve(registry) as served, closing(HttpRegistry(served.url)) as http, pytest.raises(RegistryRefused):
        Codec(embedded_settings("unused"), http).prepare()
