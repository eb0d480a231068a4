"""The reference page says what the code says, and the list of topics holds together."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from races.live.rendering.panels import CONTROL_WORDS
from races.streams.config import StreamSettings, embedded_settings
from races.streams.registry import service
from races.streams.topics import TOPICS, Topic, compatibility, subject

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")


def section(topic: Topic) -> str:
    """The page's part on one topic."""
    return PAGE.split(f"### `{topic.name}`\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]


def fields(topic: Topic) -> list[str]:
    schema = json.loads(topic.value_schema)
    names = (
        list(schema["properties"]) if topic.value_format == "json" else [f["name"] for f in schema["fields"]]
    )
    return (
        [*(f["name"] for f in json.loads(topic.key_schema)["fields"]), *names] if topic.key_schema else names
    )


@pytest.mark.parametrize("topic", TOPICS.values(), ids=list(TOPICS))
def test_the_page_names_every_field_and_no_other(topic: Topic) -> None:
    assert re.findall(r"^\| `(\w+)` \|", section(topic), re.MULTILINE) == fields(topic)
    assert f"`{topic.role}`" in section(topic)


@pytest.mark.parametrize("topic", TOPICS.values(), ids=list(TOPICS))
def test_the_page_marks_the_base_fields(topic: Topic) -> None:
    marked = re.findall(r"^\| `(\w+)` \|[^|]*\| \*\*base\*\* \|", section(topic), re.MULTILINE)
    assert marked == list(topic.base_fields)


def kinds_told() -> set[str]:
    """Every kind of race-control message that the simulation tells, and the worker's own for a race it stops."""
    told = re.compile(r"\.tell\(\s*\"(\w+)\"")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "races" / "sim").rglob("*.py")]
    return {kind for source in sources for kind in told.findall(source)} | {"red_flag"}


def test_every_kind_of_race_control_is_named() -> None:
    schema = json.loads(TOPICS["race_control"].value_schema)
    (doc,) = [field["doc"] for field in schema["fields"] if field["name"] == "type"]
    assert set(doc.split(", ")) == kinds_told()
    assert f"| {doc} |" in section(TOPICS["race_control"])


def test_badge_for_every_kind_but_passes() -> None:
    assert kinds_told() - CONTROL_WORDS.keys() == {"overtake"}


@pytest.mark.parametrize(
    "topic",
    [topic for topic in TOPICS.values() if topic.value_format == "avro"],
    ids=lambda topic: topic.role,
)
def test_every_field_but_the_base_ones_has_a_default(topic: Topic) -> None:
    for field in json.loads(topic.value_schema)["fields"]:
        assert field["name"] in topic.base_fields or "default" in field


def test_the_page_names_every_path_of_the_registry() -> None:
    for _, path, _ in service.ROUTES:
        first = path.split("/")[1]
        assert f"/{first}" in PAGE


def test_values_may_grow_and_keys_are_fixed() -> None:
    assert (compatibility("value"), compatibility("key")) == ("BACKWARD", "FULL")
    assert compatibility("value", "json") == "FORWARD"
    assert subject("f1-commentary", "value") == "f1-commentary-value"


def test_settings_are_printed_without_their_secrets() -> None:
    settings = StreamSettings(
        embedded=False,
        librdkafka={"bootstrap.servers": "host:9092", "sasl.password": "hush"},
        registry_url="https://registry",
        registry_auth="key:hush",
    )
    assert "hush" not in repr(settings)
    assert settings.bootstrap == "host:9092"


def test_a_topic_is_found_by_its_configured_name() -> None:
    names = {role: f"team-{topic.name}" for role, topic in TOPICS.items()}
    settings = embedded_settings("host:9092", names)
    assert settings.topic("avg_speed") == "team-f1-driver-avg-speed"
    assert settings.role("team-f1-driver-avg-speed") == "avg_speed"
    with pytest.raises(KeyError):
        settings.role("f1-driver-avg-speed")
