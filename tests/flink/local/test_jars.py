"""Jars by lock file, with a Maven of a few lines of shell that copies from a folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from races.flink.local.errors import CannotRun
from races.flink.local.jars import jars, locked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in of Maven is a shell script")
MAVEN = """#!/bin/sh
for argument; do case $argument in *pom.xml) pom=$argument;; esac; done
out=$(dirname "$pom")
cp "$pom" {asked}
for jar in {store}/*.jar; do
  name=$(basename "$jar")
  artifact=${{name%-1.0.jar}}
  if grep -q "<artifactId>$artifact<" "$pom"; then
    cp "$jar" "$out/"
    echo "[INFO] Downloaded from central: https://repo/x/$name (10 kB at 5 kB/s)"
  fi
done
{end}
"""


class Repository:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.locks, self.bin = folder / "store", folder / "locks", folder / "bin"
        for each in (self.store, self.locks, self.bin):
            each.mkdir()
        self.asked = folder / "asked.xml"
        self.said: list[str] = []
        monkeypatch.setenv("PATH", f"{self.bin}{os.pathsep}/usr/bin{os.pathsep}/bin")
        self.maven("exit 0")

    def maven(self, end: str) -> None:
        program = self.bin / "mvn"
        program.write_text(MAVEN.format(asked=self.asked, store=self.store, end=end))
        program.chmod(program.stat().st_mode | stat.S_IEXEC)

    def add(self, lock: str, name: str, data: bytes, locked_data: bytes | None = None) -> None:
        (self.store / f"{name}-1.0.jar").write_bytes(data)
        meant = data if locked_data is None else locked_data
        line = f"{hashlib.sha256(meant).hexdigest()} {len(meant)} org/x/{name}/1.0/{name}-1.0.jar\n"
        with (self.locks / f"{lock}.lock").open("a") as file:
            file.write(line)

    def fetch(self, folder: Path, *names: str) -> list[Path]:
        return jars(names, folder, self.said.append, self.locks)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return Repository(tmp_path, monkeypatch)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_lock_files_name_versions() -> None:
    flink = {jar.coordinates for jar in locked("flink")}
    assert ("org.apache.flink", "flink-runtime", "2.3.0") in flink
    assert ("org.apache.kafka", "kafka_2.13", "4.1.1") in {jar.coordinates for jar in locked("kafka")}
    assert sum(jar.size for name in ("kafka", "flink") for jar in locked(name)) < 270_000_000


def test_fetches_once(repository: Repository, tmp_path: Path) -> None:
    repository.add("a", "one", b"1" * 1000)
    repository.add("a", "two", b"2")
    repository.add("b", "one", b"1" * 1000)  # both need it
    found = repository.fetch(tmp_path / "jars", "a", "b")
    assert [names(folder) for folder in found] == [["one-1.0.jar", "two-1.0.jar"], ["one-1.0.jar"]]
    assert repository.said[0] == "Fetching 2 jars, 0 MB, once"
    repository.asked.unlink()
    repository.fetch(tmp_path / "jars", "a", "b")
    assert not repository.asked.exists()


def test_goes_on_where_it_was_cut(repository: Repository, tmp_path: Path) -> None:
    repository.add("a", "one", b"1")
    repository.maven("echo '[ERROR] could not transfer artifact x: Connection reset'; exit 1")
    with pytest.raises(CannotRun, match=r"Connection reset.*What has come stays"):
        repository.fetch(tmp_path / "jars", "a")
    repository.add("a", "two", b"2")
    repository.maven("exit 0")
    repository.fetch(tmp_path / "jars", "a")
    assert "<artifactId>two<" in repository.asked.read_text()
    assert "<artifactId>one<" not in repository.asked.read_text()


def test_another_file_than_the_lock_names(repository: Repository, tmp_path: Path) -> None:
    repository.add("a", "one", b"evil", b"good")
    with pytest.raises(CannotRun, match=r"one-1.0.jar is not the file that its lock names"):
        repository.fetch(tmp_path / "jars", "a")
    assert not (tmp_path / "jars/a/one-1.0.jar").exists()
    assert not (tmp_path / "jars/fetched/one-1.0.jar").exists()


def test_full_disk(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.add("flink", "core", b"core")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=7_000_000))
    with pytest.raises(CannotRun, match=r"jars has 7 MB free, and the jars need 50 MB\. Make room there"):
        repository.fetch(tmp_path / "jars", "flink")
    assert not repository.asked.exists()


def test_older_jars_go(repository: Repository, tmp_path: Path) -> None:
    repository.add("a", "one", b"1")
    (tmp_path / "jars/a").mkdir(parents=True)
    (tmp_path / "jars/a/one-0.9.jar").write_bytes(b"0")
    repository.fetch(tmp_path / "jars", "a")
    assert names(tmp_path / "jars/a") == ["one-1.0.jar"]


def test_another_repository(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.add("a", "one", b"1")
    monkeypatch.setenv("F1_MAVEN", "https://mirror.example/maven2")
    repository.maven('grep -q mirror.example "$out/settings.xml" || exit 3')
    repository.fetch(tmp_path / "jars", "a")


def test_no_client(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.add("a", "one", b"1")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "jgo", raising=False)
    with pytest.raises(CannotRun, match=r"Either: pip install jgo, or: apt install maven"):
        repository.fetch(tmp_path / "jars", "a")


def test_changed_jar_is_fetched_again(repository: Repository, tmp_path: Path) -> None:
    """A jar of the right size whose bytes were changed on the disk is no jar of the lock."""
    repository.add("kafka", "server", b"as it came")
    (folder,) = repository.fetch(tmp_path / "jars", "kafka")
    jar = folder / "server-1.0.jar"
    jar.write_bytes(b"otherwise!")
    repository.fetch(tmp_path / "jars", "kafka")
    assert jar.read_bytes() == b"as it came"
