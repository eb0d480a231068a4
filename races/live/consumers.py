"""The socket of one spectator: a snapshot on connect, then what the hub hands over. It understands `ack <tick>`."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from races.lib.rate_limit import BAD_MESSAGE, REASON, RateLimiter
from races.live.hub import Socket
from races.live.servers.frames import OVERFULL
from races.live.servers.transport import dropping, limit_messages, straight, unsent
from races.live.service import LiveService, service
from races.middleware.visitors import COOKIE, client_of

# ASGI's: what servers put into them is more than the types of channels know.
Scope: TypeAlias = Any
Receive: TypeAlias = Any
Send: TypeAlias = Any

UNKNOWN_RACE, SILENT, TOO_MANY = 4404, 4408, 4429
REASONS = {
    BAD_MESSAGE: REASON,
    UNKNOWN_RACE: "there is no such race",
    SILENT: "no acknowledgement for a minute",
    TOO_MANY: "too many pages of this browser are open",
}
# A page may acknowledge once a second, and does so every fifth; a little room for timers that bunch up after a pause.
ACK_BURST, ACK_RATE = 10.0, 2.0
LONGEST_ACK = 16
DROP_S = 10.0  # for a page to take the closing frame, and what is before it
PONG_EVERY_S = 9.5  # every other one: an answer costs as much as a frame


def cookie_of(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, text = part.strip().partition("=")
                if key == COOKIE:
                    return str(text)
    return None


def acked_tick(text: str | None) -> int | None:
    """The tick of an `ack <tick>`; None for anything else."""
    if text is None or len(text) > LONGEST_ACK or not text.startswith("ack "):
        return None
    number = text[4:]
    return int(number) if number.isascii() and number.isdigit() else None


class RaceSocket(AsyncWebsocketConsumer):
    base_send: Send
    live: LiveService
    socket: Socket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Channels' own loop costs two tasks and a turn in Django's thread for every message: it listens to a
        channel layer too, and looks after database connections. Nothing here needs either."""
        self.scope, self.base_send = scope, send
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                if message["type"] == "websocket.connect":
                    await self.connect()
                else:
                    await self.receive(message.get("text"), message.get("bytes"))
        finally:
            self._leave()

    async def connect(self) -> None:
        self.live = service()
        self.race_id = str(self.scope["url_route"]["kwargs"]["race_id"])
        limit_messages(self.base_send)
        await self.accept()
        if not await self.live.open_race(self.race_id):
            await self._refuse(UNKNOWN_RACE)
            return
        client = client_of(cookie_of(self.scope))
        limit = settings.F1_MAX_SOCKETS_PER_CLIENT
        if client and limit and self.live.hub.count(client) >= limit:
            await self._refuse(TOO_MANY)
            return
        # joins and takes the snapshot without giving the loop away in between, so that no frame is missed
        self._acks, self._pong_at = RateLimiter(ACK_BURST, ACK_RATE), 0.0
        send = self.base_send
        self.socket = Socket(
            lambda text: send({"type": "websocket.send", "text": text}),
            self._refuse,
            client,
            time.monotonic(),
            straight(send),
            partial(unsent, send),
        )
        self.live.hub.join(self.race_id, self.socket)
        self.socket.show(self.live.feed.snapshot(self.race_id))

    async def _refuse(self, code: int, reason: str = "") -> None:
        """Closes the socket, and drops the connection after DROP_S: a peer that does not read would keep it open."""
        patience = DROP_S if unsent(self.base_send) <= OVERFULL else 0
        asyncio.get_running_loop().call_later(patience, dropping(self.base_send))
        with suppress(RuntimeError):  # uvicorn's word for a socket that it has closed by itself meanwhile
            await self.base_send(
                {"type": "websocket.close", "code": code, "reason": reason or REASONS.get(code, "")}
            )

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        tick = acked_tick(text_data) if bytes_data is None else None
        if self.socket is None:
            return
        if tick is None or not self._acks.allow():
            self._leave()
            await self._refuse(BAD_MESSAGE)
            return
        now = self.socket.acked_at = time.monotonic()
        self.socket.lagging = False
        if now >= self._pong_at:
            self._pong_at = now + PONG_EVERY_S
            self.socket.offer(f'<i id="pong" hidden>{tick}</i>')

    def _leave(self) -> None:
        if self.socket is not None:
            self.live.hub.leave(self.race_id, self.socket)
            self.socket = None


class UnknownSocket(AsyncWebsocketConsumer):
    """Any other socket address: closed with words instead of a traceback in the log."""

    async def connect(self) -> None:
        limit_messages(self.base_send)
        await self.accept()
        await self.base_send(
            {"type": "websocket.close", "code": UNKNOWN_RACE, "reason": REASONS[UNKNOWN_RACE]}
        )
