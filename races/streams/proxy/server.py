"""The proxy's connections: a thread with an event loop of its own, one pair of sockets for each client.

A client that reads slowly holds up its own connection only: at most five of its requests are with the broker, and one
fetch, so that what waits for it is bounded. So is what all of them take together: memory, connections, and a share of
the processor. A connection that sends anything malformed is closed, with a line in the log, and one that sends nothing
without.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections import Counter, deque
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from races.lib.metrics import KAFKA_REFUSED
from races.lib.rate_limit import RateLimiter
from races.streams.proxy.answers import NAMING, Address, rewritten
from races.streams.proxy.groups import Answer, Groups
from races.streams.proxy.limits import BYTE_S, REQUEST_S, Kept, Share
from races.streams.proxy.requests import FETCH, FRAME_LIMIT, SMALL_LIMIT, Refused, Request, inspect

log = logging.getLogger(__name__)

CONNECTIONS, CONNECTIONS_OF_ONE = 300, 30  # of all, and of one address that is not this machine's
PENDING = 5
LARGE = 8  # requests of more than SMALL_LIMIT that are read at the same time
FIRST_S, BODY_S, IDLE_S, CONNECT_S = (
    30.0,
    30.0,
    600.0,
    5.0,
)  # as a Kafka of its own, idle ones for ten minutes
CHUNK = 64 * 1024
LOG_BURST, LOG_RATE = 10.0, 1.0


@dataclass(slots=True)
class _Pipe:
    """A client's connection and the broker's, and the requests whose answers are to come, in order."""

    client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    broker: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    address: Address
    proxy: KafkaProxy
    limit: asyncio.Timeout
    pending: deque[tuple[Request, Answer | None]] = field(default_factory=deque)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def requests(self) -> None:
        """Passes requests to the broker. Raises Refused, IncompleteReadError at the end, OSError, TimeoutError."""
        reader, _ = self.client
        _, writer = self.broker
        while True:
            size = int.from_bytes(await reader.readexactly(4), "big")
            if size > FRAME_LIMIT:
                raise Refused(
                    f"a request of {size} bytes; {FRAME_LIMIT} at most, and nothing but Kafka's protocol"
                )
            async with self.changed:
                await self.changed.wait_for(lambda: len(self.pending) < PENDING)
            async with self.proxy.large if size > SMALL_LIMIT else nullcontext():
                request = await self._next_request(size)
                await self._expect(request)
                writer.write(len(request.frame).to_bytes(4, "big") + request.frame)
                await writer.drain()

    async def _expect(self, request: Request) -> None:
        """Notes that an answer is to come, after the one fetch that may be on."""
        async with self.changed:
            if request.key == FETCH:
                await self.changed.wait_for(lambda: all(one.key != FETCH for one, _ in self.pending))
            group = request.group
            answer = self.proxy.groups.answer(group, request.version) if group else None
            self.pending.append((replace(request, frame=b""), answer))

    async def _next_request(self, size: int) -> Request:
        async with asyncio.timeout(BODY_S):
            frame = await self.client[0].readexactly(size)
        share = self.proxy.share
        share.spend(REQUEST_S + size * BYTE_S)
        await share.turn()
        with share.measured():
            request = inspect(frame)
        self.proxy.kept.add(request.keeps)
        self._used()
        return request

    def _used(self) -> None:
        """Puts off the end that an idle connection has."""
        self.limit.reschedule(asyncio.get_running_loop().time() + IDLE_S)

    async def answers(self) -> None:
        """Passes answers to the client. Raises IncompleteReadError at the end, OSError."""
        reader, _ = self.broker
        _, writer = self.client
        while True:
            size = int.from_bytes(await reader.readexactly(4), "big")
            correlation = await reader.readexactly(4)
            request, answer = self.pending[0]
            if not request.answered:  # the mock cluster answers also where nobody asked for it
                await reader.readexactly(size - 4)
            elif answer is not None or request.instead or request.key in NAMING:
                body = await reader.readexactly(size - 4)
                body = await answer if answer is not None else rewritten(request, body, self.address)
                writer.write((len(body) + 4).to_bytes(4, "big") + correlation + body)
            else:
                writer.write(size.to_bytes(4, "big") + correlation)
                await _copy(reader, writer, size - 4)
            await writer.drain()
            self.proxy.share.spend(size * BYTE_S)
            self._used()
            async with self.changed:
                self.pending.popleft()
                self.changed.notify_all()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int) -> None:
    while size:
        piece = await reader.read(min(size, CHUNK))
        if not piece:
            raise asyncio.IncompleteReadError(piece, size)
        writer.write(piece)
        await writer.drain()
        size -= len(piece)


class KafkaProxy:
    """Stands before a broker at 127.0.0.1."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kafka proxy", daemon=True)
        self.groups, self.kept, self.share = Groups(self._loop), Kept(), Share(self._loop)
        self.large = asyncio.Semaphore(LARGE)
        self._clients: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None
        self._logging = RateLimiter(LOG_BURST, LOG_RATE)

    def start(self, host: str, port: int = 0) -> Address:
        """Listens, and returns where. Port 0 is any free one. Raises OSError where the address is taken."""
        self._thread.start()
        try:
            return asyncio.run_coroutine_threadsafe(self._listen(host, port), self._loop).result()
        except OSError:
            self.close()
            raise

    @property
    def connections(self) -> int:
        return self._clients.total()

    def close(self) -> None:
        """Ends every connection and the thread."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _listen(self, host: str, port: int) -> Address:
        self._server = await asyncio.start_server(self._accept, host, port, limit=CHUNK)
        name = self._server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is None:  # it always is in one
            return
        self._tasks.add(task)
        peer = _bare(writer.get_extra_info("peername"))
        self._clients[peer] += 1
        try:
            if full := self._full(peer):
                self._refuse(peer, full)
            else:
                await self._serve(reader, writer)
        except* Refused as group:
            self._refuse(peer, f"it sent {group.exceptions[0]}")
        except* (OSError, asyncio.IncompleteReadError, TimeoutError, asyncio.CancelledError):
            pass  # either side ended the connection, or the proxy ends, which asyncio would log as a fault
        finally:
            self._tasks.discard(task)
            self._clients[peer] -= 1
            self._clients += Counter()
            writer.transport.abort()

    def _full(self, peer: str) -> str:
        """Says why there is no room for one more from there; empty where there is."""
        if self.connections > CONNECTIONS:
            return f"all {CONNECTIONS} that clients may have are open"
        elsewhere = not peer.startswith("127.") and peer != "::1"
        if elsewhere and self._clients[peer] > CONNECTIONS_OF_ONE:
            return f"all {CONNECTIONS_OF_ONE} that one address may have are open"
        return ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_S):
            broker = await asyncio.open_connection("127.0.0.1", self._broker_port, limit=CHUNK)
        for one in (writer, broker[1]):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        here = writer.get_extra_info("sockname")
        try:
            async with asyncio.timeout(FIRST_S) as limit, asyncio.TaskGroup() as tasks:
                pipe = _Pipe((reader, writer), broker, (_bare(here), int(here[1])), self, limit)
                tasks.create_task(pipe.requests())
                tasks.create_task(pipe.answers())
        finally:
            broker[1].transport.abort()

    def _refuse(self, peer: str, why: str) -> None:
        KAFKA_REFUSED.inc()
        if self._logging.allow():
            log.warning("The embedded Kafka closed a connection from %s: %s", peer, why)


def _bare(name: tuple[Any, ...]) -> str:
    """Returns the address of a socket's name, an IPv4 one as such."""
    return str(name[0]).removeprefix("::ffff:").partition("%")[0]
