"""Thousands of WebSocket spectators in one process: raw sockets and epoll, a parser that reads only what it needs.

A library's client costs as much as the server under test. This one takes a message in a few microseconds: frame
header, the tick in the first bytes, the arrival time. Nothing is compressed; control frames are answered.
"""

from __future__ import annotations

import base64
import select
import socket
import struct
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

LOOK = 8000  # a message of changes is looked at whole, several ticks in one included; of a snapshot the beginning
MARK = b'data-tick="'
ACK_EVERY_S = 5.0
IN_FLIGHT = 100  # handshakes at a time, as many phones as a room opens at once
TEXT, CLOSE, PING = 0x81, 0x88, 0x89
MASK = b"\0\0\0\0"  # a client must mask; with zeros the bytes stay as they are
CLOSED = select.EPOLLHUP | select.EPOLLERR


@dataclass(slots=True, eq=False)
class Spectator:
    """rest: payload bytes of the current frame that are still to come and need no look."""

    sock: socket.socket
    race: int
    open: bool = False
    head: bytes = b""
    rest: int = 0
    messages: int = 0
    tick: int = -1
    gaps: int = 0
    ended: int = 0


@dataclass(slots=True)
class Arrivals:
    """Delays of messages with a tick, while measuring: seconds from when each was due to its arrival."""

    delays: array[float] = field(default_factory=lambda: array("d"))


def frame(opcode: int, payload: bytes) -> bytes:
    return bytes((opcode, 0x80 | len(payload))) + MASK + payload


class Audience:
    """paths: one race each; spectators are spread over them evenly. due(race, tick): when it was to be sent, on the
    monotonic clock; None leaves it out. acknowledge: answers every five seconds, as our page does."""

    def __init__(
        self, address: tuple[str, int], paths: Sequence[str], due: Callable[[int, int], float | None]
    ) -> None:
        self._address, self._paths, self._due = address, paths, due
        self._poll = select.epoll()
        self._by_fd: dict[int, Spectator] = {}
        self.spectators: list[Spectator] = []
        self.arrivals = Arrivals()
        self.measuring = self.acknowledge = False
        self._acked, self._ack_from = 0, 0.0

    def join(self, count: int, limit_s: float) -> float:
        """Seconds until everybody has a first message; ends at the limit with whoever has."""
        began = time.monotonic()
        opened, waiting = 0, set[Spectator]()
        while (opened < count or waiting) and time.monotonic() - began < limit_s:
            while opened < count and len(waiting) < IN_FLIGHT:
                waiting.add(self._open(opened % len(self._paths)))
                opened += 1
            self._turn(0.02)
            waiting = {one for one in waiting if one.messages == 0 and not one.ended}
        return time.monotonic() - began

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._turn(0.02)

    @property
    def joined(self) -> list[Spectator]:
        return [one for one in self.spectators if one.messages and not one.ended]

    def leave(self, leaving: Sequence[Spectator]) -> None:
        """Gone without a word, as a phone in a pocket is."""
        for one in leaving:
            self._drop(one, 1006)
        gone = set(leaving)
        self.spectators = [one for one in self.spectators if one not in gone]

    def close(self) -> None:
        self.leave(list(self.spectators))
        self._poll.close()

    def _open(self, race: int) -> Spectator:
        sock = socket.socket()
        sock.setblocking(False)
        # Closed with a reset: thousands of addresses in TIME_WAIT would run the next measurement out of ports.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.connect_ex(self._address)
        one = Spectator(sock, race)
        self._by_fd[sock.fileno()] = one
        self.spectators.append(one)
        self._poll.register(sock, select.EPOLLOUT | CLOSED)
        return one

    def _drop(self, one: Spectator, code: int) -> None:
        if one.ended:
            return
        one.ended = code
        self._by_fd.pop(one.sock.fileno(), None)
        self._poll.unregister(one.sock)
        one.sock.close()

    def _turn(self, timeout: float) -> None:
        for fd, event in self._poll.poll(timeout, 1024):
            one = self._by_fd.get(fd)
            if one is None:
                continue
            if event & select.EPOLLIN:
                self._read(one)
            elif event & CLOSED:
                self._drop(one, 1006)
            elif event & select.EPOLLOUT:
                self._greet(one)
        if self.acknowledge:
            self._acks()

    def _greet(self, one: Spectator) -> None:
        host = f"{self._address[0]}:{self._address[1]}"
        key = base64.b64encode(b"0123456789abcdef").decode()
        one.sock.send(
            f"GET {self._paths[one.race]} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._poll.modify(one.sock, select.EPOLLIN | CLOSED)

    def _read(self, one: Spectator) -> None:
        try:
            data = one.sock.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(one, 1006)
        elif one.open:
            self._take(one, data)
        else:
            self._handshake(one, one.head + data)

    def _handshake(self, one: Spectator, data: bytes) -> None:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            one.head = data
        elif b" 101 " not in head[:16]:
            self._drop(one, int(head[9:12] or 1))
        else:
            one.open, one.head = True, b""
            self._take(one, rest)

    def _take(self, one: Spectator, data: bytes) -> None:
        at, start = time.monotonic(), 0
        if one.rest:
            start = min(one.rest, len(data))
            one.rest -= start
        elif one.head:
            data, one.head = one.head + data, b""
        end = len(data)
        while start < end and not one.ended:
            size = _header(data, start)
            body = start + size[0]
            if not size[0] or end - body < min(size[1], LOOK):
                one.head = data[start:]
                return
            self._frame(one, data, start, body, size[1], at)
            start = body + size[1]
        one.rest = max(one.rest, start - end) if start > end else one.rest

    def _frame(self, one: Spectator, data: bytes, start: int, body: int, size: int, at: float) -> None:
        opcode = data[start]
        if opcode == TEXT:
            one.messages += 1
            for tick in _ticks(data, body, body + min(size, LOOK)):
                self._tick(one, tick, at)
        elif opcode == PING:
            one.sock.send(frame(0x8A, data[body : body + size]))
        elif opcode == CLOSE:
            self._drop(one, int.from_bytes(data[body : body + 2], "big") or 1005)

    def _tick(self, one: Spectator, tick: int, at: float) -> None:
        if one.tick >= 0 and tick != one.tick + 1:
            one.gaps += 1
        one.tick = tick
        if self.measuring and (due := self._due(one.race, tick)) is not None:
            self.arrivals.delays.append(at - due)

    def _acks(self) -> None:
        """Spread over the time between two, as the clocks of strangers are."""
        now = time.monotonic()
        if not self._ack_from:
            self._ack_from = now
        wanted = int((now - self._ack_from) / ACK_EVERY_S * len(self.spectators))
        for number in range(self._acked, wanted):
            one = self.spectators[number % len(self.spectators)]
            if one.tick >= 0 and not one.ended:
                self._send(one, frame(TEXT, f"ack {one.tick}".encode()))
        self._acked = wanted

    def _send(self, one: Spectator, data: bytes) -> None:
        try:
            one.sock.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(one, 1006)


def _ticks(data: bytes, start: int, end: int) -> Iterator[int]:
    """All of a message: a server that is behind for a moment sends two as one."""
    while (place := data.find(MARK, start, end)) >= 0:
        start = place + len(MARK)
        yield int(data[start : data.index(b'"', start)])


def _header(data: bytes, start: int) -> tuple[int, int]:
    """(bytes of the header, bytes of the payload); (0, 0) where the header is not there yet."""
    have = len(data) - start
    if have < 2:
        return 0, 0
    size = data[start + 1] & 0x7F
    if size < 126:
        return 2, size
    wide = 4 if size == 126 else 10
    return (wide, int.from_bytes(data[start + 2 : start + wide], "big")) if have >= wide else (0, 0)
