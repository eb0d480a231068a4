"""A disk that can be filled: a file system with little room, which only what is started inside it sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPY = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('VACUUM INTO ?', sys.argv[2:])"
MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$0" && echo mounted && exec cat'


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """place: its path inside. inside: what a command begins with that is to see it."""

    place: Path
    pid: int

    @property
    def inside(self) -> list[str]:
        entering = f"nsenter --user --mount --preserve-credentials --target {self.pid}"
        return [*entering.split(), f"--wdns={ROOT}"]

    @property
    def seen(self) -> Path:
        """The same from outside."""
        return Path(f"/proc/{self.pid}/root{self.place}")

    def fill(self) -> None:
        """Fills the disk until not a page is left."""
        with (self.seen / "ballast").open("wb") as ballast:
            while free := shutil.disk_usage(self.seen).free:
                with suppress(OSError):  # somebody was quicker
                    os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, free)

    def free(self) -> None:
        (self.seen / "ballast").unlink()

    def copied(self, name: str, to: Path) -> Path:
        """A database that is on it, as it stands: SQLite cannot open what is only `seen`."""
        command = [*self.inside, sys.executable, "-c", COPY, str(self.place / name), str(to)]
        subprocess.run(command, check=True)
        return to


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[SmallDisk]:
    """A namespace of its own for users and mounts, so that nobody has to be root. It goes with its last process."""
    place.mkdir(parents=True)
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, str(place), size]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        if not holder.stdout.readline():
            pytest.skip("user namespaces are not allowed")  # no tool would help
        yield SmallDisk(place, holder.pid)
