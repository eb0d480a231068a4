"""A database that is away: /healthz and /metrics say so in bounded time, and nothing ends for it."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db import InterfaceError

from races.health import views
from races.lab.components import Components
from races.management.base import LabCommand
from races.models import WorkerHeartbeat
from tests.fakes.database_away import asked
from tests.fakes.lab import ended, short_race


def test_silent_postgresql_is_noticed(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        answers = asked(f"postgres://lab@127.0.0.1:{silent.getsockname()[1]}/lab", tmp_path)
    status, seconds, text = answers["/healthz"]
    body = json.loads(text)
    assert (status, body["ok"], body["database"]["ok"], body["worker"]["ok"]) == (503, False, False, False)
    assert body["database"]["error"]
    assert seconds < 8
    status, seconds, text = answers["/metrics"]
    assert status == 200
    assert "f1_database_up 0.0\n" in text
    assert "f1_races_active" not in text
    assert "f1_sockets 0.0\n" in text
    assert seconds < 8
    assert answers["/livez"][0] == 200
    status, seconds, text = answers["/races/"]
    assert status == 503
    assert "The database does not answer" in text
    assert seconds < 8


def test_a_broken_connection_is_a_database_that_is_away() -> None:
    def broken() -> views.Part:
        raise InterfaceError("the connection is closed")

    assert views._guarded(broken) == {"ok": False, "error": "the database does not answer"}


def test_a_command_tells_a_broken_connection_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(LabCommand):
        def handle(self, *args: Any, **options: Any) -> None:
            raise InterfaceError("the connection is closed")

    with pytest.raises(CommandError, match="the connection is closed"):
        Broken().execute(force_color=False, no_color=False, skip_checks=True)


@pytest.mark.django_db(transaction=True)
def test_a_worker_outlives_a_broken_connection(
    monkeypatch: pytest.MonkeyPatch, components: Components
) -> None:
    """The fixture fails the test for any part that died."""
    beat, broken = WorkerHeartbeat.beat, [time.monotonic()]

    def once(*arguments: Any) -> Any:
        if broken:
            broken.clear()
            raise InterfaceError("the connection is closed")
        return beat(*arguments)

    monkeypatch.setattr(WorkerHeartbeat, "beat", once)
    assert ended(short_race()).status == "finished"
    assert not broken
