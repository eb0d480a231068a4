"""A PostgreSQL of the tests' own, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.services.waiting import free_port
from tests.fakes.waiting import lacking


def programs() -> Path:
    """The newest installed PostgreSQL's programs. Skips where there is none; fails in CI."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    which = shutil.which("initdb")
    if not found and which is None:
        lacking("PostgreSQL's initdb is missing: install the postgresql package")
    return found[-1].parent if found else Path(str(which)).parent


class PostgreSQL:
    def __init__(self) -> None:
        self._bin, self._port = programs(), free_port()
        folder = Path(tempfile.mkdtemp(prefix="f1-postgres-"))  # not below a folder that only root may enter
        self._folder, self._data = folder, folder / "data"
        folder.chmod(0o777)
        self._as_user = self._drop_root() if os.geteuid() == 0 else {}
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "lab", "--no-sync")
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        self.url = f"postgres://lab@127.0.0.1:{self._port}/postgres"

    @staticmethod
    def _drop_root() -> dict[str, int]:
        """PostgreSQL refuses to run as root."""
        user = pwd.getpwnam("postgres")
        return {"user": user.pw_uid, "group": user.pw_gid}

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments],
            check=True,
            capture_output=True,
            timeout=60,
            cwd="/",
            **self._as_user,  # type: ignore[call-overload]  # user and group, where they are needed
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")
        shutil.rmtree(self._folder)
