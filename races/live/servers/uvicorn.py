"""Everything that knows the insides of uvicorn. It is not imported here: a lab under Daphne does not install it.

A hostile client ends its own socket, cheaply and without a word in the log. Text that is not UTF-8 would make a
traceback, and another one if its sender has closed meanwhile; it is handed over as bytes, which this application takes
from nobody. Frames are counted as they are read: a client that sends more than a page can is closed, and the rest of
what came is not read.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

from races.lib.rate_limit import BAD_MESSAGE, REASON, RateLimiter
from races.live.servers.frames import UNSENT, frame

OPEN = 1  # of the websockets library's states
MODULE, PROTOCOL = "uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol"


def protocol_of(send: Any) -> Any:
    """uvicorn's protocol behind an ASGI `send`; None where another server made it."""
    protocol, module = getattr(send, "__self__", None), sys.modules.get(MODULE)
    return protocol if module is not None and isinstance(protocol, getattr(module, PROTOCOL)) else None


def write(protocol: Any, text: str) -> bool | None:
    """Writes a frame; see `races.live.servers.transport.straight` for what it returns."""
    ready = protocol.handshake_complete and not (protocol.close_sent or protocol.disconnected)
    transport = protocol.transport
    if not ready or protocol.conn.state != OPEN or transport.is_closing():
        return None
    if transport.get_write_buffer_size() > UNSENT:
        return False
    if protocol.conn.extensions:
        return None
    transport.write(frame(text))
    return True


def drop(protocol: Any) -> None:
    """Ends the connection at once."""
    protocol.transport.abort()


def install() -> None:
    """Does its work where uvicorn runs, which loads its protocol with the first socket only."""
    if "uvicorn" in sys.modules:
        with suppress(ImportError):  # it runs with another one
            protocol_class = getattr(import_module(MODULE), PROTOCOL)
            _check_text(protocol_class)
            _count_frames(protocol_class)


def _check_text(protocol_class: Any) -> None:
    hand_over = protocol_class.send_receive_event_to_app

    def checked(protocol: Any) -> None:
        if protocol.curr_msg_data_type == "text":
            try:
                b"".join(protocol.frames).decode()
            except UnicodeDecodeError:
                protocol.curr_msg_data_type = "bytes"
        hand_over(protocol)

    protocol_class.send_receive_event_to_app = checked


def _count_frames(protocol_class: Any) -> None:
    begin = protocol_class.connection_made

    def made(protocol: Any, transport: Any) -> None:
        begin(protocol, transport)
        conn = protocol.conn
        conn.recv_frame = partial(_counted, conn, conn.recv_frame, RateLimiter())

    protocol_class.connection_made = made


def _counted(conn: Any, take: Any, allowance: RateLimiter, frame: Any) -> None:
    """Closes with our own code before it raises, since the error then only ends the reading."""
    if not allowance.allow():
        from websockets.exceptions import ProtocolError  # it comes with uvicorn, which not everybody has

        conn.fail(BAD_MESSAGE, REASON)
        raise ProtocolError(REASON)
    take(frame)
