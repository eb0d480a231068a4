"""WebSocket text frames, packed once for every socket of a race, and how much a client may leave unread."""

from __future__ import annotations

from collections.abc import Callable

UNSENT = 256_000  # bytes that one client may leave untaken: a few snapshots
# More than frames can leave: answers to a client's pings, which servers send without a limit.
OVERFULL = 4 * UNSENT
LONGEST = 65_536  # bytes of a message from a client; an acknowledgement has sixteen at most
TEXT = 0x81  # final frame, text
Write = Callable[[str], bool | None]

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


def frame(text: str) -> bytes:
    """The frame of a text, packed once for all sockets that get the same string."""
    global _newest
    if text is not _newest[0]:
        _newest = (text, packed(text))
    return _newest[1]
