"""Everything that knows the insides of Daphne: its sockets, its request bodies, its access log and its end.

Sockets: 1012 (service restart) is the close code that makes a page come back soon, and the reason is what the page
shows. Daphne's library refuses that code and drops every reason, so the close frame is written by the library's own
lower call, which takes both. Each closed socket would stay in memory as two reference cycles of some 15 kB until the
garbage collector finds them, and nobody is served while it looks; the cycles are cut when the socket closes. Frames
are counted as they end: a client that sends more than a page can is closed, and the rest of what came is not read.

Bodies: Daphne hands a request over when it has all of its body, so the limit works on each chunk as it arrives.

Headers: Twisted closes the connection at a line of more than 16 KiB, without an answer, and says 400 without a word for
what it cannot parse. Both get an answer. What the client still sends is read meanwhile: closing over unread bytes would
take the answer away from it. None of it is taken for a request: where one ended is unknown by then, and a body that
looks like a request may be another person's, behind a proxy that counts differently.

End: a stopping Daphne drops its sockets without a word. Its own shutdown hooks run too late for a last frame, so the
stop signals are taken first: every socket is closed with 1012, then the reactor stops.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from daphne.access import AccessLogGenerator
from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.web.http import HTTPChannel

from races.lib.rate_limit import BAD_MESSAGE, REASON, RateLimiter
from races.live.servers import body_limit
from races.live.servers.frames import UNSENT, frame

LONGEST_REASON = 123  # bytes, by the protocol
FLUSH_S = 0.05
ACCESS_LOG = "daphne.access"
PROTOCOLS = "sec-websocket-protocol"
LINGER_S = 1.0
LENGTH_DIGITS = 19  # of a Content-Length; Python refuses to read one of more than 4,300
TOO_LARGE = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
REFUSALS = {
    TOO_LARGE: b"A line of the request is longer than 16 KiB: a cookie or an address that has grown too long?\n",
    HTTPStatus.BAD_REQUEST: b"That is no HTTP request.\n",
}
_handle_reply = WebSocketProtocol.handle_reply
_on_connect = WebSocketProtocol.onConnect
_on_open, _connection_lost = WebSocketProtocol.onOpen, WebSocketProtocol.connectionLost
_frame_ended = WebSocketProtocol.onFrameEnd
_keep_chunk = WebRequest.handleContentChunk
_choose_decoder: Any = HTTPChannel._maybeChooseTransferDecoder
_signals_taken = False
Close = Callable[[], Awaitable[None]]


def install(log_requests: bool = False) -> None:
    """Patches Daphne. log_requests: log the line that Daphne prints for each request, past all logging."""
    WebSocketProtocol.handle_reply = _reply
    WebSocketProtocol.onConnect = _connecting
    WebSocketProtocol.onOpen = _opened
    WebSocketProtocol.connectionLost = _lost
    WebSocketProtocol.onFrameEnd = _counted
    WebRequest.handleContentChunk = _take_chunk
    channels: Any = HTTPChannel
    channels.lineLengthExceeded = lambda channel, line: _refuse(channel, TOO_LARGE)
    channels._respondToBadRequestAndDisconnect = lambda channel: _refuse(channel, HTTPStatus.BAD_REQUEST)
    channels._maybeChooseTransferDecoder = _choose_framing
    if log_requests:
        AccessLogGenerator.write_entry = _log_request


# Sockets


def protocol_of(send: Any) -> Any:
    """Daphne's protocol behind an ASGI `send`; None where another server made it."""
    known = isinstance(send, partial) and send.args and isinstance(send.args[0], WebSocketProtocol)
    return send.args[0] if known else None


def write(protocol: Any, text: str) -> bool | None:
    """Writes a frame; see `races.live.servers.transport.straight` for what it returns."""
    if protocol.state != protocol.STATE_OPEN:
        return None
    waiting = unsent(protocol)
    if waiting > UNSENT:
        return False
    transport = protocol.transport
    # The class is asked: an encrypted connection passes unknown attributes on, and its writeSomeData would write past
    # the encryption.
    plain = hasattr(type(transport), "writeSomeData") and not transport.disconnecting
    if protocol._perMessageCompress or protocol.send_queue or not plain:
        return None
    packed = frame(text)
    taken = 0 if waiting else transport.writeSomeData(packed)
    if not isinstance(taken, int) or taken < len(packed):  # a lost connection is found out by the next write
        transport.write(packed[taken:] if isinstance(taken, int) else packed)
    return True


def unsent(protocol: Any) -> int:
    """Bytes that wait to be taken; of an encrypted connection, those that wait below the encryption."""
    transport = protocol.transport
    waiting: int = getattr(transport, "_tempDataLen", 0) + len(getattr(transport, "dataBuffer", b""))
    queue = protocol.send_queue  # nearly always empty
    return waiting + sum(len(raw) for raw, _ in queue) if queue else waiting


def drop(protocol: Any) -> None:
    """Ends the connection at once."""
    protocol.dropConnection(abort=True)


def _reply(protocol: Any, message: dict[str, Any]) -> None:
    kind = message.get("type")
    if kind == "websocket.close" and protocol.state == protocol.STATE_OPEN:
        reason = str(message.get("reason") or "").encode()[:LONGEST_REASON]
        protocol.sendCloseFrame(code=message.get("code") or 1000, reasonUtf8=reason, isReply=False)
    else:
        _handle_reply(protocol, message)


def _connecting(protocol: Any, request: Any) -> Any:
    """Leaves out names of protocols that are not ASCII. Daphne would answer 500; here is none to choose from anyway."""
    if not request.headers.get(PROTOCOLS, "").isascii():
        del request.headers[PROTOCOLS]
    return _on_connect(protocol, request)


def _opened(protocol: Any) -> None:
    """Cuts a cycle: the HTTP channel that became this socket lists its request, and the request has the channel."""
    _on_open(protocol)
    protocol.allowance = RateLimiter()
    requests = getattr(protocol.transport.producer, "requests", None)
    if requests is not None:
        requests.clear()


def _lost(protocol: Any, reason: Any) -> None:
    """Cuts a cycle: the Deferred that waits for the end has fired by now, with the protocol itself as its result."""
    _connection_lost(protocol, reason)
    protocol.is_closed = None


def _counted(protocol: Any) -> Any:
    """Counts a frame; returns False, which ends the reading, for a client that has sent too many."""
    if protocol.allowance.allow():
        return _frame_ended(protocol)
    protocol.data, protocol.current_frame = b"", None
    if protocol.state == protocol.STATE_OPEN:
        _reply(protocol, {"type": "websocket.close", "code": BAD_MESSAGE, "reason": REASON})
        protocol.transport.loseConnection()
    return False


# Requests


def _take_chunk(request: Any, data: bytes) -> None:
    """Refuses a body that is too long while it arrives; Daphne would buffer all of it."""
    taken = request.content.tell() + len(data)
    announced = int(request.requestHeaders.getRawHeaders(b"content-length", [b"0"])[0])
    if max(taken, announced) <= body_limit.MOST:
        _keep_chunk(request, data)
    elif not request.channel.transport.disconnecting:
        request.channel.transport.write(_answer(body_limit.STATUS, body_limit.WORDS))
        _stop_reading(request.channel)
        request.channel.loseConnection()


def _answer(status: HTTPStatus, words: bytes) -> bytes:
    headers = {**body_limit.HEADERS, "Content-Length": str(len(words))}
    lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + words


def _refuse(channel: Any, status: HTTPStatus) -> None:
    """Answers what is no request, reads past the rest for a moment, and ends the connection."""
    channel.transport.write(_answer(status, REFUSALS[status]))
    _stop_reading(channel)
    channel.callLater(LINGER_S, channel.loseConnection)


def _stop_reading(channel: Any) -> None:
    """Takes no request from this connection any more: neither from what comes, nor from what is here already."""
    channel.clearLineBuffer()
    channel.dataReceived = lambda data: None
    channel.allContentReceived = lambda: None
    channel._respondToBadRequestAndDisconnect = lambda: None  # one refusal is enough


def _choose_framing(channel: Any, header: bytes, value: bytes) -> Any:
    """Refuses what Twisted would take or stumble over: a coding called identity, beside which another server may count
    by Content-Length or not, and a length of thousands of digits.
    """
    coded = header == b"Transfer-Encoding" and value.lower() != b"chunked"
    if coded or (header == b"Content-Length" and len(value) > LENGTH_DIGITS):
        return channel._failChooseTransferDecoder()
    return _choose_decoder(channel, header, value)


def _log_request(
    _: object, host: str, date: datetime, request: str, status: int | None = None, length: int | None = None
) -> None:
    logging.getLogger(ACCESS_LOG).info('%s - "%s" %s %s', host, request, status or "-", length or "-")


# The end


def close_with_daphne(close: Close) -> None:
    """Takes the stop signals of a running Daphne, unless somebody took them; called with every connection."""
    if (
        not _signals_taken
        and threading.current_thread() is threading.main_thread()
        and _reactor() is not None
    ):
        take_signals(close, lambda: None)


def take_signals(close: Close, first: Callable[[], None]) -> None:
    """On SIGINT or SIGTERM calls `first` at once, awaits `close`, then stops the reactor. Further signals are ignored:
    `timeout` and a terminal each send theirs.
    """
    global _signals_taken
    _signals_taken = True
    loop = asyncio.get_running_loop()
    stopping = False

    async def close_then_stop() -> None:
        await close()
        await asyncio.sleep(FLUSH_S)
        reactor = _reactor()
        if reactor is not None:
            reactor.stop()

    def on_signal(number: int, stack: Any) -> None:
        nonlocal stopping
        if stopping:
            return
        stopping = True
        first()
        loop.call_soon_threadsafe(lambda: loop.create_task(close_then_stop()))

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


def _reactor() -> Any | None:
    """Daphne's running reactor; None under another server, even where Daphne is imported."""
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    return reactor if reactor is not None and getattr(reactor, "running", False) else None
