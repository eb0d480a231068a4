"""The guide names only what exists: commands, options, make targets, topics, fields, files, links."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from daphne.cli import CommandLineInterface as DaphneCommand
from django.core.management import get_commands, load_command_class
from uvicorn.main import main as uvicorn_command

from f1site.config import read_lab
from f1site.environment import Environment
from provisioning.exercises import exercises
from races.flink.statements import DEFAULT_NAMES, statements
from races.streams.topics import SCHEMAS, TOPICS
from tests.docs.guide import GUIDE, ROOT, RUNNABLE, Block, blocks, commands, pages

BLOCKS = blocks()
DOCS = [*pages(), ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL = [block for block in blocks(*DOCS) if block.language in ("bash", "powershell")]
SQL = [block for block in BLOCKS if block.language == "sql"]
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PROSE = [
    *pages(),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "reference.md",
    ROOT / "docs" / "handout.md",
]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


def test_the_guide_has_all_its_parts() -> None:
    assert [path.name[:2] for path in pages()] == [f"{n:02}" for n in range(1, 16)] + ["RE"]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in RUNNABLE], ids=str)
def test_commands_say_whether_they_run(block: Block) -> None:
    assert block.how in ("run", "run: race", "run: standin") or block.how.startswith("cannot run here: ")


@pytest.mark.parametrize("block", [block for block in SHELL if block.language == "bash"], ids=str)
def test_shell_blocks_are_shell(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def _manage(words: list[str]) -> None:
    name, options = words[0], [word.split("=")[0] for word in words[1:] if word.startswith("--")]
    known = get_commands()
    assert name in known, f"there is no command {name}"
    for option in options:
        assert option in _flags(name), f"{name} has no {option}"


def _flags(name: str) -> set[str]:
    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    parser = command.create_parser("manage.py", name)
    return {flag for action in parser._actions for flag in action.option_strings}


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_and_options_exist(block: Block) -> None:
    for words in commands(block):
        if "manage.py" in words:
            _manage(words[words.index("manage.py") + 1 :])
        if "make" in words:
            assert words[words.index("make") + 1] in _targets()
        if words[0] in SERVERS:
            assert {word for word in words if word.startswith("-")} <= SERVERS[words[0]]
        if "-m" in words and "python" in words:
            module = words[words.index("-m") + 1].replace(".", "/")
            assert module in ("venv", "pip") or (ROOT / module).exists() or (ROOT / f"{module}.py").exists()


OURS = [name for name, app in get_commands().items() if app in ("races", "provisioning")]
SERVERS = {
    "uvicorn": {flag for option in uvicorn_command.params for flag in option.opts},
    "daphne": {flag for action in DaphneCommand().parser._actions for flag in action.option_strings},
}
OTHERS = {
    "--port",
    "--fast",
    "--answers",
    "--plaintext",
    "--out",
    "--list",
    "--json",
    "--short",
}  # of the stand-in, the recorder and bench: those are run by tests


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_inline_commands_exist(path: Path) -> None:
    everywhere = OTHERS.union(*(_flags(name) for name in OURS))
    for code in INLINE.findall(path.read_text(encoding="utf-8")):
        words = [word.strip("[]();,") for word in code.split("#")[0].split()]
        if "manage.py" in words[:-1] and words[words.index("manage.py") + 1].islower():
            _manage(words[words.index("manage.py") + 1 :])
        elif words and words[0] in OURS:
            _manage(words)
        elif words and words[0] in SERVERS:
            assert {word for word in words if word.startswith("-")} <= SERVERS[words[0]], code
            continue
        elif "make" in words[:-1]:
            assert words[words.index("make") + 1] in _targets(), code
        for word in words:
            if re.fullmatch(r"--[a-z][a-z-]+", word):
                assert word in everywhere, f"{path.name}: nothing has {word}"


def test_first_line_runs_what_make_has() -> None:
    found = re.findall(r"^make ([a-z-]+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert found
    assert set(found) <= _targets()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "yaml"], ids=str)
def test_configuration_blocks_are_valid(block: Block, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(block.text)
    lab = read_lab(tmp_path, {"F1_CONFIG": str(tmp_path / "config.yaml")})
    assert lab.anomaly_detection or lab.commentary.configured


def _columns(topic: str) -> set[str]:
    role = next(role for role, known in TOPICS.items() if known.name == topic)
    names: set[str] = set()
    stem = {"car_metrics_anomalies": "anomalies"}.get(role, role)
    for file in SCHEMAS.glob(f"{stem}*"):
        if file.stem in (stem, f"{stem}_key"):
            schema = json.loads(file.read_text())
            names |= {field["name"] for field in schema.get("fields", [])} | set(schema.get("properties", {}))
    return names


@pytest.mark.parametrize("block", [block for block in SQL if "`f1-" in block.text], ids=str)
def test_sql_names_existing_fields(block: Block) -> None:
    names = set(re.findall(r"`([^`]+)`", block.text))
    topics = {name for name in names if name.startswith("f1-")}
    assert topics
    assert topics <= {topic.name for topic in TOPICS.values()}
    own = {name for name in names if name.startswith(("my-", "exercise-"))}
    aliases = " ".join(re.findall(r"AS `[^`]+`\(([^)]+)\)", block.text))
    made = (
        set(re.findall(r"AS `([^`]+)`", block.text))
        | set(re.findall(r"`([^`]+)`", aliases))
        | {
            "window_start",
            "window_end",
            "key",
            "ts",
        }
    )
    columns = set().union(*(_columns(topic) for topic in topics))
    assert names - topics - own - made <= columns
    assert block.text.count("(") == block.text.count(")")


@pytest.mark.parametrize("block", SQL, ids=str)
def test_sql_says_which_statement_it_is(block: Block) -> None:
    assert block.how.startswith(("statement: ", "cannot run here: ", "own flink"))


@pytest.mark.parametrize("block", [block for block in SQL if block.how.startswith("statement: ")], ids=str)
def test_named_sql_is_the_deployed_one(block: Block) -> None:
    name = block.how.removeprefix("statement: ")
    deployed = {statement.name: statement.sql for statement in statements()} | {
        one.statement.name: one.statement.sql for one in exercises(DEFAULT_NAMES)
    }
    assert " ".join(block.text.rstrip().rstrip(";").split()) == " ".join(deployed[name].rstrip(";").split())


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_symptom_variables_exist() -> None:
    folders = ("f1site", "races", "provisioning")
    code = "".join(path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py"))
    text = "".join(path.read_text() for path in GUIDE.glob("*.md"))
    for name in set(re.findall(r"\b(?:F1|DJANGO)_[A-Z0-9_]+\b", text)):
        assert name.lower() in Environment.model_fields or f'"{name}"' in code, name
