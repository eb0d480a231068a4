"""A socket that has closed is gone from memory, without anybody looking for it."""

from __future__ import annotations

from contextlib import closing

import pytest

from bench.services.waiting import free_port
from tests.live.raw_socket import acknowledge, opened, served

SOCKETS = 10

SERVER = """
import asyncio, gc, sys
from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.web.http import HTTPChannel
from races.live.servers import daphne as daphne_sockets

port, sockets = map(int, sys.argv[1:])
daphne_sockets.install()
gc.disable()
closed = 0

async def app(scope, receive, send):
    global closed
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": "an answer"})
    closed += 1
    if closed == sockets:
        asyncio.get_running_loop().create_task(tell())

async def tell():
    kinds = WebSocketProtocol, WebRequest, HTTPChannel
    for _ in range(50):
        await asyncio.sleep(0.1)  # Daphne forgets applications that have ended once a second
        left = sum(isinstance(each, kinds) for each in gc.get_objects())
        if not left:
            break
    print(left, flush=True)

Server(app, endpoints=[f"tcp:port={port}:interface=127.0.0.1"], signal_handlers=False,
       ready_callable=lambda: print("ready", flush=True)).run()
"""


@pytest.mark.timeout(60)
def test_a_closed_socket_leaves_no_cycle() -> None:
    port = free_port()
    with served(SERVER, port, SOCKETS) as process:
        for tick in range(SOCKETS):
            with closing(opened(port)) as page:
                acknowledge(page, tick)
                assert page.recv(100)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "0"
