"""A setting, a command or a topic that the docs don't name fails here."""

from __future__ import annotations

import re

import yaml
from django.core.management import get_commands

from bench.__main__ import names
from f1site.config import COMMENTARY_TEXT, CONFLUENT_DEFAULTS, KAFKA_TEXT
from races.streams.topics import TOPICS
from tests.docs.guide import ROOT

REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.yaml.example").read_text(encoding="utf-8")
OURS = ("races", "provisioning")


def _source(*folders: str) -> str:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def test_every_command_of_ours_is_named() -> None:
    for name, app in get_commands().items():
        if app in OURS:
            assert f"`{name}" in REFERENCE, name


def test_every_command_of_ours_teaches_by_example() -> None:
    for folder in OURS:
        for path in sorted((ROOT / folder / "management" / "commands").glob("[!_]*.py")):
            assert "manage.py " + path.stem in path.read_text(encoding="utf-8"), path.name


def test_every_environment_variable_is_named() -> None:
    code = _source("f1site", "races", "provisioning")
    for name in set(re.findall(r'"((?:F1|DJANGO|CONFLUENT|AWS)_[A-Z0-9_]+)"', code)) - {
        "DJANGO_SETTINGS_MODULE"
    }:
        assert f"`{name}`" in REFERENCE, name


def test_every_configuration_key_is_in_reference_and_example() -> None:
    for section, keys in (
        ("kafka", KAFKA_TEXT),
        ("commentary", COMMENTARY_TEXT),
        ("confluent", tuple(CONFLUENT_DEFAULTS)),
    ):
        for key in keys:
            assert f"`{section}.{key}`" in REFERENCE, key
            assert f"{key}:" in EXAMPLE, key
    for role, topic in TOPICS.items():
        assert f"`{role}`" in REFERENCE
        assert f'{role}: "{topic.name}"' in EXAMPLE


def test_the_example_configures_nothing_as_it_stands() -> None:
    assert yaml.safe_load(EXAMPLE) is None


def test_every_topic_is_in_the_reference_of_topics() -> None:
    text = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    for topic in TOPICS.values():
        assert f"`{topic.name}`" in text


def test_every_benchmark_is_in_the_benchmarks_page() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for name in names():
        assert f"bench {name}" in text, name
