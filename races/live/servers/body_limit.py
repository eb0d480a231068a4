"""Request bodies have an end. Servers keep what comes, in memory or in temporary files, before any view looks at it:
without this limit, one upload fills the disk. Django's own limits are lower and answer with words that fit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings

MOST = 3_000_000  # bytes
STATUS = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
WORDS = b"That is more than this lab reads.\n"
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
            headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            await send({"type": "http.response.start", "status": STATUS, "headers": headers})
            await send({"type": "http.response.body", "body": WORDS})

    return application
