"""The registry answers as Confluent's does: paths, codes and what may follow what."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from races.streams.errors import RegistryRefused, RegistryUnavailable, UnknownSchema
from races.streams.registry.service import Registry
from races.streams.topics import TOPICS, compatibility, subject


def record(*fields: dict[str, Any], name: str = "R") -> str:
    return json.dumps({"type": "record", "name": name, "fields": list(fields)})


A = {"name": "a", "type": "string"}
B = {"name": "b", "type": "int"}
B_DEFAULT = B | {"default": 0}


@pytest.fixture
def registry() -> Registry:
    return Registry()


def ask(registry: Registry, method: str, path: str, body: object = None, **query: str) -> tuple[int, Any]:
    """The status and the answer, without the GUID, which has a test of its own."""
    status, answer = registry.handle(method, path, query, b"" if body is None else json.dumps(body).encode())
    if isinstance(answer, dict):
        answer.pop("guid", None)
    return status, answer


def post(registry: Registry, name: str, schema: str, kind: str = "AVRO") -> tuple[int, Any]:
    return ask(registry, "POST", f"/subjects/{name}/versions", {"schema": schema, "schemaType": kind})


def test_a_schema_keeps_its_id_wherever_it_is_registered(registry: Registry) -> None:
    assert post(registry, "one-value", record(A)) == (200, {"id": 1})
    assert post(registry, "two-value", record(A)) == (200, {"id": 1})
    assert post(registry, "one-value", json.dumps(json.loads(record(A)), indent=4)) == (200, {"id": 1})
    assert ask(registry, "GET", "/subjects") == (200, ["one-value", "two-value"])
    assert ask(registry, "GET", "/schemas/ids/1/versions")[1] == [
        {"subject": "one-value", "version": 1},
        {"subject": "two-value", "version": 1},
    ]


def test_versions_are_read_by_number_and_as_latest(registry: Registry) -> None:
    post(registry, "s", record(A))
    post(registry, "s", record(A, B_DEFAULT))
    assert ask(registry, "GET", "/subjects/s/versions") == (200, [1, 2])
    status, latest = ask(registry, "GET", "/subjects/s/versions/latest")
    assert (status, latest["version"], latest["id"]) == (200, 2, 2)
    assert json.loads(latest["schema"]) == json.loads(record(A, B_DEFAULT))
    assert ask(registry, "GET", "/subjects/s/versions/1/schema") == (200, json.loads(record(A)))
    assert json.loads(ask(registry, "GET", "/schemas/ids/2")[1]["schema"]) == json.loads(record(A, B_DEFAULT))


def test_a_schema_is_looked_up_by_its_text(registry: Registry) -> None:
    post(registry, "s", record(A))
    assert ask(registry, "POST", "/subjects/s", {"schema": record(A)})[1]["id"] == 1
    assert ask(registry, "POST", "/subjects/s", {"schema": record(B)})[1]["error_code"] == 40403
    assert ask(registry, "POST", "/subjects/t", {"schema": record(A)})[1]["error_code"] == 40401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/subjects/none/versions", None, 404, 40401),
        ("GET", "/subjects/s/versions/7", None, 404, 40402),
        ("GET", "/subjects/s/versions/x", None, 422, 42202),
        ("GET", "/subjects/s/versions/0", None, 422, 42202),
        ("GET", "/schemas/ids/99", None, 404, 40403),
        ("GET", "/schemas/ids/../../x", None, 404, 404),
        ("POST", "/subjects/s/versions", {"schema": "{"}, 422, 42201),
        ("POST", "/subjects/s/versions", {"schema": '{"type": "nothing"}'}, 422, 42201),
        ("POST", "/subjects/s/versions", {"schema": 7}, 422, 42201),
        ("POST", "/subjects/s/versions", {"schema": "x", "schemaType": "PROTOBUF"}, 422, 42201),
        ("POST", "/subjects/s/versions", [], 400, 400),
        ("PUT", "/config", {"compatibility": "SOMETIMES"}, 422, 42203),
        ("GET", "/config/s", None, 404, 40408),
        ("PATCH", "/subjects", None, 405, 405),
        ("GET", "/nowhere", None, 404, 404),
        ("DELETE", "/subjects/none", None, 404, 40401),
    ],
)
def test_errors_carry_the_real_codes(
    registry: Registry, method: str, path: str, body: object, status: int, code: int
) -> None:
    post(registry, "s", record(A))
    got, reply = ask(registry, method, path, body)
    assert (got, reply["error_code"]) == (status, code)
    assert reply["message"]


def test_a_body_that_is_no_json_or_too_long_is_refused(registry: Registry) -> None:
    assert registry.handle("POST", "/subjects/s/versions", {}, b"\xff{")[0] == 400
    assert registry.handle("POST", "/subjects/s/versions", {}, b"[" * 30_000)[0] == 400
    assert registry.handle("POST", "/subjects/s/versions", {}, b"x" * 2_000_000)[0] == 413


@pytest.mark.parametrize(
    ("level", "old", "new", "may"),
    [
        ("BACKWARD", [A], [A, B_DEFAULT], True),
        ("BACKWARD", [A], [A, B], False),
        ("BACKWARD", [A, B], [A], True),
        ("FORWARD", [A], [A, B], True),
        ("FORWARD", [A, B], [A], False),
        ("FULL", [A], [A, B_DEFAULT], True),
        ("FULL", [A], [A, B], False),
        ("FULL", [A, B], [A], False),
        ("NONE", [A], [B], True),
        ("BACKWARD", [A, B], [A, {"name": "b", "type": "long"}], True),
        ("BACKWARD", [A, B], [A, {"name": "b", "type": "string"}], False),
    ],
)
def test_levels_decide_what_may_follow(
    registry: Registry, level: str, old: list[dict[str, Any]], new: list[dict[str, Any]], may: bool
) -> None:
    ask(registry, "PUT", "/config/s", {"compatibility": level})
    post(registry, "s", record(*old))
    checked = ask(registry, "POST", "/compatibility/subjects/s/versions/latest", {"schema": record(*new)})
    assert checked == (200, {"is_compatible": may})
    status, reply = post(registry, "s", record(*new))
    assert status == (200 if may else 409)
    if not may:
        assert reply["error_code"] == 409
        assert "incompatible" in reply["message"]


def test_a_field_without_a_default_is_named_as_that(registry: Registry) -> None:
    post(registry, "s", record(A))
    assert "field 'b' has no default" in post(registry, "s", record(A, B))[1]["message"]


def test_a_transitive_level_looks_at_every_version(registry: Registry) -> None:
    was_text, was_number = record(A, {"name": "b", "type": "string", "default": ""}), record(A, B_DEFAULT)
    for level, status in (("BACKWARD", 200), ("BACKWARD_TRANSITIVE", 409)):
        name = level.lower()
        ask(registry, "PUT", f"/config/{name}", {"compatibility": level})
        post(registry, name, was_text)
        post(registry, name, record(A))
        assert post(registry, name, was_number)[0] == status


def test_the_global_level_holds_where_a_subject_has_none(registry: Registry) -> None:
    assert ask(registry, "GET", "/config") == (200, {"compatibilityLevel": "BACKWARD"})
    assert ask(registry, "PUT", "/config", {"compatibility": "none"}) == (200, {"compatibility": "NONE"})
    post(registry, "s", record(A))
    assert post(registry, "s", record(B))[0] == 200
    ask(registry, "PUT", "/config/s", {"compatibility": "FULL"})
    assert ask(registry, "GET", "/config/s") == (200, {"compatibilityLevel": "FULL"})
    assert ask(registry, "DELETE", "/config/s") == (200, {"compatibilityLevel": "FULL"})
    assert ask(registry, "GET", "/config/s", defaultToGlobal="true") == (200, {"compatibilityLevel": "NONE"})


def unions(name: str, deep: int) -> Any:
    """Six records, each with six of its own, and so on."""
    if deep == 0:
        return "int"
    names = [f"{name}{n}" for n in range(6)]
    return [json.loads(record({"name": "z", "type": unions(one, deep - 1)}, name=one)) for one in names]


def test_what_would_take_long_to_compare_is_refused_soon(registry: Registry) -> None:
    post(registry, "s", record({"name": "u", "type": unions("A", 3)}))
    status, answer = post(registry, "s", record({"name": "u", "type": unions("B", 3)}))
    assert (status, answer["error_code"]) == (409, 409)
    assert "too much in them" in answer["message"]
    assert post(registry, "s", record({"name": "u", "type": unions("A", 3)})) == (200, {"id": 1})


def test_deleting_is_soft_first_and_then_permanent(registry: Registry) -> None:
    post(registry, "s", record(A))
    assert ask(registry, "DELETE", "/subjects/s", permanent="true")[1]["error_code"] == 40405
    assert ask(registry, "DELETE", "/subjects/s") == (200, [1])
    assert ask(registry, "GET", "/subjects") == (200, [])
    assert ask(registry, "GET", "/subjects", deleted="true") == (200, ["s"])
    assert ask(registry, "GET", "/schemas/ids/1")[0] == 200, "records that carry it stay readable"
    assert post(registry, "s", record(A)) == (200, {"id": 1})
    assert ask(registry, "GET", "/subjects/s/versions") == (200, [2])
    ask(registry, "DELETE", "/subjects/s")
    assert ask(registry, "DELETE", "/subjects/s", permanent="true") == (200, [1, 2])
    assert ask(registry, "GET", "/schemas/ids/1")[1]["error_code"] == 40403


def test_one_version_is_deleted_alone(registry: Registry) -> None:
    post(registry, "s", record(A))
    post(registry, "s", record(A, B_DEFAULT))
    assert ask(registry, "DELETE", "/subjects/s/versions/1", permanent="true")[1]["error_code"] == 40407
    assert ask(registry, "DELETE", "/subjects/s/versions/1") == (200, 1)
    assert ask(registry, "GET", "/subjects/s/versions") == (200, [2])
    assert ask(registry, "DELETE", "/subjects/s/versions/1", permanent="true") == (200, 1)


@pytest.mark.parametrize(
    ("new", "may"),
    [
        ({"properties": {"a": {"type": "string"}, "c": {"type": "string"}}, "required": ["a"]}, False),
        ({"properties": {"a": {"type": "string"}, "c": {}}, "required": ["a"]}, True),
        ({"properties": {"a": {"type": "string"}}, "required": ["a"]}, True),
        ({"properties": {"a": {"type": "string"}}, "additionalProperties": False}, False),
        ({"properties": {"a": {"type": "string"}, "c": {"type": "string"}}, "required": ["a", "c"]}, False),
        ({"properties": {"a": {"oneOf": [{"type": "null"}, {"type": "string"}]}}, "required": ["a"]}, True),
        ({"properties": {"a": {"type": "number"}}, "required": ["a"]}, False),
    ],
)
def test_json_schemas_follow_the_same_levels(registry: Registry, new: dict[str, Any], may: bool) -> None:
    old = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "number"}},
        "required": ["a"],
    }
    assert post(registry, "s", json.dumps(old), "JSON") == (200, {"id": 1})
    assert ask(registry, "GET", "/schemas/ids/1")[1]["schemaType"] == "JSON"
    assert post(registry, "s", json.dumps({"type": "object"} | new), "JSON")[0] == (200 if may else 409)
    assert post(registry, "s", record(A))[0] == 409, "a subject doesn't change its format"


CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
MORE = {"properties": {"a": {"type": "string"}, "b": {"type": "number"}}}


@pytest.mark.parametrize(
    ("level", "old", "new", "may"),
    [
        ("BACKWARD", OPEN, OPEN | MORE, False),
        ("FORWARD", OPEN, OPEN | MORE, True),
        ("FORWARD", OPEN | MORE, OPEN, False),
        ("BACKWARD", CLOSED, CLOSED | MORE, True),
        ("FORWARD", CLOSED, CLOSED | MORE, False),
        ("BACKWARD", CLOSED | MORE, CLOSED, False),
        ("BACKWARD", OPEN, CLOSED, False),
        ("FULL", OPEN, OPEN | MORE, False),
    ],
)
def test_open_json_schemas_grow_forward(
    registry: Registry, level: str, old: dict[str, Any], new: dict[str, Any], may: bool
) -> None:
    """An open schema gains a property under FORWARD, a closed one under BACKWARD, as Confluent's registry has it."""
    ask(registry, "PUT", "/config/s", {"compatibility": level})
    assert post(registry, "s", json.dumps(old), "JSON")[0] == 200
    status, answer = post(registry, "s", json.dumps(new), "JSON")
    assert status == (200 if may else 409), answer


COMMENTARY = TOPICS["commentary"].value_schema


def earlier_commentary() -> str:
    """Our schema of commentary as it was before lines said of whom they speak."""
    schema = json.loads(COMMENTARY)
    del schema["properties"]["drivers"]
    return json.dumps(schema)


@pytest.mark.parametrize("standing", ["", "BACKWARD", "FORWARD", "NONE"])
def test_commentary_grows_in_a_lab_that_has_run(registry: Registry, standing: str) -> None:
    """Earlier versions gave the subject BACKWARD, under which an open schema gains nothing."""
    if standing:
        ask(registry, "PUT", "/config/c", {"compatibility": standing})
    first = registry.register("c", earlier_commentary(), "JSON")
    second = registry.register("c", COMMENTARY, "JSON", compatibility("value", "json"))
    assert first != second
    level = ask(registry, "GET", "/config/c")[1]["compatibilityLevel"]
    assert level == ("NONE" if standing == "NONE" else "FORWARD")
    assert registry.register("c", earlier_commentary(), "JSON", "BACKWARD") == first, "the older lab goes on"


def test_our_own_schemas_register_at_their_levels(registry: Registry) -> None:
    for topic in TOPICS.values():
        kind = "AVRO" if topic.value_format == "avro" else "JSON"
        level = compatibility("value", topic.value_format)
        registry.register(subject(topic.name, "value"), topic.value_schema, kind, level)
        if topic.key_schema:
            registry.register(subject(topic.name, "key"), topic.key_schema, "AVRO", compatibility("key"))
    assert ask(registry, "GET", "/config/f1-driver-avg-speed-key")[1] == {"compatibilityLevel": "FULL"}
    assert ask(registry, "GET", "/config/f1-commentary-value")[1] == {"compatibilityLevel": "FORWARD"}
    assert len(ask(registry, "GET", "/subjects")[1]) == 8


def test_what_is_registered_outlives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "registry.sqlite3"
    first = Registry(file)
    schema_id = first.register("s", record(A), "AVRO")
    first.close()
    second = Registry(file)
    assert second.lookup("s", record(A), "AVRO") == schema_id
    assert second.schema(schema_id) == ("AVRO", json.dumps(json.loads(record(A)), separators=(",", ":")))
    second.close()


def test_many_threads_get_one_id(tmp_path: Path) -> None:
    registry, ids = Registry(tmp_path / "registry.sqlite3"), list[int]()
    threads = [
        threading.Thread(target=lambda: ids.append(registry.register("s", record(A), "AVRO")))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids == [1] * 16
    registry.close()


def test_errors_for_callers_in_the_process(registry: Registry) -> None:
    registry.register("s", record(A), "AVRO", "BACKWARD")
    with pytest.raises(RegistryRefused, match="incompatible"):
        registry.register("s", record(A, B), "AVRO")
    with pytest.raises(RegistryRefused, match="not found"):
        registry.lookup("t", record(A), "AVRO")
    with pytest.raises(UnknownSchema):
        registry.schema(99)
    registry.close()
    with pytest.raises(RegistryUnavailable):
        registry.schema(1)
    assert ask(registry, "GET", "/subjects")[0] == 500


TEXTS = [
    '{"type": "record", "name": "P", "namespace": "a", "fields": [{"name": "x", "type": "string"}]}',
    '{"fields": [{"type": "string", "name": "x"}], "name": "P", "namespace": "a", "type": "record"}',
    '{"type": "record", "name": "a.P", "fields": [{"name": "x", "type": {"type": "string"}}]}',
    '{"type": "record", "name": "a.P", "namespace": "b", "fields": [{"name": "x", "type": "string"}]}',
]
TYRE = {"type": "enum", "name": "Tyre", "symbols": ["S", "H"]}


@pytest.mark.parametrize("text", TEXTS)
def test_one_schema_in_other_words(registry: Registry, text: str) -> None:
    """Keys in another order, a wrapped primitive, the namespace in the name: as Confluent's registry sees it."""
    assert post(registry, "s", TEXTS[0]) == (200, {"id": 1})
    assert ask(registry, "POST", "/subjects/s", {"schema": text})[1]["version"] == 1
    assert post(registry, "s", text) == (200, {"id": 1})
    assert ask(registry, "GET", "/subjects/s/versions") == (200, [1])


def test_primitive_in_other_words(registry: Registry) -> None:
    assert post(registry, "s", '"string"') == post(registry, "s", '{"type": "string"}') == (200, {"id": 1})


def test_reference_by_either_name(registry: Registry) -> None:
    twice = {"type": "record", "name": "P", "namespace": "a"}
    short = twice | {"fields": [{"name": "x", "type": TYRE}, {"name": "y", "type": "Tyre"}]}
    long = twice | {"fields": [{"name": "x", "type": TYRE}, {"name": "y", "type": "a.Tyre"}]}
    assert post(registry, "s", json.dumps(short)) == post(registry, "s", json.dumps(long)) == (200, {"id": 1})


@pytest.mark.parametrize(
    "other",
    [
        A | {"doc": "words"},
        A | {"default": "x"},
        A | {"aliases": ["z"]},
        A | {"type": {"type": "string", "avro.java.string": "String"}},
    ],
)
def test_docs_and_defaults_are_another_schema(registry: Registry, other: dict[str, Any]) -> None:
    assert post(registry, "s", record(A))[1] != post(registry, "s", record(other))[1]


def test_keys_of_a_json_schema_have_no_order(registry: Registry) -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    other = {"properties": {"b": {"type": "integer"}, "a": {"type": "string"}}, "type": "object"}
    assert post(registry, "s", json.dumps(one), "JSON") == post(registry, "s", json.dumps(other), "JSON")


def test_a_guid_belongs_to_the_text() -> None:
    """The same schema has the same GUID in another registry, and is found by it."""
    guids = set()
    for _ in range(2):
        registry = Registry()
        body = json.dumps({"schema": record(A)}).encode()
        guid = registry.handle("POST", "/subjects/s/versions", {}, body)[1]["guid"]
        assert json.loads(registry.schema(guid)[1]) == json.loads(record(A))
        assert registry.handle("GET", f"/schemas/guids/{guid}", {})[1]["id"] == 1
        guids.add(guid)
    assert len(guids) == 1
    assert registry.handle("GET", "/schemas/guids/none", {})[0] == 404
