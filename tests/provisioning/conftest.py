"""The first person of every test, at the stand-in: with the functions, or at a shell with the commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from f1site.config import read_lab
from provisioning import guard
from provisioning.clock import Clock
from provisioning.console import CloudCommand
from provisioning.standin import Standin
from tests.provisioning import openapi
from tests.provisioning.bench import SHORT, Bench, Hands, bench
from tests.provisioning.desk import Desk


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "laptop") as found:
        yield found


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    hands = Hands()
    with Standin(SHORT, clock=hands, kafka=False) as standin:
        found = Desk(standin, hands, tmp_path, capsys)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "F1_CONFIG"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CONFLUENT_CLOUD_URL", standin.url)
        monkeypatch.setenv("CONFLUENT_CLOUD_API_KEY", standin.key)
        monkeypatch.setenv("CONFLUENT_CLOUD_API_SECRET", standin.secret)
        monkeypatch.setenv("F1_JOURNAL", str(found.journal))
        monkeypatch.setattr(CloudCommand, "clock", Clock(sleep=hands.turn, monotonic=hands))
        monkeypatch.setattr(guard, "start", found.start_guard)
        command = "provisioning.management.commands.provision_confluent.produce_and_read_back"
        monkeypatch.setattr(command, lambda session: "not tried")
        settings.LAB = read_lab(tmp_path, {})
        yield found
        assert openapi.problems(standin.calls) == []
