"""Text frames straight into a server's transport: packed once, written to every socket of a race.

An ASGI server packs each message for each socket anew, behind a coroutine of its own; Daphne then asks its reactor to
be told when the socket takes bytes, which it nearly always does at once. That is most of what a broadcast costs.
Servers neither mask nor, here, compress, so the bytes are the same for everybody. Whatever is not in its usual state,
and every server that is not known here, is left to the server's own `send`; but to none goes more while too much is
unsent, because Daphne's own `send` takes everything at once and keeps it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

UNSENT = 256_000  # bytes that one client may leave untaken: a few snapshots
# More than frames can leave: answers to a client's pings, which servers send without a limit.
OVERFULL = 4 * UNSENT
LONGEST = 65_536  # bytes of a message from a client; an acknowledgement has sixteen at most
TEXT = 0x81  # final frame, text
OPEN = 1  # of the websockets library's states
DAPHNE = ("daphne.ws_protocol", "WebSocketProtocol")
UVICORN = ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol")
Write = Callable[[str], bool | None]

_newest: tuple[str, bytes] = ("", b"")


def straight(send: Any) -> Write | None:
    """What writes to the client behind this ASGI `send`; None where the server is not known.

    It returns True for written, False where the client has left too much untaken already, None where only the
    server's own `send` will do.
    """
    if (protocol := _daphne(send)) is not None:
        return partial(_to_daphne, protocol)
    protocol = _uvicorn(send)
    return partial(_to_uvicorn, protocol) if protocol is not None else None


def unsent(send: Any) -> int:
    """Bytes that the client behind this `send` has not taken yet; 0 where the server is not known."""
    if (protocol := _daphne(send)) is not None:
        return _unsent_by_daphne(protocol)
    protocol = _uvicorn(send)
    return int(protocol.transport.get_write_buffer_size()) if protocol is not None else 0


def limit_messages(send: Any) -> None:
    """What the client may send at a time, however the server was started: uvicorn would keep 16 MB of each."""
    if (protocol := _daphne(send)) is not None:
        protocol.maxMessagePayloadSize = protocol.maxFramePayloadSize = LONGEST
    elif (protocol := _uvicorn(send)) is not None:
        protocol.conn.max_message_size = LONGEST


def dropping(send: Any) -> Callable[[], None]:
    """What ends the connection at once, whatever is unsent: a client that does not read never takes a closing frame.
    It may be kept for later, since who is gone by itself is not kept with it.
    """
    protocol = _daphne(send) or _uvicorn(send)
    return partial(_drop, ref(protocol)) if protocol is not None else lambda: None


def _drop(kept: ref[Any]) -> None:
    protocol = kept()
    if protocol is not None and _is(protocol, *DAPHNE):
        protocol.dropConnection(abort=True)
    elif protocol is not None:
        protocol.transport.abort()


def _daphne(send: Any) -> Any:
    known = isinstance(send, partial) and send.args and _is(send.args[0], *DAPHNE)
    return send.args[0] if known else None


def _uvicorn(send: Any) -> Any:
    protocol = getattr(send, "__self__", None)
    return protocol if _is(protocol, *UVICORN) else None


def _is(protocol: Any, module: str, name: str) -> bool:
    """Without importing a server that isn't running."""
    found = sys.modules.get(module)
    return found is not None and isinstance(protocol, getattr(found, name))


def packed(text: str) -> bytes:
    """The whole frame. RFC 6455, section 5.2."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    if size < 65_536:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + payload


def _frame(text: str) -> bytes:
    global _newest
    if text is not _newest[0]:
        _newest = (text, packed(text))
    return _newest[1]


def _unsent_by_daphne(protocol: Any) -> int:
    """Encrypted connections answer with what waits below them."""
    transport = protocol.transport
    waiting: int = getattr(transport, "_tempDataLen", 0) + len(getattr(transport, "dataBuffer", b""))
    queue = protocol.send_queue  # nearly always empty
    return waiting + sum(len(raw) for raw, _ in queue) if queue else waiting


def _to_daphne(protocol: Any, text: str) -> bool | None:
    if protocol.state != protocol.STATE_OPEN:
        return None
    waiting = _unsent_by_daphne(protocol)
    if waiting > UNSENT:
        return False
    transport = protocol.transport
    if protocol._perMessageCompress or protocol.send_queue or not _is_plain(transport):
        return None
    frame = _frame(text)
    taken = 0 if waiting else transport.writeSomeData(frame)
    if not isinstance(taken, int) or taken < len(frame):  # a lost connection is found out by the next write
        transport.write(frame[taken:] if isinstance(taken, int) else frame)
    return True


def _is_plain(transport: Any) -> bool:
    """A TCP connection, and not on its way out. Its class is asked: an encrypted one passes on what it hasn't itself,
    so that its writeSomeData would write past the encryption.
    """
    return hasattr(type(transport), "writeSomeData") and not transport.disconnecting


def _to_uvicorn(protocol: Any, text: str) -> bool | None:
    ready = protocol.handshake_complete and not (protocol.close_sent or protocol.disconnected)
    transport = protocol.transport
    if not ready or protocol.conn.state != OPEN or transport.is_closing():
        return None
    if transport.get_write_buffer_size() > UNSENT:
        return False
    if protocol.conn.extensions:
        return None
    transport.write(_frame(text))
    return True
