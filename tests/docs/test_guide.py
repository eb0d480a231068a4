"""The guide names only what exists: commands, options, make targets, topics, fields, files, links."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from provisioning.flink import statements
from races.streams.topics import SCHEMAS, TOPICS
from tests.docs.guide import GUIDE, ROOT, RUNNABLE, Block, blocks, commands, pages

BLOCKS = blocks()
DOCS = [*pages(), ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL = [block for block in blocks(*DOCS) if block.language in ("bash", "powershell")]
SQL = [block for block in BLOCKS if block.language == "sql"]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


def test_the_guide_has_all_its_parts() -> None:
    assert [path.name[:2] for path in pages()] == [f"{n:02}" for n in range(1, 15)] + ["RE"]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in RUNNABLE], ids=str)
def test_every_command_says_whether_it_is_run(block: Block) -> None:
    assert block.how in ("run", "run: race", "run: standin") or block.how.startswith("cannot run here: ")


@pytest.mark.parametrize("block", [block for block in SHELL if block.language == "bash"], ids=str)
def test_shell_blocks_are_shell(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def _manage(words: list[str]) -> None:
    name, options = words[0], [word.split("=")[0] for word in words[1:] if word.startswith("--")]
    known = get_commands()
    assert name in known, f"there is no command {name}"
    app = known[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    parser = command.create_parser("manage.py", name)
    flags = {flag for action in parser._actions for flag in action.option_strings}
    for option in options:
        assert option in flags, f"{name} has no {option}"


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_and_their_options_exist(block: Block) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for words in commands(block):
        if "manage.py" in words:
            _manage(words[words.index("manage.py") + 1 :])
        if "make" in words:
            assert words[words.index("make") + 1] in targets
        if "-m" in words and "python" in words:
            module = words[words.index("-m") + 1].replace(".", "/")
            assert module in ("venv", "pip") or (ROOT / module).exists() or (ROOT / f"{module}.py").exists()


def _columns(topic: str) -> set[str]:
    role = next(role for role, known in TOPICS.items() if known.name == topic)
    names: set[str] = set()
    stem = {"car_metrics_anomalies": "anomalies"}.get(role, role)
    for file in SCHEMAS.glob(f"{stem}*"):
        if file.stem in (stem, f"{stem}_key"):
            schema = json.loads(file.read_text())
            names |= {field["name"] for field in schema.get("fields", [])} | set(schema.get("properties", {}))
    return names


@pytest.mark.parametrize("block", SQL, ids=str)
def test_sql_names_topics_and_fields_that_exist(block: Block) -> None:
    names = set(re.findall(r"`([^`]+)`", block.text))
    topics = {name for name in names if name.startswith("f1-")}
    assert topics
    assert topics <= {topic.name for topic in TOPICS.values()}
    made = set(re.findall(r"(?:AS|MODEL) `([^`]+)`", block.text)) | {
        "commentary",
        "window_start",
        "window_end",
        "key",
        "ts",
    }
    columns = set().union(*(_columns(topic) for topic in topics))
    assert names - topics - made <= columns
    assert block.text.count("(") == block.text.count(")")


@pytest.mark.parametrize("block", [block for block in SQL if block.how.startswith("statement: ")], ids=str)
def test_sql_with_a_deployed_statements_name_is_that_statement(block: Block) -> None:
    name = block.how.removeprefix("statement: ")
    deployed = {statement.name: statement.sql for statement in statements()}
    assert " ".join(block.text.rstrip().rstrip(";").split()) == " ".join(deployed[name].rstrip(";").split())


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_symptoms_variable_exists() -> None:
    code = "".join(path.read_text() for path in (ROOT / "f1site").glob("*.py"))
    text = "".join(path.read_text() for path in GUIDE.glob("*.md"))
    for name in set(re.findall(r"\b(?:F1|DJANGO)_[A-Z0-9_]+\b", text)):
        assert name in code or name == "F1_ANOMALY_DETECTION", name
