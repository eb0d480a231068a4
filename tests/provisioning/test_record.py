"""Recorded exchanges hold no secret, and the commands read what was recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from provisioning.client import read_error
from provisioning.record import Recorder
from provisioning.resources import bedrock_connection, statement_words
from provisioning.stale_standin import place
from provisioning.standin import Standin
from tests.fakes.shell import Shell

RECORDINGS = sorted(Path(__file__).parent.glob("recordings/*.jsonl"))


def replay(path: Path) -> list[dict[str, Any]]:
    """Each answer is given to the reader that would meet it in a run."""
    exchanges = [json.loads(line) for line in path.read_text().splitlines()]
    for exchange in exchanges:
        answer = exchange["response"]
        if exchange["status"] >= 400:
            assert all(isinstance(part, str) for part in read_error(json.dumps(answer)))
        elif "/connections/" in exchange["path"] and isinstance(answer, dict):
            bedrock_connection.phase(answer)
        elif "/statements/" in exchange["path"] and isinstance(answer, dict):
            statement_words.phase(answer)
    return exchanges


def test_commands_through_the_proxy(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All planes pass through it; what it wrote is whole, private and without secrets."""
    out = tmp_path / "recording.jsonl"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY")
    with Recorder(out, shell.standin.url) as recorder:
        monkeypatch.setenv("CONFLUENT_CLOUD_URL", recorder.url)
        assert shell.run("provision_confluent", "--flink")[0] == 0
        secrets = [key.secret for key in shell.standin.state.keys.values()]
        assert shell.run("teardown_confluent", "--yes")[0] == 0
    text = out.read_text()
    assert out.stat().st_mode & 0o777 == 0o600
    assert not [secret for secret in (*secrets, "wJalrXUtnFEMI", "AKIAIOSF") if secret in text]
    exchanges = replay(out)
    assert len(exchanges) == len(shell.standin.calls)
    assert {e["path"].split("/")[1].split("-")[0].split(".")[0] for e in exchanges} >= {
        "org",
        "pkc",
        "psrc",
        "flink",
    }


def test_foreign_hosts_are_not_called(tmp_path: Path) -> None:
    """The proxy is no way to the rest of the network."""
    with Standin(kafka=False) as standin, Recorder(tmp_path / "out", standin.url) as recorder:
        assert recorder.target("/~/pkc-1.us-east-2.aws.confluent.cloud:443/kafka/v3").startswith(
            "https://pkc-1."
        )
        for host in ("example.org", "confluent.cloud.example.org", "x@example.org"):
            with pytest.raises(ValueError):
                recorder.target(f"/~/{host}/x")
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{recorder.url}/~/example.org/x", timeout=5)


def test_recorded_lab_is_no_rehearsal() -> None:
    """Its addresses lead through this machine, but it stands on the service."""

    class Entry:
        def get(self, slot: str) -> dict[str, str]:
            return {"endpoint": "http://127.0.0.1:8096/~/flink.us-east-2.aws.confluent.cloud"}

    entry: Any = Entry()
    assert place(entry) == ("flink.us-east-2.aws.confluent.cloud", 443)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recordings_are_read(path: Path) -> None:
    assert replay(path)
