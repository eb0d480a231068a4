"""Request bodies have an end. Servers keep what comes, in memory or in temporary files, before any view looks at it:
without this limit, one upload fills the disk. Django's own limits are lower and answer with words that fit.

A body with a length and in chunks as well has two ends. uvicorn takes the chunks and goes on behind them; a proxy that
takes the length would see another request there. RFC 9112 has the connection close.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings

MOST = 3_000_000  # bytes
STATUS = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
WORDS = b"That is more than this lab reads.\n"
TWO_ENDS = b"That request has a Content-Length and a Transfer-Encoding.\n"
HEADERS = {
    "Content-Type": "text/plain",
    "Content-Length": str(len(WORDS)),
    "Connection": "close",
    **settings.SECURITY_HEADERS,
}

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class _TooLong(Exception):
    pass


def bounded(pages: Application) -> Application:
    """The application with the limit, for servers that hand a body over as it comes. Daphne has its own below."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
            await _refuse(send, HTTPStatus.BAD_REQUEST, TWO_ENDS)
            return

        async def counted() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST:
                raise _TooLong
            return message

        try:
            await pages(scope, counted, send)
        except _TooLong:
            await _refuse(send, STATUS, WORDS)

    return application


async def _refuse(send: Send, status: HTTPStatus, words: bytes) -> None:
    """Answers with a word to the server that the connection ends here."""
    said = HEADERS | {"Content-Length": str(len(words))}
    headers = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words})
