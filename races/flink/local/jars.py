"""The jars of Kafka and Flink: named by lock files, fetched by a Maven client, checked byte by byte.

A lock file has a line for each jar: its SHA-256, its size in bytes and its path in any Maven repository. Where that
repository is, the client knows: Maven itself, or jgo where there is no Maven. F1_MAVEN names another one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from races.flink.local.errors import CannotRun
from races.flink.local.maven import FetchFailed, fetch_by_jgo, fetch_by_maven

LOCKS = Path(__file__).with_name("locks")
MB = 1_000_000
NO_CLIENT = (
    "The jars of Kafka and Flink come by a Maven client, and there is none here. "
    "Either: pip install jgo, or: apt install maven (brew install maven)"
)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Jar:
    sha256: str
    size: int
    path: str  # org/apache/flink/flink-core/2.3.0/flink-core-2.3.0.jar

    @property
    def file(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def coordinates(self) -> tuple[str, str, str]:
        """Group, artifact, version."""
        *group, artifact, version, _ = self.path.split("/")
        return ".".join(group), artifact, version


def locked(name: str, locks: Path = LOCKS) -> tuple[Jar, ...]:
    """The jars of NAME.lock."""
    lines = (locks / f"{name}.lock").read_text(encoding="ascii").splitlines()
    return tuple(Jar(sha, int(size), path) for sha, size, path in map(str.split, lines))


def jars(names: Sequence[str], folder: Path, say: Say, locks: Path = LOCKS) -> list[Path]:
    """Folders with exactly the locked jars, one for each name. Fetches what is missing. Raises CannotRun."""
    folders = [folder / name for name in names]
    missing = {
        name: [jar for jar in locked(name, locks) if not _is_locked(folder / name / jar.file, jar)]
        for name in names
    }
    wanted = list({jar.file: jar for name in names for jar in missing[name]}.values())  # some are in both
    if wanted:
        _fetch(wanted, folder, say)
        for name in names:
            _take_over(missing[name], folder / "fetched", folder / name)
        shutil.rmtree(folder / "fetched", ignore_errors=True)
    for name in names:  # a jar of an older lock would stand on the class path beside its successor
        known = {jar.file for jar in locked(name, locks)}
        for file in (folder / name).glob("*.jar"):
            if file.name not in known:
                file.unlink()
    return folders


def _is_locked(file: Path, jar: Jar) -> bool:
    """Whether a file is the jar of the lock, byte for byte. All jars together take a third of a second."""
    return _has_size(file, jar.size) and _digest(file) == jar.sha256


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _has_size(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _fetch(wanted: Sequence[Jar], folder: Path, say: Say) -> None:
    fetched = folder / "fetched"
    fetched.mkdir(parents=True, exist_ok=True)
    todo = [jar for jar in wanted if not _has_size(fetched / jar.file, jar.size)]
    size, free = sum(jar.size for jar in todo), shutil.disk_usage(folder).free
    needed = 2 * size + 50 * MB
    if free < needed:
        raise CannotRun(
            f"{folder} has {free // MB} MB free, and the jars need {needed // MB} MB. Make room there."
        )
    if not todo:
        return
    say(f"Fetching {len(todo)} jars, {size // MB} MB, once")
    mirror = os.environ.get("F1_MAVEN", "")
    try:
        if shutil.which("mvn"):
            fetch_by_maven(todo, fetched, mirror, say)
        elif importlib.util.find_spec("jgo"):
            fetch_by_jgo(todo, fetched, mirror, say)
        else:
            raise CannotRun(NO_CLIENT)
    except FetchFailed as error:
        raise CannotRun(f"{error}. What has come stays; the same command goes on from there.") from None


def _take_over(wanted: Iterable[Jar], fetched: Path, folder: Path) -> None:
    """A jar gets to its place only when it is the one that the lock names. Raises CannotRun."""
    folder.mkdir(exist_ok=True)
    for jar in wanted:
        came = fetched / jar.file
        found = _digest(came)
        if found != jar.sha256:
            came.unlink()
            source = Path.home() / ".m2/repository" / jar.path
            raise CannotRun(
                f"{jar.file} is not the file that its lock names (SHA-256 {found[:12]}…, not {jar.sha256[:12]}…)"
                f" and was thrown away. Remove {source} too, then run the same command again."
            )
        part = (folder / jar.file).with_suffix(".part")
        shutil.copyfile(came, part)
        part.replace(folder / jar.file)
