"""What a person reads when a command cannot do its work: one line, no traceback."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from bench.services.waiting import free_port
from f1site.config import read_lab
from races.lab import addresses
from races.lab.addresses import room_addresses
from races.lab.preflight import CannotStart, check_port
from races.management.commands import runlab
from races.management.commands.start_race import Command as StartRace
from races.management.commands.start_race import code_of, slug_of
from races.streams.config import embedded_settings
from races.streams.connection import connect
from races.streams.registry.service import Registry
from tests.fakes.migrated import Migrated


def said(tmp_path: Path, *arguments: str, **environ: str) -> list[str]:
    """Standard error of a command that fails with code 1."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"F1_VAR_DIR": str(tmp_path)} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr.strip().splitlines()


def test_missing_tables_are_one_line(tmp_path: Path) -> None:
    (line,) = said(tmp_path, "start_race", "--driver", "NOR", DATABASE_URL=f"sqlite:///{tmp_path / 'new'}")
    assert "manage.py migrate" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("DATABASE_URL", "postgres", marks=pytest.mark.full),
        ("DATABASE_URL", "mysql://lab:secret@host/lab"),
        pytest.param("DATABASE_URL", "postgres://lab:secret@host:port/lab", marks=pytest.mark.full),
        ("F1_VAR_DIR", __file__),
        pytest.param("F1_MAX_RACES", "many", marks=pytest.mark.full),
        pytest.param("DJANGO_DEBUG", "perhaps", marks=pytest.mark.full),
    ],
)
def test_wrong_environment_is_one_line(tmp_path: Path, name: str, value: str) -> None:
    (line,) = said(tmp_path, "runlab", **{name: value})
    assert line.startswith(name)
    assert "secret" not in line


def test_silent_broker_is_one_line(tmp_path: Path, migrated: Migrated) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        'kafka:\n  bootstrap.servers: "127.0.0.1:1"\n  schema_registry_url: "http://127.0.0.1:1"\n'
    )
    made = {"F1_CONFIG": str(config), "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
    migrated(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (line,) = said(tmp_path, "runlab", str(port), **made)
    for words in ("Kafka at 127.0.0.1:1 does not answer", "Connection refused", "Start it", str(config)):
        assert words in line


def test_busy_port_names_another() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        with pytest.raises(CannotStart, match="Another port"):
            check_port("127.0.0.1", busy.getsockname()[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "embedded"),
        ("analytics: {engine: embedded}", "embedded"),
        (
            "analytics: {engine: flink}",
            "embedded (lab.yaml asks for flink: run manage.py provision_confluent first)",
        ),
        (
            'analytics: {engine: flink}\nkafka: {bootstrap.servers: "k:9092", schema_registry_url: "http://r"}',
            "flink",
        ),
    ],
)
def test_banner_names_the_engine_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    monkeypatch.setattr(settings, "LAB", read_lab(tmp_path, {"F1_CONFIG": str(path)}))
    assert runlab.engine_words() == words


def test_addresses_for_the_room_are_those_that_others_reach() -> None:
    for address in room_addresses("0.0.0.0", 8100):
        assert re.fullmatch(r"http://\d+\.\d+\.\d+\.\d+:8100", address)
        assert not address.startswith("http://127.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("host", "found", "words"),
    [
        ("127.0.0.1", [], None),
        ("0.0.0.0", ["http://192.0.2.7:8000"], "http://192.0.2.7:8000"),
        ("0.0.0.0", [], "no network that others could come from"),
    ],
)
def test_the_banner_names_the_address_for_the_room(
    monkeypatch: pytest.MonkeyPatch, host: str, found: list[str], words: str | None
) -> None:
    monkeypatch.setattr(settings, "ROOM_ADDRESSES", found)
    kafka = connect(embedded_settings(""), Registry())
    banner = runlab.Command().banner("http://127.0.0.1:8000", host, kafka)
    lines = [line.partition("The room")[2].strip() for line in banner.splitlines() if "The room" in line]
    assert lines == ([] if words is None else [words])


@pytest.mark.django_db
def test_interrupted_wait_has_no_traceback() -> None:
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(CommandError, match="Interrupted") as left:
        call_command(StartRace(), driver="NOR", wait=True)
    assert left.value.returncode == 130


@pytest.mark.django_db
def test_started_race_prints_its_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
    monkeypatch.delenv("F1_LAB", raising=False)

    def printed(**options: str) -> tuple[str, str]:
        call_command(StartRace(), driver="NOR", **options)
        race_id, address = capsys.readouterr().out.split()
        return address.removesuffix(f"/races/{race_id}/"), race_id

    assert printed()[0] == ""
    with socket.socket() as lab:
        lab.bind(("127.0.0.1", 0))
        lab.listen()
        url = f"http://127.0.0.1:{lab.getsockname()[1]}"
        addresses.save_address(url)
        assert printed()[0] == url
        assert printed(lab="https://lab.example/")[0] == "https://lab.example"
    assert printed()[0] == ""  # killed: nobody listens there any more
    monkeypatch.setenv("F1_LAB", "http://lab.test:8100")
    assert printed()[0] == "http://lab.test:8100"


@pytest.mark.parametrize("name", ["registry.sqlite3", pytest.param("lab.lock", marks=pytest.mark.full)])
def test_file_that_is_a_folder_is_one_line(name: str, tmp_path: Path, migrated: Migrated) -> None:
    """Whatever is wrong with a file of var, the file is named, and there is no traceback."""
    migrated(tmp_path)
    (tmp_path / name).mkdir()
    (*_, line) = said(tmp_path, "runlab", str(free_port()))
    assert name in line or "unable to open" in line


def test_address_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The lab runs and says so; only commands beside it need its address then."""
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
    (tmp_path / "lab.address").mkdir()
    addresses.save_address("http://127.0.0.1:8000")
    addresses.delete_address()
    assert "--lab" in caplog.text
    assert addresses.running_lab() == ""


@pytest.mark.parametrize(
    ("driver", "circuit", "code", "slug"),
    [
        ("nor", "spa", "NOR", "spa"),
        ("Hamilton", "barcelona", "HAM", "catalunya"),
        ("verstappen", "Mexico City", "VER", "mexico"),
    ],
)
def test_a_race_is_named_as_the_page_names_it(driver: str, circuit: str, code: str, slug: str) -> None:
    assert (code_of(driver), slug_of(circuit)) == (code, slug)


def test_what_nobody_is_called_is_left_for_the_list_of_names() -> None:
    assert (code_of("Nuvolari"), slug_of("Pescara")) == ("NUVOLARI", "Pescara")
