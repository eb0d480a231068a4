"""Spectators of one race on one core: our page, Channels' layers, the bare servers, raw websockets; delivery and cost.

Each cell is a fresh server on core 0, with N sockets from one load process on core 1, uncompressed. Delay: from the
instant that a tick is due to its last byte's arrival in the load process, so a late publisher counts too. of_bare:
what our page sends for a second of the processor, as a share of what the bare server does; judged at the most sockets,
where the race's own work, the same however many look on, weighs least.
FANOUT_SOCKETS, FANOUT_VARIANTS, FANOUT_SERVERS (comma-separated), FANOUT_SECONDS and FANOUT_RATE change it.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.harness import ROOT, cpu_seconds, rss_kb
from bench.loadclient import Audience
from bench.scenarios import fanout_material
from bench.scenarios.fanout_material import FIRST_TICK, Material
from bench.services.waiting import free_port

VARIANTS = ("ours", "channel_layer", "channels_redis", "bare", "websockets")
SERVERS = ("daphne", "uvicorn")
SOCKETS = (1000, 2000, 4000, 8000)
LEAST_OF_BARE = 0.85
SECONDS, SETTLE_S = 8.0, 2.0
JOIN_LIMIT_S, START_LIMIT_S = 60.0, 60.0
Cell = dict[str, float | None]


def _chosen(name: str, all_of_them: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(os.environ.get(name, ",".join(all_of_them)).split(","))


def _pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > core:
        os.sched_setaffinity(0, {core})


def _command(server: str, port: int) -> list[str]:
    app = "bench.scenarios.fanout_apps:application"
    commands = {
        "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0", app],
        "uvicorn": ["-m", "uvicorn", "--port", str(port), "--log-level", "warning", "--no-access-log", app],
        "websockets": ["-m", "bench.scenarios.fanout_apps"],
    }
    return [sys.executable, *commands[server]]


@contextmanager
def _running(command: list[str], environ: Mapping[str, str], core: int, port: int) -> Iterator[int]:
    """A server's process id, once it takes connections."""
    with (Path(tempfile.gettempdir()) / f"fanout-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environ},
            cwd=ROOT,
            preexec_fn=lambda: _pin(core),
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + START_LIMIT_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command)} does not start")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _redis() -> Iterator[str]:
    port = free_port()
    command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--loglevel",
        "warning",
    ]
    with _running(command, {}, 1, port):
        yield f"redis://127.0.0.1:{port}/0"


def _cell(
    folder: Path, material: Material, variant: str, server: str, count: int, more: Mapping[str, str]
) -> Cell:
    port, rate = free_port(), float(os.environ.get("FANOUT_RATE", "5"))
    base = time.monotonic()
    environ = {
        "F1_VAR_DIR": str(folder),
        "F1_CONFIG": "",
        "DJANGO_SETTINGS_MODULE": "f1site.settings",
        "FANOUT_VARIANT": variant,
        "FANOUT_BASE": str(base),
        "FANOUT_RATE": str(rate),
        "FANOUT_PORT": str(port),
        **more,
    }
    with _running(_command(server, port), environ, 0, port) as pid:
        path = f"/ws/races/{material.race_id}/"
        audience = Audience(("127.0.0.1", port), [path], lambda _, tick: base + (tick - FIRST_TICK) / rate)
        try:
            return _measured(audience, pid, count, rate, acknowledge=variant == "ours")
        finally:
            audience.close()


def _measured(audience: Audience, pid: int, count: int, rate: float, acknowledge: bool) -> Cell:
    audience.join(1, START_LIMIT_S)  # imports and first connection are not what a socket costs
    before = rss_kb(pid)
    joined_s = audience.join(count - 1, JOIN_LIMIT_S)
    audience.acknowledge = acknowledge
    audience.run(SETTLE_S)
    joined = len(audience.joined)
    seconds = float(os.environ.get("FANOUT_SECONDS", SECONDS))
    used, began, audience.measuring = cpu_seconds(pid), time.monotonic(), True
    audience.run(seconds)
    audience.measuring, took = False, time.monotonic() - began
    cpu = (cpu_seconds(pid) - used) / took
    delays = sorted(audience.arrivals.delays)
    return {
        "delivered_per_s": round(len(delays) / took),
        "expected_per_s": round(count * rate),
        "p50_ms": _centile(delays, 50),
        "p99_ms": _centile(delays, 99),
        "cpu_share": round(cpu, 3),
        "kb_per_socket": round((rss_kb(pid) - before) / count, 1),
        "join_s": round(joined_s, 1),
        "joined": joined,
        "per_core_s": round(len(delays) / took / cpu) if cpu else 0,
    }


def _centile(delays: list[float], which: int) -> float | None:
    """Milliseconds; None where nothing arrived."""
    return round(quantiles(delays, n=100)[which - 1] * 1000, 1) if len(delays) > 1 else None


def _line(variant: str, server: str, count: int, cell: Cell) -> str:
    return (
        f"{variant:<15}{server:<11}{count:>5}{cell['delivered_per_s']:>8} of {cell['expected_per_s']:<7}"
        f"p50 {cell['p50_ms']!s:>8} p99 {cell['p99_ms']!s:>8} ms  cpu {cell['cpu_share']!s:>5}"
        f"{cell['kb_per_socket']!s:>6} kB/socket  joined in {cell['join_s']} s"
    )


def _variant(
    folder: Path, material: Material, variant: str, more: Mapping[str, str]
) -> dict[str, dict[int, Cell]]:
    found: dict[str, dict[int, Cell]] = {}
    servers = ("websockets",) if variant == "websockets" else _chosen("FANOUT_SERVERS", SERVERS)
    for server in servers:
        for count in map(int, _chosen("FANOUT_SOCKETS", tuple(map(str, SOCKETS)))):
            cell = _cell(folder, material, variant, server, count, more)
            found.setdefault(server, {})[count] = cell
            print(_line(variant, server, count, cell), file=sys.stderr, flush=True)
    return found


def run() -> dict[str, Any]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        material = fanout_material.make(folder)
        _pin(1)
        for variant in _chosen("FANOUT_VARIANTS", VARIANTS):
            if variant != "channels_redis":
                figures[variant] = _variant(folder, material, variant, {})
            elif shutil.which("redis-server"):
                with _redis() as address:
                    figures[variant] = _variant(folder, material, variant, {"FANOUT_REDIS": address})
            else:
                print("channels_redis is left out: there is no redis-server here", file=sys.stderr)
    sizes = [len(message.encode()) for message in material.messages]
    figures["message_bytes"] = round(sum(sizes) / len(sizes))
    shares = of_bare(figures)
    low = [server for server, by in shares.items() if by[max(by)] < LEAST_OF_BARE]
    return figures | {"of_bare": shares, "out_of_band": low, "load_average": os.getloadavg()[0]}


def of_bare(figures: dict[str, Any]) -> dict[str, dict[int, float]]:
    """By server and number of sockets, where both were measured."""
    ours, bare = figures.get("ours", {}), figures.get("bare", {})
    return {
        server: {
            count: round(cell["per_core_s"] / bare[server][count]["per_core_s"], 2)
            for count, cell in by.items()
            if bare[server][count]["per_core_s"]
        }
        for server, by in ours.items()
        if server in bare
    }
