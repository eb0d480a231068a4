"""Text frames straight into the transport of the server that runs.

An ASGI server packs each message for each socket anew, behind a coroutine of its own; Daphne then asks its reactor to
hear when the socket takes bytes, which it nearly always does at once. That is most of what a broadcast costs.
Servers neither mask nor, here, compress, so the bytes are the same for everybody. A socket that is not in its usual
state, and every server that is not known here, is left to the server's own `send`; but no socket gets more while too
much of it is unsent, because Daphne's own `send` takes everything at once and keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

from races.live.servers import daphne, uvicorn
from races.live.servers.frames import LONGEST, Write


def straight(send: Any) -> Write | None:
    """The function that writes to the client behind this ASGI `send`; None where the server is not known.

    It returns True for written, False where the client has left too much untaken already, None where only the
    server's own `send` will do.
    """
    if (protocol := daphne.protocol_of(send)) is not None:
        return partial(daphne.write, protocol)
    protocol = uvicorn.protocol_of(send)
    return partial(uvicorn.write, protocol) if protocol is not None else None


def unsent(send: Any) -> int:
    """Bytes that the client behind this `send` has not taken yet; 0 where the server is not known."""
    if (protocol := daphne.protocol_of(send)) is not None:
        return daphne.unsent(protocol)
    protocol = uvicorn.protocol_of(send)
    return int(protocol.transport.get_write_buffer_size()) if protocol is not None else 0


def limit_messages(send: Any) -> None:
    """Limits the length of a message from a client of uvicorn, which would keep 16 MB of each. Daphne has options for
    it, which runlab sets, and keeps 1 MB without them.
    """
    if (protocol := uvicorn.protocol_of(send)) is not None:
        protocol.conn.max_message_size = LONGEST


def dropping(send: Any) -> Callable[[], None]:
    """A function that ends the connection at once, whatever is unsent: a client that does not read never takes a
    closing frame. It holds a weak reference, so that a client that has gone by itself is not kept for it.
    """
    for server in (daphne, uvicorn):
        if (protocol := server.protocol_of(send)) is not None:
            return partial(_drop, ref(protocol), server.drop)
    return lambda: None


def _drop(kept: ref[Any], drop: Callable[[Any], None]) -> None:
    if (protocol := kept()) is not None:
        drop(protocol)
