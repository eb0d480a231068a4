"""A setting, a command or a topic that the docs don't name fails here."""

from __future__ import annotations

import re
from pathlib import Path

import django_htmx
import pytest
import yaml
from django.core.management import get_commands, load_command_class

import races.urls
from bench.__main__ import main, names
from f1site.config.model import Configuration, Confluent, Section, keys_of, section_names
from f1site.environment import Environment
from races.streams.topics import TOPICS
from tests.docs.guide import ROOT

REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.yaml.example").read_text(encoding="utf-8")
OURS = ("races", "provisioning")


def _source(*folders: str) -> str:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def test_commands_are_named() -> None:
    for name, app in get_commands().items():
        if app in OURS:
            assert f"`{name}" in REFERENCE, name


def test_commands_teach_by_example() -> None:
    for name, app in get_commands().items():
        if app in OURS:
            shown = load_command_class(str(app), name).create_parser("manage.py", name).format_help()
            examples = shown.partition("\n\n")[2]  # below the usage line
            assert f"manage.py {name}" in examples, name
            assert "--settings" not in shown, "Django's own options push ours off the screen"


def test_bench_help_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python -m bench --list" in capsys.readouterr().out.splitlines()[2].split(", ")


def test_environment_variables_are_named() -> None:
    names = {name.upper() for name in Environment.model_fields}
    code = _source("f1site", "races", "provisioning")
    names |= set(re.findall(r'"((?:F1|DJANGO|CONFLUENT|AWS)_[A-Z0-9]+(?:_[A-Z0-9]+)*)"', code))
    assert {name for name in names if name.startswith("F1_")} <= {n.upper() for n in Environment.model_fields}
    for name in names - {"DJANGO_SETTINGS_MODULE"}:
        assert f"`{name}`" in REFERENCE, name


def _leaves(model: type[Section], path: str = "") -> list[str]:
    """Every key of the file that holds a value, with the sections before it."""
    sections = section_names(model)
    own = [f"{path}{key}" for key in keys_of(model) if key not in sections]
    return own + [leaf for name, inner in sections.items() for leaf in _leaves(inner, f"{path}{name}.")]


def test_configuration_keys_are_named() -> None:
    for path in _leaves(Configuration):
        key = path.removeprefix("kafka.") if path.startswith("kafka.") else path.rpartition(".")[2]
        if path.startswith("kafka.topics."):
            role = path.rpartition(".")[2]
            assert f"`{role}`" in REFERENCE
            assert f'{role}: "{TOPICS[role].name}"' in EXAMPLE
        else:
            assert f"`{path}`" in REFERENCE, path
            assert f"{key}:" in EXAMPLE, path


def _row(name: str) -> list[str]:
    """The cells of the reference's row whose first cell names it."""
    rows = [line.split("|")[1:-1] for line in REFERENCE.splitlines() if line.startswith("|")]
    return next([cell.strip() for cell in row] for row in rows if f"`{name}`" in row[0])


def test_defaults_are_the_codes() -> None:
    shared = {"bedrock_model": "none"}  # what none means is said beside it
    for key, default in Confluent().model_dump().items():
        names, shown = _row(f"confluent.{key}")[:2]
        place = [name.strip(" `") for name in names.split(",")].index(f"confluent.{key}")
        defaults = [text.strip(" `") for text in shown.split(",")]
        if text := shared.get(key, str(default)):
            assert defaults[place] == text, key
        else:
            assert defaults == [""], key
    for name, field in Environment.model_fields.items():
        if isinstance(field.default, int):
            assert _row(name.upper())[1].strip("`") == str(int(field.default)), name


def _addresses() -> set[str]:
    found = {str(entry.pattern) for entry in races.urls.urlpatterns}
    return {"/" + re.sub(r"<[^>]*>", "ID", address) for address in found}


def test_addresses_are_named() -> None:
    named = REFERENCE.partition("## Addresses")[2]
    for address in _addresses():
        first = re.match(r"/(?:api/)?[a-z]*/?", address)
        assert first and f"`{first[0]}" in named, address


def test_metrics_are_named() -> None:
    named = re.findall(r'(?:Family|Histogram)\(\s*"(f1_[a-z_]+)"', _source("races"))
    assert len(set(named)) > 12
    for name in set(named):
        assert f"`{name}`" in REFERENCE or f"`{name}_total`" in REFERENCE, name


def test_example_configures_nothing() -> None:
    assert yaml.safe_load(EXAMPLE) is None


def test_topics_are_named() -> None:
    text = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    for topic in TOPICS.values():
        assert f"`{topic.name}`" in text


def test_benchmarks_are_named() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for name in names():
        assert f"bench {name}" in text, name


def test_page_names_the_version_of_htmx() -> None:
    shipped = Path(django_htmx.__file__).parent / "static/django_htmx/htmx-2.min.js"
    version = re.search(r'version:"([\d.]+)"', shipped.read_text(encoding="utf-8"))
    assert version and f"htmx {version[1]} " in (ROOT / "docs" / "page.md").read_text(encoding="utf-8")
