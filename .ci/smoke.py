"""Starts the lab as a person does, runs a short race to its flag, and stops the lab. Works on every system.

Exits with 1 and the lab's last words where something is missing.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
UP_S, RACE_S = 60, 120


def ask(url: str) -> Any:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return None


def wait(seconds: float, found: Any) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.5)
    raise SystemExit("The lab did not get so far in time.")


def race(base: str, manage: list[str], environ: dict[str, str]) -> None:
    wait(UP_S, lambda: ask(f"{base}/healthz"))
    start = [*manage, "start_race", "--driver", "NOR", "--laps", "2", "--pace", "60"]
    subprocess.run(start, cwd=ROOT, env=environ, check=True, timeout=60)
    wait(RACE_S, lambda: [one for one in ask(f"{base}/api/races/")["races"] if one["status"] == "finished"])


def main() -> int:
    manage = [sys.executable, "manage.py"]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environ = os.environ | {"F1_VAR_DIR": folder, "PYTHONUTF8": "1"}
        subprocess.run(
            [*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=environ, check=True, timeout=120
        )
        log = Path(folder) / "log"
        with log.open("wb") as out:
            lab = subprocess.Popen(
                [*manage, "runlab", f"127.0.0.1:{port}"], cwd=ROOT, env=environ, stdout=out, stderr=out
            )
            try:
                race(f"http://127.0.0.1:{port}", manage, environ)
            except BaseException:
                print(log.read_text(encoding="utf-8", errors="replace")[-3000:], file=sys.stderr)
                raise
            finally:
                lab.terminate()
                lab.wait(30)
    print("A race went from the lights to the flag.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
