"""Confluent's own clients against our registry over HTTP, and what our client makes of its errors."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from bench.services.registry_http import Served, serve
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.consumer import Tail
from races.streams.embedded import EmbeddedKafka
from races.streams.errors import BadRecord, RegistryRefused, RegistryUnavailable, UnknownSchema
from races.streams.framing import HEADER
from races.streams.record_reader import RecordReader
from races.streams.registry.client import HttpRegistry
from races.streams.registry.service import Registry
from races.streams.topics import TOPICS
from tests.streams.records import POSITION, VALUES, read

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


def test_codec_writes_confluents_bytes(http: HttpRegistry, confluent: SchemaRegistryClient) -> None:
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


def test_two_processes_with_http_clients(served: Served, http: HttpRegistry) -> None:
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


def test_no_differs_from_no_answer(http: HttpRegistry) -> None:
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
    with (
        serve(registry) as served,
        closing(HttpRegistry(served.url)) as administrator,
        closing(HttpRegistry(served.url)) as http,  # a client remembers what it has registered
    ):
        Codec(embedded_settings("unused"), administrator).prepare()
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


class Referring(Registry):
    """A registry as others have it: a position's schema that uses a record, and that an enum, in subjects of their
    own. car: the text of the record's schema.
    """

    TYRE = {"type": "enum", "name": "Tyre", "namespace": "other", "symbols": ["SOFT", "HARD"]}
    CAR = {
        "type": "record",
        "name": "Car",
        "namespace": "other",
        "fields": [{"name": "tyre", "type": "Tyre"}],
    }
    ADDED = ({"name": "ahead", "type": ["null", "other.Car"]}, {"name": "behind", "type": "other.Car"})

    def __init__(self, car: str = json.dumps(CAR)) -> None:
        super().__init__()
        own = json.loads(TOPICS["positions"].value_schema)
        main = json.dumps(own | {"fields": [*self.ADDED, *own["fields"]]})
        self._answers = {
            "schemas/ids/1": (main, [("other.Car", "car")]),
            "subjects/car/versions/1": (car, [("other.Tyre", "tyre")]),
            "subjects/tyre/versions/1": (json.dumps(self.TYRE), []),
        }

    def handle(self, method: str, path: str, query: Mapping[str, str], body: bytes = b"") -> tuple[int, Any]:
        if path.strip("/") not in self._answers:
            return super().handle(method, path, query, body)
        text, names = self._answers[path.strip("/")]
        references = [{"name": name, "subject": subject, "version": 1} for name, subject in names]
        return 200, {"subject": "s", "version": 1, "id": 1, "schema": text, "references": references}


def test_references_are_followed() -> None:
    """Types that stand in subjects of their own are read; fields of them that are not ours are left out."""
    with serve(Referring()) as served, closing(HttpRegistry(served.url)) as client:
        kind, text = client.schema(1)
        parsed = fastavro.parse_schema(json.loads(text))
        data = io.BytesIO()
        fastavro.schemaless_writer(
            data, parsed, POSITION | {"ahead": {"tyre": "HARD"}, "behind": {"tyre": "SOFT"}}
        )
        codec = Codec(embedded_settings("unused"), client)
        assert kind == "AVRO"
        assert codec.decode("positions", HEADER.pack(0, 1) + data.getvalue()) == POSITION


@pytest.mark.parametrize("broken", ["", "{", "[" * 5000, '"other.Car"'])
def test_broken_reference_is_a_bad_record(broken: str) -> None:
    """It is counted, and the reader does not wait for a registry that has answered."""
    with serve(Referring(broken)) as served, closing(HttpRegistry(served.url)) as client:
        codec = Codec(embedded_settings("unused"), client)
        with pytest.raises(BadRecord):
            codec.decode("positions", HEADER.pack(0, 1) + b"\2" * 60)


def test_confluents_header_mode_is_read(confluent: SchemaRegistryClient, served: Served) -> None:
    """Its serializer puts a GUID into a header of the record, and nothing in front of the value."""
    serializer = AvroSerializer(
        confluent,
        TOPICS["positions"].value_schema,
        conf={"schema.id.serializer": header_schema_id_serializer},
    )
    headers: list[tuple[str, str | bytes | None]] = []
    value = serializer(POSITION, SerializationContext(TOPIC, MessageField.VALUE, headers))
    with EmbeddedKafka([TOPIC]) as kafka, closing(HttpRegistry(served.url)) as client:
        producer = Producer({"bootstrap.servers": kafka.bootstrap})
        producer.produce(TOPIC, value, headers=headers)
        producer.flush(10)
        settings = embedded_settings(kafka.bootstrap)
        tail = Tail(settings, ["positions"])
        (message,) = read(tail, 1)
        tail.close()
        assert [one.message for one in RecordReader(settings).newest("positions", 1)] == [message]
        assert Codec(settings, client).decode("positions", message.value) == POSITION
        assert Codec(settings, served.registry).decode("positions", message.value) == POSITION


def test_unknown_guid_is_counted(served: Served, http: HttpRegistry) -> None:
    for registry in (http, Registry()):
        with pytest.raises(UnknownSchema):
            Codec(embedded_settings("unused"), registry).decode("positions", b"\1" + b"x" * 30)
