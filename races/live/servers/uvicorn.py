"""Sockets under uvicorn: what a hostile client sends ends its socket, cheaply and without a word in the log.

Text that is no text would make a traceback each, and another where its sender has closed meanwhile. It is handed over
as bytes, which this application takes from nobody. Frames are counted as they are read: who sends more than a page can
is closed with what else has come unread.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

from races.lib.rate_limit import BAD_MESSAGE, REASON, RateLimiter
from races.live.servers.transport import UVICORN


def install() -> None:
    """Where uvicorn runs; it loads its protocol with the first socket only."""
    module, name = UVICORN
    if "uvicorn" in sys.modules:
        with suppress(ImportError):  # it runs with another one
            protocol_class = getattr(import_module(module), name)
            _check_text(protocol_class)
            _count_frames(protocol_class)


def _check_text(protocol_class: Any) -> None:
    hand_over = protocol_class.send_receive_event_to_app

    def checked(protocol: Any) -> None:
        if protocol.curr_msg_data_type == "text" and not _is_text(b"".join(protocol.frames)):
            protocol.curr_msg_data_type = "bytes"
        hand_over(protocol)

    protocol_class.send_receive_event_to_app = checked


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _count_frames(protocol_class: Any) -> None:
    begin = protocol_class.connection_made

    def made(protocol: Any, transport: Any) -> None:
        begin(protocol, transport)
        conn = protocol.conn
        conn.recv_frame = partial(_counted, conn, conn.recv_frame, RateLimiter())

    protocol_class.connection_made = made


def _counted(conn: Any, take: Any, allowance: RateLimiter, frame: Any) -> None:
    """Fails with a code of its own before the error, which then only ends the reading."""
    if not allowance.allow():
        from websockets.exceptions import ProtocolError  # it comes with uvicorn, which not everybody has

        conn.fail(BAD_MESSAGE, REASON)
        raise ProtocolError(REASON)
    take(frame)
