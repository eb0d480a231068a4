"""Sockets under Daphne: close codes and reasons that it does not pass on, and what it forgets to let go.

1012 (service restart) is what tells a page to come back soon, and the reason is what it shows; its library refuses the
one, and nobody is given the other. Both are plain WebSocket; so the close frame is written by the library's own lower
call, which takes any code.

Every socket that has closed stays in memory as two circles of objects, some 15 kB, until the garbage collector looks
for such; and while it looks, nobody is served. Cut, they go at once.

Frames are counted as they end: who sends more than a page can is closed with what else has come unread.
"""

from __future__ import annotations

from typing import Any

from daphne.ws_protocol import WebSocketProtocol

from races.lib.rate_limit import BAD_MESSAGE, REASON, RateLimiter

LONGEST_REASON = 123  # bytes, by the protocol
_handle_reply = WebSocketProtocol.handle_reply
_on_open, _connection_lost = WebSocketProtocol.onOpen, WebSocketProtocol.connectionLost
_frame_ended = WebSocketProtocol.onFrameEnd


def _reply(protocol: Any, message: dict[str, Any]) -> None:
    kind = message.get("type")
    if kind == "websocket.close" and protocol.state == protocol.STATE_OPEN:
        reason = str(message.get("reason") or "").encode()[:LONGEST_REASON]
        protocol.sendCloseFrame(code=message.get("code") or 1000, reasonUtf8=reason, isReply=False)
    else:
        _handle_reply(protocol, message)


def _opened(protocol: Any) -> None:
    """The HTTP channel that became this socket lists the request that asked for it, and that has the channel."""
    _on_open(protocol)
    protocol.allowance = RateLimiter()
    requests = getattr(protocol.transport.producer, "requests", None)
    if requests is not None:
        requests.clear()


def _lost(protocol: Any, reason: Any) -> None:
    """Who waits for the end has been told by now, with the protocol itself as the answer."""
    _connection_lost(protocol, reason)
    protocol.is_closed = None


def _counted(protocol: Any) -> Any:
    """False ends the reading of what has come."""
    if protocol.allowance.allow():
        return _frame_ended(protocol)
    protocol.data, protocol.current_frame = b"", None
    if protocol.state == protocol.STATE_OPEN:
        _reply(protocol, {"type": "websocket.close", "code": BAD_MESSAGE, "reason": REASON})
        protocol.transport.loseConnection()
    return False


def install() -> None:
    WebSocketProtocol.handle_reply = _reply
    WebSocketProtocol.onOpen = _opened
    WebSocketProtocol.connectionLost = _lost
    WebSocketProtocol.onFrameEnd = _counted
