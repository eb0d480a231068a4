"""Close codes and reasons under Daphne, which passes the reason on to nobody and whose library refuses 1012.

1012 (service restart) is what tells a page to come back soon, and the reason is what it shows. Both are plain
WebSocket; so the close frame is written by the library's own lower call, which takes any code.
"""

from __future__ import annotations

from typing import Any

from daphne.ws_protocol import WebSocketProtocol

LONGEST_REASON = 123  # bytes, by the protocol
_handle_reply = WebSocketProtocol.handle_reply


def _reply(protocol: Any, message: dict[str, Any]) -> None:
    kind = message.get("type")
    if kind == "websocket.close" and protocol.state == protocol.STATE_OPEN:
        reason = str(message.get("reason") or "").encode()[:LONGEST_REASON]
        protocol.sendCloseFrame(code=message.get("code") or 1000, reasonUtf8=reason, isReply=False)
    else:
        _handle_reply(protocol, message)


def install() -> None:
    WebSocketProtocol.handle_reply = _reply
