"""The site's own scripts and styles, compressed as they are sent: the sources stay readable and nothing packs them.

Django's GZipMiddleware stands behind this: it makes each part of a streamed answer a gzip member of its own, and
browsers read only the first.
"""

from __future__ import annotations

import gzip
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import Redirect, StaticFile

TEXTS = ("text/", "application/javascript", "image/svg+xml")


class CompressedStaticMiddleware(ServeStaticMiddleware):  # type: ignore[misc]  # servestatic's types are partial
    """Keeps each compressed file in memory, by its path and the instant of its last change."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._compressed: dict[tuple[str, str], bytes] = {}

    async def aserve(self, static_file: StaticFile | Redirect, request: HttpRequest) -> Any:
        response = await ServeStaticMiddleware.aserve(static_file, request)
        if response.status_code != 200 or not response.get("Content-Type", "").startswith(TEXTS):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if request.method != "GET" or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return response
        key = request.path, response.get("Last-Modified", "")
        if key not in self._compressed:
            body = b"".join([part async for part in response.streaming_content])
            self._compressed[key] = await sync_to_async(gzip.compress, thread_sensitive=False)(body, 6)
        compressed = self._compressed[key]
        response.streaming_content = _whole(compressed)
        response["Content-Encoding"], response["Content-Length"] = "gzip", str(len(compressed))
        return response


async def _whole(body: bytes) -> Any:
    yield body
