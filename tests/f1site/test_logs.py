"""F1_LOG_JSON=1: every line is a JSON object, a server's own lines too."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from bench.services.waiting import free_port
from f1site.logging import JsonFormatter, logging_config
from tests.fakes.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]


def test_what_a_log_line_holds() -> None:
    try:
        raise ValueError("the gearbox")
    except ValueError:
        record = logging.LogRecord(
            "races.worker", logging.WARNING, "f", 1, "lap %d\nnew", (3,), sys.exc_info()
        )
    text = JsonFormatter().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["level"], line["logger"], line["message"]) == ("warning", "races.worker", "lap 3\nnew")
    assert "ValueError: the gearbox" in line["exception"]
    assert line["time"].endswith("+00:00")


def test_without_the_setting_a_servers_own_handlers_stay() -> None:
    assert "uvicorn" not in logging_config(False)["loggers"]


@pytest.mark.parametrize("server", ["uvicorn", pytest.param("daphne", marks=pytest.mark.full)])
def test_a_server_of_its_own_logs_json_too(server: str, tmp_path: Path) -> None:
    port = str(free_port())
    flags = ["--port", port] if server == "uvicorn" else ["-p", port]
    environ = os.environ | {
        "F1_LOG_JSON": "1",
        "F1_VAR_DIR": str(tmp_path),
        "F1_CONFIG": str(tmp_path / "none"),
    }
    environ.pop("F1_CONFIG")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", server, *flags, "f1site.asgi:application"],
            cwd=ROOT, env=environ, stdout=log, stderr=log,
        )  # fmt: skip

    def up() -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        try:
            return requests.get(f"http://127.0.0.1:{port}/livez", timeout=20).ok
        except requests.ConnectionError:
            return False

    try:
        wait_for(up, f"{server} answers", 60)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
    lines = (tmp_path / "log").read_text().splitlines()
    started = next((n for n, line in enumerate(lines) if line.startswith("{")), len(lines))
    said = [json.loads(line)["message"] for line in lines[started:]]
    assert all(said)
    assert any('"GET /livez' in message for message in said)
