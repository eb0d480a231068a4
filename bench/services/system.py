"""The lab as it is run for real: workers and webs as processes of their own, beside a Kafka and a registry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import requests
import yaml

from bench.services.waiting import free_port, wait_for
from races.streams.config import StreamSettings

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable


class System:
    """settings: the Kafka and registry to use. Its processes get them through config.yaml and the environment.

    inside: what every command begins with, if its processes are to see another file system.
    """

    def __init__(
        self,
        folder: Path,
        settings: StreamSettings,
        registry_url: str,
        inside: Sequence[str] = (),
        **environ: str,
    ) -> None:
        self.folder, self._python = folder, [*inside, PYTHON]
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "config.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "kafka": {
                        "bootstrap.servers": settings.bootstrap,
                        "schema_registry_url": registry_url,
                        "topics": dict(settings.topics),
                    }
                }
            )
        )
        self.environ = {
            **os.environ,
            "F1_CONFIG": str(config),
            "F1_VAR_DIR": str(folder / "var"),
            "F1_MAX_RACES": "0",
            "F1_MAX_RACES_PER_CLIENT": "0",
            **environ,
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        self.manage("migrate", "--verbosity", "0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def database(self) -> Path:
        return self.folder / "var" / "db.sqlite3"

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._python, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*self._python, *command], cwd=ROOT, env=self.environ, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        return self.start("manage.py", "run_worker", *options)

    def web(self, server: str = "daphne") -> tuple[subprocess.Popen[bytes], str]:
        """A web process under daphne or uvicorn, and its address."""
        port = str(free_port())
        flags = (
            ["-b", "127.0.0.1", "-p", port] if server == "daphne" else ["--host", "127.0.0.1", "--port", port]
        )
        process = self.start("-m", server, *flags, "f1site.asgi:application")
        base = f"127.0.0.1:{port}"

        def up() -> bool:
            assert process.poll() is None, self.logs()
            try:
                return requests.get(f"http://{base}/livez", timeout=20).ok
            except requests.ConnectionError:
                return False

        wait_for(up, f"{server} answers", 30)
        return process, base

    def race(self, *options: str) -> str:
        """Enters a race; its id."""
        fields = ["--driver", "NOR", "--circuit", "spielberg", "--laps", "2", "--pace", "30", *options]
        return self.manage("start_race", *fields).split()[0]

    def status(self, base: str, race_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            requests.get(f"http://{base}/api/races/{race_id}/", timeout=10).text
        )
        return found

    def until(self, base: str, race_id: str, status: str, seconds: float = 90) -> dict[str, Any]:
        self.wait(lambda: self.status(base, race_id)["status"] == status, f"{race_id} is {status}", seconds)
        return self.status(base, race_id)

    def wait(self, what: Callable[[], bool], why: str, seconds: float) -> None:
        """Waits until the call is true. Raises TimeoutError with the processes' logs when it never is."""
        try:
            wait_for(what, why, seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.logs()}") from None

    def logs(self) -> str:
        return "\n".join(
            path.read_text(errors="replace")[-3000:] for path in sorted(self.folder.glob("*.log"))
        )

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
