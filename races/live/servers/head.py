"""Answers to HEAD requests have no body. Daphne drops the first piece of one only, and on a connection that stays open
the rest would be taken for the next answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[Any]]


def bodiless(application: Application) -> Application:
    """Wraps an ASGI application for HTTP."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        async def send_head(message: Message) -> None:
            await send(message | {"body": b""} if message["type"] == "http.response.body" else message)

        await application(scope, receive, send_head if scope["method"] == "HEAD" else send)

    return answer
