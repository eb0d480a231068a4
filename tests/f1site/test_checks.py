"""A wrong configuration: one line at every start, and Django's system checks where somebody asks for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from f1site.checks import configuration
from f1site.config.__main__ import json_schema
from f1site.config.errors import ConfigError, EnvironmentProblem
from f1site.config.problems import Problems

ROOT = Path(__file__).resolve().parents[2]


def run(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    config = tmp_path / "config.yaml"
    config.write_text("analytics:\n  engine: spark\n")
    environ = os.environ | {"F1_CONFIG": str(config), "F1_VAR_DIR": str(tmp_path), "F1_MAX_RACES": "many"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_check_shows_every_problem_with_id_and_hint(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check")
    assert done.returncode == 1
    assert f"(f1site.E001) {tmp_path / 'config.yaml'}, line 2: 'analytics.engine' is 'spark'" in done.stderr
    assert "(f1site.E002) F1_MAX_RACES is 'many'" in done.stderr
    assert done.stderr.count("HINT: ") == 2


@pytest.mark.parametrize("command", [("manage.py", "migrate"), ("-c", "import f1site.asgi")])
def test_a_start_ends_with_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(tmp_path, *command)
    assert done.returncode == 1
    assert done.stderr == "F1_MAX_RACES is 'many'; it must be a whole number from 0 (0: no limit)\n"


def test_no_problem_is_no_message() -> None:
    assert configuration() == []


def test_a_problem_is_kept_and_the_rest_goes_on() -> None:
    def wrong() -> str:
        raise EnvironmentProblem("wrong")

    problems = Problems()
    assert problems.read(wrong, "otherwise") == "otherwise"
    assert [problem.check_id for problem in problems] == ["f1site.E002"]
    assert ConfigError("x").check_id == "f1site.E001"


def test_the_shipped_schema_is_the_models() -> None:
    shipped = (ROOT / "config.schema.json").read_text(encoding="utf-8")
    assert shipped == json_schema(), "renew it: python -m f1site.config > config.schema.json"


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ({"kafka": {"bootstrap.servers": "b:1", "linger.ms": 5, "topics": {"positions": "p"}}}, True),
        ({"kafka": {"bootstrap": "b:1"}}, False),
        ({"analytics": {"engine": "spark"}}, False),
        ({"confluent": {"flink_max_cfu": 7}}, False),
        ({"kafak": {}}, False),
    ],
)
def test_an_editor_sees_what_is_wrong(value: object, right: bool) -> None:
    assert Draft202012Validator(json.loads(json_schema())).is_valid(value) is right
