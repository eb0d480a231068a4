"""A person at a shell, for the tests of the commands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.core.management import call_command

from provisioning.standin import Standin
from tests.fakes.laptop import ManualClock


@dataclass
class Shell:
    """A person at a shell. clock: the one that the stand-in goes by too."""

    standin: Standin
    manual_clock: ManualClock
    folder: Path
    capsys: pytest.CaptureFixture[str]
    guards: list[tuple[str, ...]] = field(default_factory=list)

    guard_starts: bool = True

    def start_guard(self, *arguments: object) -> bool:
        self.guards.append(tuple(map(str, arguments)))
        return self.guard_starts

    @property
    def journal(self) -> Path:
        return self.folder / ".confluent" / "journal.json"

    def set_deadline(self, until: str) -> None:
        entries = json.loads(self.journal.read_text())
        for entry in entries.values():
            entry["until"] = until
        self.journal.write_text(json.dumps(entries))

    def overdue(self) -> None:
        """The deadline moves into the past."""
        self.set_deadline("2020-01-01T00:00:00+00:00")

    @property
    def running(self) -> list[str]:
        return [s.name for s in self.standin.state.statements if s.phase == "RUNNING"]

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def run(self, *arguments: str) -> tuple[int, str]:
        """(exit code, everything that was printed, unwrapped). Fails if a secret is in it."""
        try:
            call_command(*arguments)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = self.capsys.readouterr()
        said = re.sub(r"\n *", " ", out + err)
        for key in self.standin.state.keys.values():
            assert key.secret not in said
        return code, said
