"""A real Prometheus that scrapes a running lab with the shipped configuration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests
from websockets.sync.client import connect

from bench.services.waiting import free_port
from tests.docs.guide import ROOT
from tests.fakes.lab_process import lab
from tests.fakes.waiting import wait_for


def answers(folder: Path, expressions: list[str]) -> dict[str, list[object]]:
    """Expression -> the values that it gives while a race is on."""
    rules = (ROOT / "docker" / "prometheus" / "rules.yml").read_text()
    config = (ROOT / "docker" / "prometheus" / "prometheus.yml").read_text()
    (folder / "rules.yml").write_text(rules)
    with lab(folder) as (_, running):
        configured = config.replace("lab:8000", running.base).replace(" 5s", " 1s")
        (folder / "prometheus.yml").write_text(configured)
        start = [sys.executable, "manage.py", "start_race", "--driver", "NOR", "--laps", "5", "--pace", "5"]
        said = subprocess.run(
            start, cwd=ROOT, env=running.environ, check=True, timeout=60, capture_output=True, text=True
        ).stdout
        port = free_port()
        command = [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with (folder / "prometheus.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        found: dict[str, list[object]] = {}

        def all_answer() -> bool:
            for expression in expressions:
                found[expression] = found.get(expression) or _values(port, expression)
            return all(found.values())

        url, origin = running.socket(said.split()[0])
        try:
            with connect(url, origin=origin):  # what goes to pages is measured where there is one
                wait_for(all_answer, "each query has a value", 60)
        finally:
            process.terminate()
            process.wait(30)
    return found


def _values(port: int, expression: str) -> list[object]:
    try:
        answer = requests.get(
            f"http://127.0.0.1:{port}/api/v1/query", params={"query": expression}, timeout=10
        ).json()
    except requests.RequestException:
        return []
    assert answer["status"] == "success", answer
    values = [row["value"][1] for row in answer["data"]["result"]]
    return [value for value in values if value != "NaN"]
