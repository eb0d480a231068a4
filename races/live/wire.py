"""Text frames straight into a server's transport: packed once, written to every socket of a race.

An ASGI server packs each message for each socket anew, behind a coroutine of its own; Daphne then asks its reactor to
be told when the socket takes bytes, which it nearly always does at once. That is most of what a broadcast costs.
Servers neither mask nor, here, compress, so the bytes are the same for everybody. Whatever is not in its usual state,
and every server that is not known here, is left to the server's own `send`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

UNSENT = 256_000  # bytes that one client may leave untaken: a few snapshots
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
    if isinstance(send, partial) and send.args and _is(send.args[0], *DAPHNE):
        return partial(_to_daphne, send.args[0])
    protocol = getattr(send, "__self__", None)
    return partial(_to_uvicorn, protocol) if _is(protocol, *UVICORN) else None


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


def _to_daphne(protocol: Any, text: str) -> bool | None:
    transport = protocol.transport
    if protocol.state != protocol.STATE_OPEN or protocol._perMessageCompress or protocol.send_queue:
        return None
    if not hasattr(transport, "writeSomeData") or transport.disconnecting:  # TLS, or on its way out
        return None
    waiting = transport._tempDataLen + len(transport.dataBuffer)
    if waiting > UNSENT:
        return False
    frame = _frame(text)
    taken = 0 if waiting else transport.writeSomeData(frame)
    if not isinstance(taken, int) or taken < len(frame):  # a lost connection is found out by the next write
        transport.write(frame[taken:] if isinstance(taken, int) else frame)
    return True


def _to_uvicorn(protocol: Any, text: str) -> bool | None:
    ready = protocol.handshake_complete and not (protocol.close_sent or protocol.disconnected)
    if not ready or protocol.conn.state != OPEN or protocol.conn.extensions:
        return None
    transport = protocol.transport
    if transport.is_closing():
        return None
    if transport.get_write_buffer_size() > UNSENT:
        return False
    transport.write(_frame(text))
    return True
