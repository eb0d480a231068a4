"""The journal: whole or old, never half; one command at a time."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from provisioning.errors import ProvisioningError, Refused
from provisioning.journal import Journal, only_one


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".confluent" / "journal.json"


def test_records_are_on_the_disk_at_once(path: Path) -> None:
    """Every record is on the disk when the call returns."""
    entry = Journal(path).entry("org", "lab")
    entry.intend("cluster", [], "now")
    assert Journal(path).entry("org", "lab").intent("cluster") == {"before": [], "since": "now"}
    entry.put("cluster", {"id": "lkc-1"})
    again = Journal(path).entry("org", "lab")
    assert again.get("cluster") == {"id": "lkc-1"}
    assert again.intent("cluster") is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_entries_do_not_mix(path: Path) -> None:
    """Organisations and environments do not mix."""
    journal = Journal(path)
    journal.entry("rehearsal", "lab").put("cluster", {"id": "lkc-standin"})
    journal.entry("real", "lab").put("cluster", {"id": "lkc-real"})
    journal.entry("rehearsal", "lab").forget()
    assert Journal(path).entry("real", "lab").get("cluster") == {"id": "lkc-real"}
    assert [e.name for e in journal.entries("real")] == ["lab"]


def test_crash_leaves_the_old_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash while writing leaves the old journal."""
    entry = Journal(path).entry("org", "lab")
    entry.put("cluster", {"id": "lkc-1"})
    before = path.read_bytes()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        entry.put("pool", {"id": "lfcp-1"})
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["{half", "[1]", "\x00"])
def test_broken_journal_is_not_overwritten(path: Path, text: str) -> None:
    """A broken journal is named and not overwritten."""
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ProvisioningError, match="journal"):
        Journal(path)
    assert path.read_text() == text


def test_a_look_keeps_nothing(path: Path) -> None:
    entry = Journal(path, keep=False).entry("org", "lab")
    entry.put("cluster", {"id": "lkc-1"})
    assert entry.get("cluster") == {"id": "lkc-1"}
    assert not path.exists()


def test_two_commands_at_once(path: Path) -> None:
    """Two commands at once are kept apart."""
    with only_one(path), pytest.raises(Refused, match="at work here"), only_one(path):
        pass
    with only_one(path):
        pass


def test_lock_of_a_killed_command(path: Path) -> None:
    """The lock of a command that was killed is gone with it."""
    code = "import pathlib, sys, time; from provisioning.journal import only_one\n"
    code += "with only_one(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code, str(path)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with pytest.raises(Refused, match="at work here"), only_one(path):
                pass
        finally:
            other.kill()
    with only_one(path):
        pass


def test_journal_is_readable_json(path: Path) -> None:
    """It is json that a person can read."""
    Journal(path).entry("org", "lab").put("cluster", {"id": "lkc-1"})
    assert json.loads(path.read_text())["org/lab"]["cluster"]["id"] == "lkc-1"


def test_short_lock_is_waited_for(tmp_path: Path) -> None:
    """A cost guard looks whether a command is at work; the command must not be refused for it."""
    with ExitStack() as moment:
        moment.enter_context(only_one(tmp_path / "journal.json"))
        leaving = threading.Timer(0.05, moment.close)
        leaving.start()
        with only_one(tmp_path / "journal.json"):
            leaving.join()
