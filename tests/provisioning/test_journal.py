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


def test_every_record_is_on_the_disk_when_the_call_returns(path: Path) -> None:
    entry = Journal(path).entry("org", "lab")
    entry.intend("cluster", [], "now")
    assert Journal(path).entry("org", "lab").intent("cluster") == {"before": [], "since": "now"}
    entry.put("cluster", {"id": "lkc-1"})
    again = Journal(path).entry("org", "lab")
    assert again.get("cluster") == {"id": "lkc-1"}
    assert again.intent("cluster") is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_organisations_and_environments_do_not_mix(path: Path) -> None:
    journal = Journal(path)
    journal.entry("rehearsal", "lab").put("cluster", {"id": "lkc-standin"})
    journal.entry("real", "lab").put("cluster", {"id": "lkc-real"})
    journal.entry("rehearsal", "lab").forget()
    assert Journal(path).entry("real", "lab").get("cluster") == {"id": "lkc-real"}
    assert [e.name for e in journal.entries("real")] == ["lab"]


def test_a_crash_while_writing_leaves_the_old_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_broken_journal_is_named_and_not_overwritten(path: Path, text: str) -> None:
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


def test_two_commands_at_once_are_kept_apart(path: Path) -> None:
    with only_one(path), pytest.raises(Refused, match="at work here"), only_one(path):
        pass
    with only_one(path):
        pass


def test_the_lock_of_a_command_that_was_killed_is_gone_with_it(path: Path) -> None:
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


def test_it_is_json_that_a_person_can_read(path: Path) -> None:
    Journal(path).entry("org", "lab").put("cluster", {"id": "lkc-1"})
    assert json.loads(path.read_text())["org/lab"]["cluster"]["id"] == "lkc-1"


def test_a_lock_held_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """A cost guard looks whether a command is at work; the command must not be refused for it."""
    with ExitStack() as moment:
        moment.enter_context(only_one(tmp_path / "journal.json"))
        leaving = threading.Timer(0.05, moment.close)
        leaving.start()
        with only_one(tmp_path / "journal.json"):
            leaving.join()
