"""The first laptop of every test, at the stand-in: with the functions, or at a shell with the commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from f1site.config import read_lab
from provisioning import cost_guard
from provisioning.cli import CloudCommand
from provisioning.clock import Clock
from provisioning.standin import Standin
from tests.fakes import openapi
from tests.fakes.laptop import SHORT, Laptop, ManualClock, new_laptop
from tests.fakes.shell import Shell


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    with new_laptop(tmp_path / "laptop") as found:
        yield found


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    manual_clock = ManualClock()
    with Standin(SHORT, clock=manual_clock, kafka=False) as standin:
        found = Shell(standin, manual_clock, tmp_path, capsys)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "F1_CONFIG"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CONFLUENT_CLOUD_URL", standin.url)
        monkeypatch.setenv("CONFLUENT_CLOUD_API_KEY", standin.key)
        monkeypatch.setenv("CONFLUENT_CLOUD_API_SECRET", standin.secret)
        monkeypatch.setenv("F1_JOURNAL", str(found.journal))
        monkeypatch.setattr(CloudCommand, "clock", Clock(sleep=manual_clock.advance, monotonic=manual_clock))
        monkeypatch.setattr(cost_guard, "start", found.start_guard)
        command = "provisioning.management.commands.provision_confluent.produce_and_read_back"
        monkeypatch.setattr(command, lambda session: "not tried")
        settings.LAB = read_lab(tmp_path, {})
        yield found
        assert openapi.problems(standin.calls) == []
