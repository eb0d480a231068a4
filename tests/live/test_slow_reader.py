"""A client that acknowledges and never reads, on each server: it costs a bounded buffer, and its own frames."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from bench.services.waiting import free_port
from tests.fakes.waiting import wait_for
from tests.live.servers import KINDS, Page, certificate, command

FRAME, FRAMES = 20_000, 3_000  # 60 MB
# The two servers as they are usually run; with TLS and with compression in the long sweep.
EACH_KIND = pytest.mark.parametrize(
    "kind",
    [kind if kind in ("daphne", "uvicorn") else pytest.param(kind, marks=pytest.mark.full) for kind in KINDS],
)
UNSENT = 600_000  # the limit, a whole state, and what a transport keeps for itself

APP = f"""
import asyncio, json, os
import django
django.setup()
from bench.harness import rss_kb
from races.live import consumers
from races.live.hub import Hub, Socket
from races.live.servers.transport import straight, unsent

newest = [("", 0)]

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    hub, consumer = Hub(lambda race: newest[0]), consumers.RaceSocket()
    await receive()
    await send({{"type": "websocket.accept"}})
    page = Socket(lambda text: send({{"type": "websocket.send", "text": text}}), None, None, 0.0, straight(send))
    hub.join("race", page)
    flood = asyncio.ensure_future(publish(hub, page, consumer, send))
    while (message := await receive())["type"] != "websocket.disconnect":
        page.acked_at += 1
    flood.cancel()
    print("gone", flush=True)

async def publish(hub, page, consumer, send):
    most = 0
    while page.acked_at < 5:
        await asyncio.sleep(0.01)
    before = rss_kb(os.getpid())
    for number in range(1, {FRAMES} + 1):
        frame = os.urandom({FRAME} // 2).hex()  # nothing that shrinks much
        newest[0] = frame * 3, number
        hub.publish("race", [(number, frame)], 0.0)
        most = max(most, unsent(send))
        await asyncio.sleep(0)
    told = {{"unsent": most, "grown_kb": rss_kb(os.getpid()) - before, "skipped": page.skipped, "acks": page.acked_at}}
    print(json.dumps(told), flush=True)
    if "REFUSE" in os.environ:
        consumers.DROP_S, consumer.base_send = 0.5, send
        asyncio.ensure_future(consumer._refuse(4408))
    while "REFUSE" not in os.environ:
        number += 1
        newest[0] = "the newest state", number
        hub.publish("race", [(number, "later")], 0.0)
        await asyncio.sleep(0.05)
"""


@contextmanager
def served(kind: str, port: int, own: Path, folder: Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    (folder / "slow_app.py").write_text(APP)
    started = [sys.executable, *command(kind, port, own, "slow_app:application")]
    environ = (
        os.environ
        | environ
        | {
            "DJANGO_SETTINGS_MODULE": "f1site.settings",
            "PYTHONPATH": f"{folder}{os.pathsep}{settings.BASE_DIR}",
        }
    )
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            started, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def opened(kind: str, port: int, own: Path) -> Page:
    def reached() -> Page | None:
        try:
            return Page(kind, port, own=own)
        except ConnectionRefusedError:
            return None

    found = wait_for(reached, "the server answers", 30)
    assert found is not None
    return found


@pytest.mark.timeout(90)
@EACH_KIND
def test_a_slow_reader_costs_a_bounded_buffer(kind: str, tmp_path: Path) -> None:
    port, own = free_port(), certificate(tmp_path)
    with served(kind, port, own, tmp_path) as process, opened(kind, port, own) as page:
        for tick in range(5):
            page.say(f"ack {tick}")
        assert process.stdout is not None
        line = next((line for line in process.stdout if line.startswith("{")), "")  # servers log there too
        told: dict[str, Any] = json.loads(line or (tmp_path / "log").read_text())
        print(f"\n{kind}, 60 MB offered: {told}")
        assert told["unsent"] < UNSENT
        assert told["grown_kb"] < 20_000
        assert told["skipped"] > FRAMES / 2
        assert told["acks"] == 5
        while b"the newest state" not in page.read():
            assert page.protocol.state.name == "OPEN"


@pytest.mark.timeout(90)
@EACH_KIND
def test_a_slow_reader_is_dropped_at_its_end(kind: str, tmp_path: Path) -> None:
    """Servers wait for the client to take what they have for it, and this one never does."""
    port, own = free_port(), certificate(tmp_path)
    with served(kind, port, own, tmp_path, REFUSE="1") as process, opened(kind, port, own) as page:
        for tick in range(5):
            page.say(f"ack {tick}")
        assert process.stdout is not None
        assert any(line == "gone\n" for line in process.stdout)
