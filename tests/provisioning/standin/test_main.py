"""python -m provisioning.standin, as a laptop starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from provisioning.standin.__main__ import main, parser
from tests.fakes.api_caller import Caller, environment_body, made


@contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-m", "provisioning.standin", "--plaintext", "--port", "0", *options]
    command = subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    try:
        yield command
    finally:
        command.kill()
        command.wait(10)
        assert command.stdout
        command.stdout.close()


def exports(command: subprocess.Popen[str]) -> dict[str, str]:
    """The variables of the lines to paste; reads up to the end of the banner."""
    assert command.stdout
    found: dict[str, str] = {}
    for line in command.stdout:
        found.update(re.findall(r"(\w+)=(\S+)", line) if line.startswith("  export") else [])
        if "Ctrl-C" in line:
            return found
    raise AssertionError("the banner never ended")


def test_pasted_lines_reach_it() -> None:
    """The pasted lines reach it each call shows and a signal ends it."""
    with running("--fast") as command:
        given = exports(command)
        key = given["CONFLUENT_CLOUD_API_KEY"], given["CONFLUENT_CLOUD_API_SECRET"]
        cloud = Caller(given["CONFLUENT_CLOUD_URL"], key)
        made(cloud("POST", "/org/v2/environments", environment_body()))
        command.send_signal(signal.SIGINT)
        out, _ = command.communicate(timeout=20)
        assert "POST /org/v2/environments -> 201" in out
        assert given["CONFLUENT_CLOUD_API_SECRET"] not in out
        assert command.returncode == 0


def test_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use is one line that says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    assert "Choose another with --port" in capsys.readouterr().err


def test_help_says_that_flink_is_not_real() -> None:
    """Its help says that Flink computes nothing."""
    assert "computes nothing" in parser().format_help()
