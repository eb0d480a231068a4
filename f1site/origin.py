"""Which pages may open a socket: this site's own."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings


class OwnOrigin(OriginValidator):  # type: ignore[misc]  # channels has no types
    """Channels' own check, and no traceback for an Origin that is no address."""

    def __init__(self, application: Any) -> None:
        super().__init__(application, settings.ALLOWED_HOSTS)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        asked = [value for name, value in scope["headers"] if name == b"origin"]
        if not all(map(_is_address, asked)):
            return await WebsocketDenier()(scope, receive, send)
        return await super().__call__(scope, receive, send)


def _is_address(origin: bytes) -> bool:
    try:
        parts = urlsplit(origin.decode("latin-1"))
        return bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return False
