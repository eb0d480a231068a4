"""One WebSocket frame for all sockets of a Daphne: packed once, written to each.

Daphne's library packs every message for every socket anew, which is most of what a broadcast costs. Servers neither
mask nor, here, compress, so the bytes are the same for everybody.
"""

from __future__ import annotations

from typing import Any

from races.live.hub import Full

UNSENT = 256_000  # bytes that one client may leave untaken: a few snapshots
TEXT = 0x81  # final frame, text

_newest: tuple[str, bytes] = ("", b"")


def packed(text: str) -> bytes:
    """The whole frame. RFC 6455, section 5.2."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    if size < 65_536:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + payload


def check_room(transport: Any) -> None:
    """Raises Full. Twisted keeps what a client doesn't read without limit, also for one that acknowledges it."""
    if getattr(transport, "_tempDataLen", 0) + len(getattr(transport, "dataBuffer", b"")) > UNSENT:
        raise Full


def write(protocol: Any, text: str) -> bool:
    """False where this socket's frames need the library: it is not open, compresses, or holds frames back."""
    global _newest
    if protocol.state != protocol.STATE_OPEN or protocol._perMessageCompress or protocol.send_queue:
        return False
    if text is not _newest[0]:
        _newest = (text, packed(text))
    protocol.transport.write(_newest[1])
    return True
