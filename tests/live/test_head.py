"""Answers to HEAD: a page of several pieces sends none of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from races.live.servers.head import bodiless

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]}


@pytest.mark.parametrize(("method", "body"), [("HEAD", b""), ("GET", b"abcdef")])
def test_only_the_head_is_sent(method: str, body: bytes) -> None:
    sent: list[dict[str, Any]] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for piece in (b"abc", b"def"):
            await send({"type": "http.response.body", "body": piece, "more_body": piece == b"abc"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def ask() -> None:
        await bodiless(page)({"type": "http", "method": method}, None, send)

    asyncio.run(ask())
    assert sent[0] == START
    assert b"".join(message["body"] for message in sent[1:]) == body
    assert sent[-1]["more_body"] is False
