"""The ASGI application, for Daphne and uvicorn alike: pages, sockets, and the live service that starts with them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "f1site.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter

from f1site.descriptors import allow_sockets
from f1site.environment import env_bool
from f1site.logging import daphne_logs_requests
from f1site.origin import OwnOrigin
from f1site.routing import websocket_urlpatterns
from races.live.servers import daphne, request_bodies, uvicorn
from races.live.service import service
from races.live.shutdown import close_with_daphne

allow_sockets()
daphne.install()
uvicorn.install()
request_bodies.install()
if env_bool("F1_LOG_JSON"):
    daphne_logs_requests()

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_routes = ProtocolTypeRouter(
    {"http": request_bodies.bounded(pages), "websocket": OwnOrigin(URLRouter(websocket_urlpatterns))}
)


async def _lifespan(receive: Receive, send: Send) -> None:
    """uvicorn's start and stop; Daphne has no such event."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await service().close()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    service().ensure_started()
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    close_with_daphne()
    await _routes(scope, receive, send)
