"""Bytes out are Confluent's and fastavro's; bytes in are read whoever wrote them, or refused as BadRecord."""

from __future__ import annotations

import io
import json
import tracemalloc
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.decoding import parse_own
from races.streams.errors import (
    BadRecord,
    RegistryRefused,
    RegistryUnavailable,
    Tombstone,
    UnknownSchema,
)
from races.streams.fast_avro import Field, make_decoder, make_encoder
from races.streams.framing import HEADER
from races.streams.registry.service import Registry
from races.streams.topics import TOPICS
from races.streams.validation import avro_schema
from tests.streams.records import BASE_POSITION, KEYS, NOW_MS, POSITION, VALUES

SETTINGS = embedded_settings("unused:9092")
AVRO = [topic.value_schema for topic in TOPICS.values() if topic.value_format == "avro"]
AVRO += [topic.key_schema for topic in TOPICS.values() if topic.key_schema]
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=200),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "boolean": st.booleans(),
}


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def codec(registry: Registry) -> Codec:
    codec = Codec(SETTINGS, registry)
    codec.prepare()
    return codec


def written(
    registry: Registry, schema: dict[str, Any], record: dict[str, Any], subject: str = "other"
) -> bytes:
    """What a writer with this schema sends."""
    out = io.BytesIO()
    out.write(HEADER.pack(0, registry.register(subject, json.dumps(schema), "AVRO", "NONE")))
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def value_schema(role: str) -> dict[str, Any]:
    return dict(json.loads(TOPICS[role].value_schema))


def field_values(field: Field) -> st.SearchStrategy[Any]:
    return KINDS[field.kind] | st.none() if field.nullable else KINDS[field.kind]


@pytest.mark.parametrize("schema", AVRO)
@given(data=st.data())
@settings(max_examples=60)
def test_our_bytes_are_fastavros(schema: str, data: st.DataObject) -> None:
    fields = avro_schema(schema).fields
    record = {field.name: data.draw(field_values(field)) for field in fields}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parse_own(schema), record)
    assert make_encoder(fields)(record, b"") == out.getvalue()
    assert make_decoder(fields)(out.getvalue(), 0) == record


@pytest.mark.parametrize("role", list(VALUES))
def test_every_role_survives_the_round_trip(codec: Codec, role: str) -> None:
    assert codec.decode(role, codec.encode(role, VALUES[role])) == VALUES[role]
    assert codec.decode_key(role, codec.encode_key(role, KEYS[role])) == KEYS[role]


def test_confluents_header_comes_first(codec: Codec, registry: Registry) -> None:
    data = codec.encode("positions", POSITION)
    magic, schema_id = HEADER.unpack(data[:5])
    assert magic == 0
    assert registry.schema(schema_id)[0] == "AVRO"
    assert json.loads(registry.schema(schema_id)[1])["name"] == "DriverPosition"


def test_missing_fields_are_written_with_their_defaults(codec: Codec) -> None:
    read = codec.decode("positions", codec.encode("positions", BASE_POSITION))
    assert read == BASE_POSITION | {key: read[key] for key in read if key not in BASE_POSITION}
    assert (read["tick"], read["flag"], read["gap_s"]) == (-1, "green", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"position": "third"},
        {"speed": None},
        {"speed": "fast"},
        {"position": 2**31},
        {"driver_name": None},
        {"pit": "no"},
        {"driver_name": "\ud800"},
    ],
)
def test_a_record_that_the_schema_cannot_hold_is_refused(codec: Codec, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRecord):
        codec.encode("positions", POSITION | wrong)


def test_a_base_field_cannot_be_left_out(codec: Codec) -> None:
    with pytest.raises(BadRecord, match="speed"):
        codec.encode("positions", {key: value for key, value in POSITION.items() if key != "speed"})


@pytest.mark.parametrize("role", [role for role, topic in TOPICS.items() if topic.value_format == "avro"])
def test_records_with_the_base_fields_only_are_understood(
    codec: Codec, registry: Registry, role: str
) -> None:
    schema, base = value_schema(role), TOPICS[role].base_fields
    schema["fields"] = [field for field in schema["fields"] if field["name"] in base]
    record = {name: VALUES[role][name] for name in base}
    read = codec.decode(role, written(registry, schema, record))
    assert {name: read[name] for name in base} == record
    assert set(read) == set(VALUES[role])


def test_a_newer_writers_fields_are_left_out(codec: Codec, registry: Registry) -> None:
    schema = value_schema("positions")
    weather = {"type": "record", "name": "Weather", "fields": [{"name": "rain", "type": "boolean"}]}
    schema["fields"] = [
        {"name": "drs_zones", "type": {"type": "array", "items": "int"}},
        *schema["fields"],
        {"name": "energy", "type": ["null", {"type": "map", "values": "double"}], "default": None},
        {"name": "weather", "type": weather},
        {"name": "chip", "type": {"type": "fixed", "name": "Chip", "size": 4}},
        {"name": "compound", "type": {"type": "enum", "name": "Compound", "symbols": ["C1", "C2"]}},
    ]
    more = {
        "drs_zones": [1, 2],
        "energy": {"mj": 1.5},
        "weather": {"rain": True},
        "chip": b"1234",
        "compound": "C2",
    }
    assert codec.decode("positions", written(registry, schema, POSITION | more)) == POSITION


def test_writers_may_use_other_type_names(codec: Codec, registry: Registry) -> None:
    """As Flink does: the table's name, nullable columns, an int where we have a double."""
    fields = [
        {"name": "speed", "type": "int"},
        {"name": "race_id", "type": ["null", "string"], "default": None},
        *({"name": name, "type": ["null", "string"]} for name in ("team_name", "driver_name")),
        {"name": "position", "type": ["null", "int"]},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ]
    schema = {"type": "record", "name": "f1_value", "namespace": "org.apache.flink.avro", "fields": fields}
    read = codec.decode("positions", written(registry, schema, BASE_POSITION | {"speed": 287}))
    assert {name: read[name] for name in BASE_POSITION} == BASE_POSITION | {"speed": 287.0}
    assert type(read["timestamp"]) is int


def test_a_null_where_we_need_a_value_is_refused(codec: Codec, registry: Registry) -> None:
    schema = value_schema("positions")
    schema["fields"][0]["type"] = ["null", "string"]
    with pytest.raises(BadRecord):
        codec.decode("positions", written(registry, schema, POSITION | {"driver_name": None}))


def test_cut_off_record_is_refused(codec: Codec, registry: Registry) -> None:
    schema = value_schema("positions")
    schema["fields"][0]["type"] = ["null", "string"]
    whole = written(registry, schema, POSITION)
    for length in range(5, len(whole)):
        with pytest.raises(BadRecord, match=r": \S"):
            codec.decode("positions", whole[:length])


def test_a_flink_anomaly_is_read_from_key_and_value(codec: Codec, registry: Registry) -> None:
    """The original lab's table: three columns in the value, key and ts in the key."""
    value = value_schema("car_metrics_anomalies") | {
        "fields": value_schema("car_metrics_anomalies")["fields"][:3]
    }
    data = written(registry, value, {"team_name": None, "engine_temperature": 121.0, "is_anomaly": True})
    assert codec.decode("car_metrics_anomalies", data) == {
        "team_name": None,
        "engine_temperature": 121.0,
        "is_anomaly": True,
        "forecast_value": None,
        "lower_bound": None,
        "upper_bound": None,
        "rmse": None,
    }
    schema = json.loads(TOPICS["car_metrics_anomalies"].key_schema or "")
    key = written(registry, schema, {"key": "Ferrari", "ts": NOW_MS}, "key")
    assert codec.decode_key("car_metrics_anomalies", key) == {"key": "Ferrari", "ts": NOW_MS}


def framed(registry: Registry, value: object) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    schema_id = registry.register("json", TOPICS["commentary"].value_schema, "JSON", "NONE")
    return HEADER.pack(0, schema_id) + text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("given_record", "read"),
    [
        ({"race_id": None}, {"race_id": None}),
        ({"timestamp": float(NOW_MS)}, {"timestamp": NOW_MS}),
        ({"mood": "new", "more": {"nested": []}}, {}),
        ({"drivers": None}, {"drivers": None}),
        ({"drivers": ["PER", "N\u202eR"]}, {"drivers": ["PER"]}),
    ],
)
def test_commentary_of_others_is_understood(
    codec: Codec, registry: Registry, given_record: dict[str, Any], read: dict[str, Any]
) -> None:
    data = framed(registry, VALUES["commentary"] | given_record)
    assert codec.decode("commentary", data) == VALUES["commentary"] | read


def test_commentary_of_base_fields_is_understood(codec: Codec, registry: Registry) -> None:
    record = {name: VALUES["commentary"][name] for name in TOPICS["commentary"].base_fields}
    assert codec.decode("commentary", framed(registry, record)) == record | {"race_id": None, "drivers": None}


@pytest.mark.parametrize(
    "value",
    [
        [],
        "null",
        "{",
        "[" * 100_000,
        '{"id": "1", "message": "m", "timestamp": NaN, "type": "info"}',
        '{"id": "1", "message": "m", "timestamp": 1e999, "type": "info"}',
        '{"id": "1", "message": "m", "timestamp": ' + "9" * 5000 + ', "type": "info"}',
        '{"id": "1", "message": "m", "timestamp": -5, "type": "info"}',
        '{"id": "1", "message": "\\ud800", "timestamp": 5, "type": "info"}',
        '{"id": "1", "message": "a\\u0000b", "timestamp": 5, "type": "info"}',
        {"id": 1, "message": "m", "timestamp": 5, "type": "info"},
        {"id": "1", "message": None, "timestamp": 5, "type": "info"},
        {"id": "1", "message": "m", "timestamp": True, "type": "info"},
        {"id": "1", "message": "m", "timestamp": "5", "type": "info"},
        {"id": "1", "message": "m" * 5000, "timestamp": 5, "type": "info"},
        {"message": "m", "timestamp": 5, "type": "info"},
        {"id": "1", "message": "m", "timestamp": 5, "type": "info", "drivers": "NOR"},
        {"id": "1", "message": "m", "timestamp": 5, "type": "info", "drivers": [1]},
        {"id": "1", "message": "m", "timestamp": 5, "type": "info", "drivers": ["NOR"] * 31},
        {"id": "1", "message": "m", "timestamp": 5, "type": "info", "drivers": ["N" * 21]},
        "\udcff",
    ],
    ids=lambda value: str(value)[:30].encode("unicode_escape").decode(),
)
def test_commentary_that_cannot_be_meant_is_refused(codec: Codec, registry: Registry, value: object) -> None:
    with pytest.raises(BadRecord):
        codec.decode("commentary", framed(registry, value))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("speed", float("nan")),
        ("speed", float("inf")),
        ("gap_s", -1e300),
        ("timestamp", -1),
        ("timestamp", 2**62),
        ("position", 2**31 - 1),
        ("tick", -2),
        ("driver_name", "x" * 301),
        ("race_id", "a\0b"),
    ],
)
def test_numbers_and_texts_out_of_all_proportion_are_refused(codec: Codec, field: str, value: object) -> None:
    with pytest.raises(BadRecord, match=field):
        codec.decode("positions", codec.encode("positions", POSITION | {field: value}))


def test_bytes_that_are_no_record_are_refused(codec: Codec) -> None:
    good = codec.encode("positions", POSITION)
    for data in (
        b"",
        b"\0",
        b"\0\0\0\0",
        b"\1" + good[1:],
        good + b"\0",
        good[:-1],
        good[:5],
        b"{}",
        good[:5] * 9,
    ):
        with pytest.raises(BadRecord):
            codec.decode("positions", data)
    with pytest.raises(BadRecord, match="at most"):
        codec.decode("positions", good + bytes(300_000))


@pytest.mark.parametrize("length", [2**31, 2**62, -1, -(2**62)])
def test_a_hostile_length_allocates_nothing(codec: Codec, length: int) -> None:
    zigzag, prefix = (length << 1) ^ (length >> 63), bytearray()
    while zigzag > 127:
        prefix.append(zigzag & 127 | 128)
        zigzag >>= 7
    data = codec.encode("positions", POSITION)[:5] + bytes(prefix) + bytes([zigzag]) + b"x" * 100
    tracemalloc.start()
    with pytest.raises(BadRecord):
        codec.decode("positions", data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize(
    "fields",
    [
        [{"name": "x", "type": {"type": "array", "items": "null"}}],
        [{"name": "x", "type": {"type": "array", "items": {"type": "record", "name": "E", "fields": []}}}],
        [{"name": "x", "type": {"type": "map", "values": "R"}}],
        [{"name": "x", "type": ["null", "R"]}],
    ],
)
def test_costly_writers_schemas_are_refused(
    codec: Codec, registry: Registry, fields: list[dict[str, Any]]
) -> None:
    schema = {"type": "record", "name": "R", "fields": fields}
    schema_id = registry.register("hostile", json.dumps(schema), "AVRO", "NONE")
    endless = HEADER.pack(0, schema_id) + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + b"\2" * 1000
    with pytest.raises(BadRecord):
        codec.decode("positions", endless)


def test_tombstone_is_marked(codec: Codec) -> None:
    with pytest.raises(Tombstone):
        codec.decode("avg_speed", None)
    assert codec.decode_key("positions", None) is None


@pytest.mark.parametrize("key", [b"\xff\xfe", b"x" * 301, b"a\0b"])
def test_text_keys_that_cannot_be_meant_are_refused(codec: Codec, key: bytes) -> None:
    with pytest.raises(BadRecord):
        codec.decode_key("positions", key)


class Flaky:
    """A registry that can be away, and counts what it is asked."""

    def __init__(self) -> None:
        self.registry, self.away, self.asked = Registry(), False, 0

    def _check(self) -> Registry:
        self.asked += 1
        if self.away:
            raise RegistryUnavailable("away")
        return self.registry

    def register(self, subject: str, text: str, schema_type: str, level: str | None = None) -> int:
        return self._check().register(subject, text, schema_type, level)

    def lookup(self, subject: str, text: str, schema_type: str) -> int:
        return self._check().lookup(subject, text, schema_type)

    def schema(self, schema_id: int | str) -> tuple[str, str]:
        return self._check().schema(schema_id)


def test_a_registry_that_answers_late_is_waited_for() -> None:
    registry = Flaky()
    codec = Codec(SETTINGS, registry)
    registry.away = True
    with pytest.raises(RegistryUnavailable):
        codec.encode("positions", POSITION)
    with pytest.raises(RegistryUnavailable):
        codec.decode("positions", HEADER.pack(0, 1) + b"x")
    registry.away = False
    assert codec.decode("positions", codec.encode("positions", POSITION)) == POSITION


def test_what_is_known_needs_no_registry() -> None:
    registry = Flaky()
    codec = Codec(SETTINGS, registry)
    codec.prepare()
    registry.away, asked = True, registry.asked
    for role, value in VALUES.items():
        assert codec.decode(role, codec.encode(role, value)) == value
    assert registry.asked == asked


def test_lock_holder_reads_without_asking() -> None:
    registry = Flaky()
    writer, codec = Codec(SETTINGS, registry.registry), Codec(SETTINGS, registry)
    role = "car_metrics_anomalies"
    key, value = writer.encode_key(role, KEYS[role]), writer.encode(role, VALUES[role])
    for _ in range(2):
        with pytest.raises(RegistryUnavailable):
            codec.decode(role, value, ask=False)
        with pytest.raises(RegistryUnavailable):
            codec.decode_key(role, key, ask=False)
    assert registry.asked == 0
    codec.learn(role, key, value)
    assert codec.decode(role, value, ask=False) == VALUES[role]
    assert codec.decode_key(role, key, ask=False) == KEYS[role]


def test_what_cannot_be_learnt_is_for_its_reader_to_tell() -> None:
    codec = Codec(SETTINGS, Registry())
    for data in (None, b"x", HEADER.pack(0, 4711) + b"x"):
        codec.learn("positions", b"race", data)
    with pytest.raises(UnknownSchema):
        codec.decode("positions", HEADER.pack(0, 4711) + b"x", ask=False)


def test_nobody_waits_for_what_another_asks() -> None:
    """A caller that does not want to ask does not wait for one that does."""
    asked, answer = Event(), Event()

    class Slow(Registry):
        def schema(self, schema_id: int | str) -> tuple[str, str]:
            asked.set()
            answer.wait(20)
            return super().schema(schema_id)

    codec, data = Codec(SETTINGS, Slow()), HEADER.pack(0, 4711) + b"x"
    asker = Thread(target=codec.learn, args=("positions", None, data))
    asker.start()
    assert asked.wait(5)
    with pytest.raises(RegistryUnavailable):
        codec.decode("positions", data, ask=False)
    assert asker.is_alive()
    answer.set()
    asker.join(10)


def test_a_record_is_decoded_once_but_a_large_one_is_not_kept(codec: Codec, registry: Registry) -> None:
    ours = codec.encode("positions", POSITION)
    assert codec.decode("positions", ours) is codec.decode("positions", ours)
    schema = value_schema("positions")
    schema["fields"].append({"name": "more", "type": "string"})
    large = written(registry, schema, POSITION | {"more": "x" * 10_000})
    assert codec.decode("positions", large) is not codec.decode("positions", large)


def test_unknown_ids_do_not_hammer_the_registry() -> None:
    registry = Flaky()
    codec = Codec(SETTINGS, registry)
    codec.prepare()
    asked = registry.asked
    for _ in range(500):
        with pytest.raises(UnknownSchema):
            codec.decode("positions", HEADER.pack(0, 4711) + b"x")
    assert registry.asked == asked + 1
    for schema_id in range(10_000, 11_000):
        with pytest.raises(UnknownSchema):
            codec.decode("positions", HEADER.pack(0, schema_id) + b"x")
    assert registry.asked < asked + 100


def test_without_auto_register_schemas_must_be_there_already() -> None:
    registry = Registry()
    codec = Codec(replace(SETTINGS, auto_register=False), registry)
    with pytest.raises(RegistryRefused, match="f1-driver-positions-value"):
        codec.prepare()
    Codec(SETTINGS, registry).prepare()
    codec.prepare()
    assert codec.decode("positions", codec.encode("positions", POSITION)) == POSITION


def test_incompatible_schema_names_its_subject() -> None:
    registry = Registry()
    schema = {"type": "record", "name": "DriverPosition", "fields": [{"name": "speed", "type": "string"}]}
    registry.register("f1-driver-positions-value", json.dumps(schema), "AVRO")
    with pytest.raises(RegistryRefused, match=r"f1-driver-positions-value.*incompatible"):
        Codec(SETTINGS, registry).prepare()
