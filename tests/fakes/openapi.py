"""Holds exchanges against the official OpenAPI files of the Confluent Cloud APIs, where those are present.

They aren't part of the project: they are looked for beside it, in ../shared/confluent/openapi. Where they are
missing, `problems` finds none and tests marked `needs_specifications` are skipped.

What is checked: that the operation exists, its query parameters, the request's content type and body, the
answer's status and body, and that neither body holds a field which the specification doesn't know.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from provisioning.standin import Exchange

BESIDE = [above / "shared" / "confluent" / "openapi" for above in Path(__file__).resolve().parents]
FOLDER = next((folder for folder in BESIDE if folder.is_dir()), BESIDE[0])
FILES = {
    "control": ("org-v2", "cmk-v2", "flink-v2", "iam-v2", "mds-v2", "apikeys-v2", "srcm-v3"),
    "kafka": ("kafkarest-v3",),
    "registry": ("schema-registry-v1",),
    "flink": ("flink-gateway-v1",),
}
PRESENT = all((FOLDER / f"ccloud-{name}.yaml").is_file() for names in FILES.values() for name in names)
needs_specifications = pytest.mark.skipif(
    not PRESENT, reason="the official OpenAPI files are not beside the project"
)

# Answers of gateways, which no operation documents.
GATEWAY = {302, 307, 405, 415, 503}
# Where the service is known to differ from its specification: (part of the path, of the problem's text, why).
DEVIATIONS = (
    ("/statements", "'statement_name' is a required property", "a slip in the file: it means the name"),
    (
        "/statements",
        "{'op': 'replace', ",
        "RFC 6902 writes operations in lower case, as the official driver does",
    ),
    ("/connections", "'metadata' is a required property", "recorded answers have none, or an empty one"),
    ("/connections", "'resource_version' is a required property", "an answer without metadata gives none"),
    ("/connections", "'status' is a required property", "recorded answers were seen without one"),
    ("/sql/v1/", "metadata: 'self' is a required property", "labels and versions are sent in metadata"),
    ("/statements/", "the status 409 is not documented", "the docs and the official tools know it for PUT"),
    (
        "/role-bindings",
        "'errors' is a required property",
        "the official tools know {error_code, message} here",
    ),
    ("/role-bindings", "answer: /error_code is unknown", "as above"),
    ("/role-bindings", "answer: /message is unknown", "as above"),
)


@dataclass(frozen=True, slots=True)
class Operation:
    document: dict[str, Any]
    name: str  # "POST /iam/v2/api-keys", unique among the files of its plane
    spec: dict[str, Any]
    parameters: tuple[dict[str, Any], ...]


def problems(exchanges: Iterable[Exchange]) -> list[str]:
    """One line for each thing in which an exchange differs from the specification."""
    if not PRESENT:
        return []
    return [f"{exchange}: {found}" for exchange in exchanges for found in _known(exchange)]


def _known(exchange: Exchange) -> tuple[str, ...]:
    """Whole runs repeat themselves, but for time and port: each exchange is looked at once."""
    parts = (exchange.query, exchange.request, exchange.request_type, exchange.status, exchange.response)
    text = PASSING.sub(
        "", repr((exchange.method, exchange.plane, exchange.path, bool(exchange.fault), *parts))
    )
    if text not in _SEEN:
        _SEEN[text] = tuple(_problems(exchange))
    return _SEEN[text]


_SEEN: dict[str, tuple[str, ...]] = {}
PASSING = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|127\.0\.0\.1:\d+")


def _problems(exchange: Exchange) -> Iterator[str]:
    operation = _operation(exchange)
    if operation is None:
        yield "no such operation"
        return
    for found in (
        *_in_query(exchange, operation),
        *_in_request(exchange, operation),
        *_in_answer(exchange, operation),
    ):
        if not any(path in exchange.path and text in found for path, text, _ in DEVIATIONS):
            yield found


def _operation(exchange: Exchange) -> Operation | None:
    for pattern, path in _paths(exchange.plane):
        if pattern.fullmatch(exchange.path) and (found := path.get(exchange.method)):
            return found
    return None


# Reading the files


@functools.cache
def _document(name: str) -> dict[str, Any]:
    text = (FOLDER / f"ccloud-{name}.yaml").read_bytes()
    document: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return document


@functools.cache
def _paths(plane: str) -> list[tuple[re.Pattern[str], dict[str, Operation]]]:
    """Templates without parameters first, so that /topics/-/configs isn't taken for a topic's."""
    found = []
    for name in FILES[plane]:
        document = _document(name)
        for template, item in document["paths"].items():
            pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)))
            found.append((template.count("{"), pattern, _operations(document, template, item)))
    return [(pattern, operations) for _, pattern, operations in sorted(found, key=lambda entry: entry[0])]


def _operations(document: dict[str, Any], template: str, item: dict[str, Any]) -> dict[str, Operation]:
    shared = item.get("parameters", [])
    return {
        method.upper(): Operation(
            document,
            f"{method.upper()} {template}",
            spec,
            tuple(_resolved(document, p) for p in (*shared, *spec.get("parameters", []))),
        )
        for method, spec in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    }


def _resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


# Query, request, answer


def _in_query(exchange: Exchange, operation: Operation) -> Iterator[str]:
    known = {p["name"]: p for p in operation.parameters if p["in"] == "query"}
    for name in exchange.query:
        if name not in known:
            yield f"unknown query parameter {name}"
    for name, parameter in known.items():
        if parameter.get("required") and name not in exchange.query and exchange.status < 400:
            yield f"the query parameter {name} is missing"


def _in_request(exchange: Exchange, operation: Operation) -> Iterator[str]:
    wanted = operation.spec.get("requestBody")
    if exchange.request is None or wanted is None:
        if exchange.request is not None:
            yield "a body where none belongs"
        return
    content = _resolved(operation.document, wanted)["content"]
    if exchange.request_type not in content:
        yield f"Content-Type {exchange.request_type!r} instead of {sorted(content)}"
        return
    for found in _against(operation, content[exchange.request_type]["schema"], exchange.request, "request"):
        yield f"request: {found}"


def _in_answer(exchange: Exchange, operation: Operation) -> Iterator[str]:
    responses = operation.spec["responses"]
    wanted = responses.get(str(exchange.status)) or responses.get(f"{exchange.status // 100}XX")
    if exchange.status == 0 or exchange.fault:
        return
    if wanted is None:
        if exchange.status not in GATEWAY:
            yield f"the status {exchange.status} is not documented"
        return
    content = _resolved(operation.document, wanted).get("content", {})
    if not content and exchange.response is not None and exchange.status < 400:
        yield "an answer's body where none belongs"
    if content and not isinstance(exchange.response, str):
        schema = next(iter(content.values())).get("schema", {})
        for found in _against(operation, schema, exchange.response, f"answer {exchange.status}"):
            yield f"answer: {found}"


def _against(operation: Operation, schema: dict[str, Any], value: Any, part: str) -> Iterator[str]:
    for error in _checker(operation, part, schema).iter_errors(value):
        deepest = jsonschema.exceptions.best_match([error])
        yield f"{'/'.join(map(str, deepest.absolute_path))}: {deepest.message[:300]}"
    yield from _unknown(operation.document, [schema], value, "")


# Schemas: OpenAPI 3.0 as JSON Schema


_CHECKERS: dict[tuple[str, str], jsonschema.Draft4Validator] = {}


def _checker(operation: Operation, part: str, schema: dict[str, Any]) -> jsonschema.Draft4Validator:
    """One for each body of each operation. `part`: "request" or "answer 200"."""
    place = (operation.name, part)
    if place not in _CHECKERS:
        schemas: dict[str, Any] = {}
        translated = _translated(operation.document, schema, part == "request", schemas)
        _CHECKERS[place] = jsonschema.Draft4Validator({"allOf": [translated], "definitions": schemas})
    return _CHECKERS[place]


def _translated(document: dict[str, Any], node: Any, sending: bool, schemas: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_translated(document, inner, sending, schemas) for inner in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _referred(document, node["$ref"], sending, schemas)
    found = {
        name: inner
        if name in ("enum", "default", "example")
        else _translated(document, inner, sending, schemas)
        for name, inner in node.items()
        if name not in ("discriminator", "example", "examples", "xml", "externalDocs")
        and not name.startswith("x-")
    }
    if sending and isinstance(found.get("required"), list):
        found["required"] = [name for name in found["required"] if name not in _read_only(document, node)]
        if not found["required"]:
            del found["required"]
    return {"anyOf": [{"type": "null"}, found]} if node.get("nullable") is True else found


def _referred(
    document: dict[str, Any], reference: str, sending: bool, schemas: dict[str, Any]
) -> dict[str, str]:
    name = reference.replace("#/", "").replace("/", ".").replace("~1", ".")
    if name not in schemas:
        schemas[name] = {}
        schemas[name] = _translated(document, _resolved(document, {"$ref": reference}), sending, schemas)
    return {"$ref": f"#/definitions/{name}"}


def _read_only(document: dict[str, Any], node: dict[str, Any]) -> set[str]:
    """What the service fills in, so that no request needs it."""
    properties = node.get("properties", {})
    return {name for name, inner in properties.items() if _is_read_only(document, inner)}


def _is_read_only(document: dict[str, Any], node: dict[str, Any]) -> bool:
    node = _resolved(document, node)
    return bool(node.get("readOnly")) or any(_is_read_only(document, part) for part in node.get("allOf", []))


def _unknown(document: dict[str, Any], schemas: list[dict[str, Any]], value: Any, at: str) -> Iterator[str]:
    """Fields that none of the schemas describes; where any property is allowed, all are known."""
    parts = [part for schema in schemas for part in _parts(document, schema)]
    if isinstance(value, list):
        items = [part["items"] for part in parts if "items" in part]
        for index, inner in enumerate(value):
            yield from _unknown(document, items, inner, f"{at}/{index}")
    if not isinstance(value, dict):
        return
    known: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        for name, inner in part.get("properties", {}).items():
            known.setdefault(name, []).append(inner)
    is_open = not known or any(part.get("additionalProperties") for part in parts)
    for name, inner in value.items():
        if name in known:
            yield from _unknown(document, known[name], inner, f"{at}/{name}")
        elif not is_open:
            yield f"{at}/{name} is unknown"


def _parts(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schema = _resolved(document, schema)
    yield schema
    for composed in ("allOf", "oneOf", "anyOf"):
        for inner in schema.get(composed, []):
            yield from _parts(document, inner)
