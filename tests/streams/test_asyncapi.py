"""The AsyncAPI description says what the topics and their schemas say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from races.streams.asyncapi import channel, document, text
from races.streams.topics import TOPICS, Topic

FILE = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.json"
EVERY_TOPIC = pytest.mark.parametrize("topic", TOPICS.values(), ids=list(TOPICS))


def resolved(found: dict[str, Any], reference: str) -> Any:
    """What a $ref within the document leads to."""
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [one for item in value for one in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [one for item in value.values() for one in references(item)]


def test_file_is_the_newest() -> None:
    """Made anew: python -m races.streams.asyncapi > docs/asyncapi.json"""
    assert FILE.read_text(encoding="utf-8") == text()


@EVERY_TOPIC
def test_channel_is_the_topic(topic: Topic) -> None:
    found = channel(topic)
    kafka = found["bindings"]["kafka"]
    assert (found["address"], kafka["partitions"]) == (topic.name, topic.partitions)
    assert kafka["topicConfiguration"]["retention.ms"] == topic.retention_ms


@EVERY_TOPIC
def test_message_has_the_registered_schemas(topic: Topic) -> None:
    found = document()
    message = resolved(found, found["channels"][topic.role]["messages"][topic.role]["$ref"])
    assert message["payload"]["schema"] == json.loads(topic.value_schema)
    assert message.get("x-avro-key") == (json.loads(topic.key_schema) if topic.key_schema else None)
    key = message["bindings"]["kafka"].get("key", {}).get("type")
    assert key == {"avro": "object", "text": "string", "none": None}[topic.key_format]
    schema = message["payload"]["schema"]
    names = schema["properties"] if "properties" in schema else [field["name"] for field in schema["fields"]]
    assert set(message["x-fields-of-every-version"]) <= set(names)


def test_references_lead_somewhere() -> None:
    found = document()
    leads = references(found["channels"]) + references(found["operations"])
    assert leads
    assert all(resolved(found, one) for one in leads)
