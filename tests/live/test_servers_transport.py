"""Frames packed by hand, against a library that reads them; and which sockets they are written to."""

from __future__ import annotations

import gc
from functools import partial
from typing import Any
from weakref import ref

import pytest
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.error import ConnectionLost
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from races.live.servers import frames
from races.live.servers import transport as wire
from races.live.servers.uvicorn import OPEN


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 200_000])
def test_frames_of_every_length_are_valid(size: int) -> None:
    text = "é" + "x" * (size - 2) if size > 1 else "x"
    reader = StreamReader()
    reader.feed_data(frames.packed(text))
    reading = Frame.parse(reader.read_exact, mask=False, max_size=None)
    with pytest.raises(StopIteration) as done:
        next(reading)
    frame = done.value.value
    assert (frame.opcode, frame.fin) == (Opcode.TEXT, True)
    assert bytes(frame.data).decode() == text
    assert not reader.buffer


class Transport:
    """A stand-in for as much of Twisted's transport as matters here. takes: what the socket takes at once,
    or why it takes nothing."""

    def __init__(self, takes: int | Exception = 1_000_000, waiting: int = 0) -> None:
        self.takes, self.dataBuffer, self._tempDataLen, self.disconnecting = takes, b"", waiting, False
        self.sent: list[bytes] = []
        self.queued: list[bytes] = []

    def writeSomeData(self, data: bytes) -> int | Exception:
        if isinstance(self.takes, Exception):
            return self.takes
        self.sent.append(data[: self.takes])
        return len(self.sent[-1])

    def write(self, data: bytes) -> None:
        self.queued.append(data)


def daphne(transport: Any) -> Any:
    page: Any = WebSocketProtocol.__new__(WebSocketProtocol)
    page.state, page._perMessageCompress, page.send_queue = page.STATE_OPEN, None, []
    page.transport = transport
    return page


async def reply(protocol: Any, message: dict[str, Any]) -> None:
    """Daphne's `send`."""


def to(page: Any) -> frames.Write:
    found = wire.straight(partial(reply, page))
    assert found is not None
    return found


def test_a_message_is_packed_once() -> None:
    pages = [Transport() for _ in range(3)]
    text = "frame" * 100
    assert all(to(daphne(page))(text) for page in pages)
    assert all(page.sent == [frames.packed(text)] and page.queued == [] for page in pages)
    assert all(page.sent[0] is pages[0].sent[0] for page in [Transport(), *pages] if page.sent)


def test_the_rest_follows_by_the_transport() -> None:
    transport = Transport(takes=100)
    assert to(daphne(transport))("x" * 500) is True
    assert b"".join(transport.sent + transport.queued) == frames.packed("x" * 500)


def test_nothing_overtakes_what_is_waiting() -> None:
    transport = Transport(waiting=10)
    assert to(daphne(transport))("later") is True
    assert (transport.sent, transport.queued) == ([], [frames.packed("later")])


def test_a_client_can_be_full() -> None:
    transport = Transport(waiting=frames.UNSENT + 1)
    assert to(daphne(transport))("more") is False
    assert transport.sent + transport.queued == []


def test_a_lost_connection_is_found_by_the_write() -> None:
    transport = Transport(takes=ConnectionLost())
    assert to(daphne(transport))("frame") is True
    assert transport.queued == [frames.packed("frame")]


@pytest.mark.parametrize(
    ("name", "value"), [("state", 1), ("_perMessageCompress", object()), ("send_queue", [(b"x", True)])]
)
def test_an_unusual_socket_uses_the_library(name: str, value: Any) -> None:
    page = daphne(Transport())
    setattr(page, name, value)
    assert to(page)("frame") is None
    assert page.transport.sent + page.transport.queued == []


class Encrypted:
    """A transport as Twisted's for TLS: attributes that it does not have are those of the connection below."""

    def __init__(self, waiting: int = 0) -> None:
        self.below = Transport(waiting=waiting)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


def test_an_encrypted_socket_uses_the_library() -> None:
    assert to(daphne(object()))("frame") is None
    page = daphne(Encrypted())
    assert to(page)("frame") is None
    assert page.transport.sent == []


def test_the_library_has_the_same_limit() -> None:
    assert to(daphne(Encrypted(waiting=frames.UNSENT + 1)))("frame") is False
    page = daphne(Transport())
    page._perMessageCompress, page.send_queue = object(), [(b"x" * frames.UNSENT, True), (b"x", True)]
    assert to(page)("frame") is False
    compressed = uvicorn(extensions=(object(),), waiting=frames.UNSENT + 1)
    assert to_uvicorn(compressed)("frame") is False


def to_uvicorn(page: Any) -> frames.Write:
    found = wire.straight(page.send)
    assert found is not None
    return found


def test_an_unknown_server_is_left_alone() -> None:
    async def send(message: dict[str, Any]) -> None: ...

    assert wire.unsent(send) == 0
    wire.limit_messages(send)
    wire.dropping(send)()


def test_a_drop_keeps_no_closed_socket() -> None:
    page = uvicorn()
    kept, drop = ref(page), wire.dropping(page.send)
    del page
    gc.collect()
    assert kept() is None
    drop()


def uvicorn(**state: Any) -> Any:
    page: Any = WebSocketsSansIOProtocol.__new__(WebSocketsSansIOProtocol)

    class Connection:
        state, extensions = OPEN, ()

    class Wire:
        written: bytes = b""
        waiting = 0
        closing = False

        def is_closing(self) -> bool:
            return self.closing

        def get_write_buffer_size(self) -> int:
            return self.waiting

        def write(self, data: bytes) -> None:
            self.written += data

    page.handshake_complete, page.close_sent, page.disconnected = True, False, False
    page.conn, page.transport = Connection(), Wire()
    for name, value in state.items():
        owner = page.conn if name in ("state", "extensions") else page
        owner = page.transport if name in ("waiting", "closing") else owner
        setattr(owner, name, value)
    return page


def test_uvicorn_gets_the_same_frame() -> None:
    page = uvicorn()
    write = wire.straight(page.send)
    assert write is not None
    assert write("frame") is True
    assert page.transport.written == frames.packed("frame")


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ({"handshake_complete": False}, None),
        ({"close_sent": True}, None),
        ({"disconnected": True}, None),
        ({"state": 2}, None),
        ({"extensions": (object(),)}, None),
        ({"closing": True}, None),
        ({"waiting": frames.UNSENT + 1}, False),
    ],
)
def test_unusual_uvicorn_sockets_are_left_alone(state: Any, answer: bool | None) -> None:
    page = uvicorn(**state)
    write = wire.straight(page.send)
    assert write is not None
    assert write("frame") is answer
    assert page.transport.written == b""


def test_an_unknown_server_sends_for_itself() -> None:
    async def send(message: dict[str, Any]) -> None: ...

    assert wire.straight(send) is None
    assert wire.straight(partial(reply, object())) is None
