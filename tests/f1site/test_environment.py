"""Variables, .env and /run/secrets: one typed reading, and what is wrong is said in a line."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from f1site.config import read_lab
from f1site.config.errors import ConfigError
from f1site.environment import (
    POSTGRESQL,
    Environment,
    database,
    own_folder,
    read_environment,
    read_variables,
    secret_key,
)

ROOT = Path(__file__).resolve().parents[2]
KAFKA = "kafka:\n  bootstrap.servers: broker:9092\n  schema_registry_url: http://registry:8081\n"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    return tmp_path


def environment(base: Path, **environ: str) -> Environment:
    return read_environment(read_variables(base, environ, base / "secrets"))


def refused(base: Path, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        environment(base, **environ)
    return str(caught.value)


def test_without_any_the_defaults_hold(base: Path) -> None:
    found = environment(base)
    assert (found.f1_max_races, found.django_debug, found.django_allowed_hosts) == (100, False, [])


def test_an_empty_variable_is_none(base: Path) -> None:
    assert environment(base, F1_MAX_RACES=" ", DJANGO_DEBUG="").f1_max_races == 100


@pytest.mark.parametrize(("text", "value"), [("1", True), ("True", True), ("off", False), ("0", False)])
def test_a_switch(base: Path, text: str, value: bool) -> None:
    assert environment(base, DJANGO_HTTPS=text).django_https is value


def test_a_list_is_separated_by_commas(base: Path) -> None:
    found = environment(base, DJANGO_ALLOWED_HOSTS=" lab.example, ,10.0.0.1 ")
    assert found.django_allowed_hosts == ["lab.example", "10.0.0.1"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("F1_MAX_RACES", "many", "it must be a whole number from 0"),
        ("F1_MAX_RACES", "-1", "it must be a whole number from 0"),
        ("DJANGO_DEBUG", "maybe", "allowed: 1, 0"),
    ],
)
def test_a_value_that_cannot_be_meant(base: Path, name: str, value: str, words: str) -> None:
    assert refused(base, **{name: value}) == f"{name} is '{value}'; {words}" + (
        " (0: no limit)" if "number" in words else ""
    )


def test_environment_dotenv_secrets_in_order(base: Path) -> None:
    (base / ".env").write_text("DATABASE_URL=dotenv\nDJANGO_SECRET_KEY='dot env'\nOTHER_PROGRAMS=1\n")
    (base / "secrets" / "database_url").write_text("secret\n")
    (base / "secrets" / "DJANGO_SECRET_KEY").write_text("secret\n")
    (base / "secrets" / "confluent_cloud_api_secret").write_text("zq-hidden\n")
    found = environment(base, DATABASE_URL="environment")
    assert (found.database_url, found.django_secret_key) == ("environment", "dot env")
    assert found.confluent_cloud_api_secret == "zq-hidden"
    assert "zq-hidden" not in repr(found)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("F1_MAX_RACE=5", ["line 2", "'F1_MAX_RACE' is not known", "did you mean 'F1_MAX_RACES'"]),
        ("DATABSE_URL=x", ["line 2", "did you mean 'DATABASE_URL'"]),
        ("F1_ZZZ=1", ["line 2", "'F1_ZZZ' is not known"]),
        ("=5", ["line 2", "no NAME=value"]),
    ],
)
def test_a_wrong_line_of_dotenv(base: Path, line: str, words: list[str]) -> None:
    (base / ".env").write_text(f"# ours\n{line}\n")
    message = refused(base)
    for word in (str(base / ".env"), *words):
        assert word in message


def test_dotenv_that_is_no_text(base: Path) -> None:
    (base / ".env").write_bytes(b"A=\xff\n")
    assert "not UTF-8" in refused(base)


def test_keys_of_the_file_have_variables(base: Path) -> None:
    (base / "config.yaml").write_text(KAFKA)
    (base / ".env").write_text("F1_KAFKA__SASL_USERNAME=me\nF1_KAFKA__TOPICS__POSITIONS=mine\n")
    (base / "secrets" / "f1_kafka__sasl_password").write_text("hidden\n")
    environ = {"F1_KAFKA__BOOTSTRAP_SERVERS": "other:1", "F1_KAFKA__LINGER_MS": "7"}
    found = read_lab(base, read_variables(base, environ, base / "secrets")).kafka
    assert found is not None
    assert found.librdkafka == {
        "bootstrap.servers": "other:1",
        "sasl.username": "me",
        "sasl.password": "hidden",
        "linger.ms": "7",
    }
    assert found.topics["positions"] == "mine"


def test_a_wrong_variable_of_a_key_is_named(base: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"F1_ANALYTICS__ENGINE: 'analytics\.engine' is 'spark'; allowed: embedded"
    ):
        read_lab(base, {"F1_ANALYTICS__ENGINE": "spark"})


NAMES = ["my c#", "what?", "feature%2Fx", "a%20b", "100%", "%41", "a b;c@d:e[x]&+'", "früh"]


@pytest.mark.parametrize("name", NAMES)
def test_database_lies_in_its_folder(name: str, tmp_path: Path) -> None:
    found = database("", tmp_path / name / "db.sqlite3")
    assert found["NAME"] == str(tmp_path / name / "db.sqlite3")


def test_folder_with_signs_is_one_place(tmp_path: Path) -> None:
    """Migrates in `c#` below `c?`: the tables are in its own file, and nothing lies beside the folders."""
    folder = tmp_path / "c?" / "c#"
    environ = {**os.environ, "F1_VAR_DIR": str(folder), "DATABASE_URL": ""}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=environ, check=True, timeout=60)
    with sqlite3.connect(folder / "db.sqlite3") as tables:
        assert tables.execute("select count(*) from races_race").fetchone() == (0,)
    assert [path.name for path in tmp_path.iterdir()] == ["c?"]
    assert [path.name for path in (tmp_path / "c?").iterdir()] == ["c#"]


def test_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert own_folder(Path("file:var"), tmp_path) == tmp_path / "file:var"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////tmp/my c#/x", "write # as %23"),
        ("sqlite:////tmp/what?/x", "write # as %23"),
        ("postgres://u:p#w@h/db", "write # as %23"),
        ("postgres://u:p?w@h/db", "? as %3F"),
        ("postgres://u:p/w@h/db", "/ as %2F"),
        ("postgres://u:p[w@h/db", "[ as %5B"),
        ("postgres://u:pw@h/db?schema=public", "no option 'schema'"),
        ("postgres://u:pw@h/db?pgbouncer=true", "no option 'pgbouncer'"),
        ("postgres://u:pw@h/db?connection_limit=5", "no option 'connection_limit'"),
        ("mysql://u:pw@h/db", "allowed: sqlite"),
    ],
)
def test_address_is_refused_with_a_remedy(url: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        database(url, Path("unused"))
    said = str(caught.value)
    assert words in said
    assert "pw" not in said and "\n" not in said


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////srv/lab/db.sqlite3", {"NAME": "/srv/lab/db.sqlite3"}),
        ("sqlite:///db.sqlite3", {"NAME": "db.sqlite3"}),
        (
            "postgres://u:a%3Ab%40@db.Example:5433/lab",
            {"PASSWORD": "a:b@", "HOST": "db.Example", "PORT": "5433"},
        ),
        ("pgsql://u@[::1]:5433/lab", {"HOST": "::1", "USER": "u", "PASSWORD": ""}),
        ("postgres://%2Fvar%2Frun/lab", {"HOST": "/var/run", "NAME": "lab", "PORT": ""}),
        ("postgres://h/lab?currentSchema=f1", {"OPTIONS": {"options": "-c search_path=f1"}}),
    ],
)
def test_parts_of_an_address(url: str, expected: dict[str, object]) -> None:
    found = database(url, Path("unused"))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    "url", ["postgres://h", "postgres://h:x/lab", "sqlite://", "sqlite://host/x", "lab.db"]
)
def test_an_address_without_a_database(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address of a database"):
        database(url, Path("unused"))


def test_options_of_libpq_are_taken() -> None:
    url = "postgresql://u:p%23w@h:5433/db?sslmode=require&currentSchema=x&connect_timeout=9"
    found = database(url, Path("unused"))
    assert (found["ENGINE"], found["PASSWORD"], found["OPTIONS"]["sslmode"]) == (POSTGRESQL, "p#w", "require")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be made a folder"):
        own_folder(tmp_path / "file" / "var", tmp_path)


def test_a_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    key = secret_key("", path)
    assert secret_key("", path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret_key("given", path) == "given"


def test_a_key_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", forbidden)
    path = tmp_path / "secret_key"
    assert len(secret_key("", path)) > 50
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_that_cannot_be_read_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "secret_key").mkdir()
    with pytest.raises(ConfigError, match="give its folder to the user who starts the lab"):
        secret_key("", tmp_path / "secret_key")


def test_database_is_its_owners(tmp_path: Path) -> None:
    """The file is private in an open folder too, whatever the umask says."""
    before = os.umask(0)
    try:
        database("", tmp_path / "db.sqlite3")
        (tmp_path / "db.sqlite3").write_text("kept")
        database("", tmp_path / "db.sqlite3")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "db.sqlite3").stat().st_mode) == 0o600
    assert (tmp_path / "db.sqlite3").read_text() == "kept"
