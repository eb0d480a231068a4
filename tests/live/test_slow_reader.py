"""A client that acknowledges and never reads, on a real Daphne: it costs a bounded buffer, and its own frames."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.java import free_port
from tests.live.raw_socket import acknowledge, opened, served

FRAME, FRAMES = 20_000, 3_000  # 60 MB

SERVER = """
import asyncio, json, sys
from daphne.server import Server
from twisted.internet import reactor
from races.live.hub import Hub, Socket
from races.live.wire import straight

port, frame, frames = map(int, sys.argv[1:])
hub, worst = Hub(), 0

def unsent(send):
    transport = send.args[0].transport
    return transport._tempDataLen + len(transport.dataBuffer)

async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    page = Socket(lambda text: send({"type": "websocket.send", "text": text}), None, None, 0.0, straight(send))
    hub.join("race", page)
    flood = asyncio.ensure_future(publish(page, send))
    while (message := await receive())["type"] != "websocket.disconnect":
        page.acked_at += 1
    flood.cancel()

async def publish(page, send):
    most = 0
    while page.acked_at < 5:
        await asyncio.sleep(0.01)
    for number in range(1, frames + 1):
        hub.publish("race", range(number, number + 1), "x" * frame, lambda: ("whole " * 10_000, number), 0.0)
        most = max(most, unsent(send))
        await asyncio.sleep(0)
    print(json.dumps({"unsent": most, "skipped": page.skipped, "acks": page.acked_at}), flush=True)
    while True:
        number += 1
        hub.publish("race", range(number, number + 1), "later", lambda: ("the newest state", number), 0.0)
        await asyncio.sleep(0.05)

Server(app, endpoints=[f"tcp:port={port}:interface=127.0.0.1"], signal_handlers=False,
       ready_callable=lambda: print("ready", flush=True)).run()
"""


@pytest.mark.timeout(90)
def test_who_acknowledges_and_never_reads_costs_a_bounded_buffer_and_comes_back_with_the_newest() -> None:
    port = free_port()
    with served(SERVER, port, FRAME, FRAMES) as process, opened(port) as page:
        for tick in range(5):
            acknowledge(page, tick)
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        print(f"\n60 MB offered: at most {told['unsent']} bytes unsent, {told['skipped']} frames left out")
        assert told["unsent"] < 500_000
        assert told["skipped"] > FRAMES / 2
        assert told["acks"] == 5
        seen = b""
        while b"the newest state" not in seen:
            seen = seen[-100:] + page.recv(1 << 20)
