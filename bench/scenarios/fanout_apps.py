"""The servers that the fan-out benchmark compares, all sending the same messages of the same race at the same times.

ours            the web process as it is, its Kafka consumer replaced by one that plays records back in time
channel_layer   a Channels consumer in a group of the in-memory layer; channels_redis: of a Redis
bare            an ASGI application that loops over its sockets, nothing else
websockets      `broadcast` of the websockets library, without ASGI
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from bench.scenarios import fanout_material
from bench.scenarios.fanout_material import Material

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BASE = float(os.environ.get("FANOUT_BASE", "0"))  # when the first tick is due, on the monotonic clock
RATE = float(os.environ.get("FANOUT_RATE", "5"))
FOLDER = Path(os.environ.get("F1_VAR_DIR", "."))


def due(number: int) -> float:
    return BASE + number / RATE


def next_number() -> int:
    return int((time.monotonic() - BASE) * RATE) + 1


async def _messages(material: Material) -> AsyncIterator[str]:
    """Each at its time; late ones at once."""
    for number in range(next_number(), len(material.messages)):
        await asyncio.sleep(max(0.0, due(number) - time.monotonic()))
        yield material.messages[number]


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _long_lived() -> None:
    """As our own page does it, so that the collector makes no difference."""
    gc.set_threshold(50_000, 50, 1000)
    gc.freeze()


def bare() -> App:
    material = fanout_material.load(FOLDER)
    members: set[Send] = set()
    tasks: list[asyncio.Task[None]] = []

    async def publish() -> None:
        async for text in _messages(material):
            message = {"type": "websocket.send", "text": text}
            for send in tuple(members):
                await send(message)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if not tasks:
            _long_lived()
            tasks.append(asyncio.create_task(publish()))
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": material.snapshot})
        members.add(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        members.discard(send)

    return application


def grouped(layer: dict[str, Any]) -> App:
    from django.conf import settings

    settings.configure(CHANNEL_LAYERS={"default": layer}, DATABASES={}, SECRET_KEY=os.urandom(8).hex())
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.layers import get_channel_layer

    material = fanout_material.load(FOLDER)
    tasks: list[asyncio.Task[None]] = []

    async def publish() -> None:
        group: Any = get_channel_layer()
        async for text in _messages(material):
            await group.group_send("race", {"type": "race.frame", "text": text})

    class Page(AsyncWebsocketConsumer):
        channel_layer: Any

        async def connect(self) -> None:
            if not tasks:
                _long_lived()
                tasks.append(asyncio.create_task(publish()))
            await self.accept()
            await self.channel_layer.group_add("race", self.channel_name)
            await self.send(text_data=material.snapshot)

        async def race_frame(self, event: dict[str, Any]) -> None:
            await self.send(text_data=event["text"])

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard("race", self.channel_name)

    page: Any = Page.as_asgi()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await (_lifespan(receive, send) if scope["type"] == "lifespan" else page(scope, receive, send))

    return application


def ours() -> App:
    from f1site.asgi import application
    from races.streams import connection
    from races.streams.config import embedded_settings
    from races.streams.connection import Connection
    from races.streams.consumer import Message, TailState
    from races.streams.registry.service import Registry

    material = fanout_material.load(FOLDER)

    class Playback:
        """A Tail, as far as the feed asks."""

        state = TailState(True, "ok", 0, 0, 0)

        def __init__(self) -> None:
            self._number = next_number()

        def poll(self, max_messages: int, timeout: float) -> list[Message]:
            ahead = due(self._number) - time.monotonic()
            time.sleep(max(0.0, min(ahead, timeout)))
            if ahead > timeout or self._number >= len(material.records):
                return []
            number, self._number = self._number, self._number + 1
            at = material.timestamps[number]
            return [Message(role, 0, number, key, value, at) for role, key, value in material.records[number]]

        def lags(self) -> dict[str, int]:
            return {}

        def close(self) -> None:
            pass

    class Played(Connection):
        def tail(self, *arguments: Any) -> Any:
            return Playback()

    found = connection.connect(embedded_settings(""), Registry(FOLDER / "registry.sqlite3"))
    found.codec.prepare()
    connection.use(Played(found.settings, found.codec, found.embedded_registry))
    return application


async def websockets_alone(port: int) -> None:
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    material = fanout_material.load(FOLDER)
    _long_lived()

    async def handler(page: ServerConnection) -> None:
        await page.send(material.snapshot)
        members.add(page)
        await page.wait_closed()
        members.discard(page)

    members: set[ServerConnection] = set()
    async with serve(handler, "127.0.0.1", port, compression=None, backlog=2048):
        async for text in _messages(material):
            broadcast(members, text)


def _application(variant: str) -> App:
    if variant == "ours":
        return ours()
    if variant == "bare":
        return bare()
    if variant == "channel_layer":
        return grouped({"BACKEND": "channels.layers.InMemoryChannelLayer"})
    # redis-py allows 100 connections unless told otherwise, which 200 sockets exceed.
    hosts = [{"address": os.environ["FANOUT_REDIS"], "max_connections": 20_000}]
    return grouped({"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": hosts}})


if variant := os.environ.get("FANOUT_VARIANT"):
    if variant == "websockets":
        asyncio.run(websockets_alone(int(os.environ["FANOUT_PORT"])))
    else:
        application = _application(variant)
