"""The sockets of each race, inside one process and one event loop.

A frame is one string for everybody. It is written straight to the transport where the server is known
(servers/transport.py); otherwise a task sends it. While a client leaves too much unread, its frames are skipped, and
the next thing it gets is the newest state as a whole. A slow client therefore costs a bounded buffer, never a queue,
and delays nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from races.live.servers.frames import OVERFULL, Write
from races.live.watched_race import Snapshot

Send = Callable[[str], Coroutine[Any, Any, None]]
Close = Callable[[int, str], Awaitable[None]]
Snapshots = Callable[[str], Snapshot]  # by race id


@dataclass(slots=True, eq=False)
class Socket:
    """One spectator.

    needs_snapshot: the client missed a frame, so changes alone would mislead it. has: the newest message that was in
    the last snapshot, which may have been taken while that message itself was still on its way.
    """

    send: Send
    close: Close
    client: str | None
    acked_at: float
    write: Write | None = None
    unsent: Callable[[], int] | None = None
    needs_snapshot: bool = False
    has: int = 0
    lagging: bool = False
    pending: asyncio.Task[None] | None = None
    skipped: int = 0
    last_sent_at: float = 0.0

    def offer(self, text: str) -> bool:
        """Sends the text or starts a task that does; False where the client has too much before it already."""
        if self.pending is not None:
            return self._skip_frame()
        written = self.write(text) if self.write is not None else None
        if written is not None:
            return written or self._skip_frame()
        self.pending = asyncio.ensure_future(self.send(text))
        self.pending.add_done_callback(self._through)
        return True

    @property
    def overfull(self) -> bool:
        return self.unsent is not None and self.unsent() > OVERFULL

    def _skip_frame(self) -> bool:
        self.needs_snapshot = True
        self.skipped += 1
        return False

    def show(self, snapshot: Snapshot) -> bool:
        text, self.has = snapshot
        self.needs_snapshot = False
        return self.offer(text)

    def _through(self, task: asyncio.Task[None]) -> None:
        self.pending = None
        if not task.cancelled():
            task.exception()


@dataclass(slots=True)
class Channel:
    """The sockets of one race."""

    sockets: set[Socket] = field(default_factory=set)


class Hub:
    """snapshots gives the whole state of a race, for whoever joins or missed a frame."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._races: dict[str, Channel] = {}
        self.frames = 0  # sent, of all times
        self._skipped_before = 0  # by sockets that have left

    def join(self, race_id: str, socket: Socket) -> None:
        self._races.setdefault(race_id, Channel()).sockets.add(socket)

    def leave(self, race_id: str, socket: Socket) -> None:
        channel = self._races.get(race_id)
        if channel is None or socket not in channel.sockets:
            return
        channel.sockets.remove(socket)
        self._skipped_before += socket.skipped
        socket.skipped = 0
        if socket.pending is not None:
            socket.pending.cancel()
        if not channel.sockets:
            del self._races[race_id]

    def watched(self, race_id: str) -> bool:
        return race_id in self._races

    def races(self) -> list[str]:
        return list(self._races)

    def sockets(self, race_id: str | None = None) -> list[Socket]:
        if race_id is not None:
            channel = self._races.get(race_id)
            return list(channel.sockets) if channel else []
        # copies: /metrics asks from another thread
        return [socket for channel in list(self._races.values()) for socket in list(channel.sockets)]

    @property
    def skipped(self) -> int:
        """Frames skipped so far, by sockets that are here and by those that have left."""
        return self._skipped_before + sum(socket.skipped for socket in self.sockets())

    def count(self, client: str | None = None) -> int:
        if client is None:
            return sum(len(channel.sockets) for channel in list(self._races.values()))
        return sum(socket.client == client for socket in self.sockets())

    def publish(
        self,
        race_id: str,
        messages: Sequence[tuple[int, str]],
        now: float,
    ) -> None:
        """Sends one frame to everybody in the race; whoever missed one gets the whole state instead.

        messages: what the frame is made of, with their numbers. They add lines to lists, so nobody may get one twice.
        """
        channel = self._races.get(race_id)
        if channel is None:
            return
        first, newest = messages[0][0], messages[-1][0]
        frame = "".join(text for _, text in messages)
        for socket in channel.sockets:
            if socket.lagging:
                socket.needs_snapshot = True
                continue
            if socket.has >= newest and not socket.needs_snapshot:
                continue
            if socket.needs_snapshot and socket.pending is None:
                sent = socket.show(self._snapshots(race_id))
            elif socket.has < first:
                sent = socket.offer(frame)
            else:
                sent = socket.offer("".join(text for number, text in messages if number > socket.has))
            if sent:
                socket.last_sent_at = now
                self.frames += 1
