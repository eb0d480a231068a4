"""The ASGI application, for Daphne and uvicorn alike: pages, sockets, and the background work of a web process."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "f1site.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path, re_path

from f1site.hosts import Receive, SameOriginValidator, Scope, Send, learn_own_address
from f1site.login_throttling import start_expiry
from races.live.consumers import RaceSocket, UnknownSocket
from races.live.servers import body_limit, daphne, head, request_target, uvicorn
from races.live.service import service

MAX_OPEN_FILES = 65_536  # a core serves about 8,000 pages

websocket_urlpatterns: list[Any] = [
    path("ws/races/<uuid:race_id>/", RaceSocket.as_asgi()),  # type: ignore[arg-type]  # Django's types know views only
    re_path("", UnknownSocket.as_asgi()),  # type: ignore[arg-type]  # for every other address; without it the router raises
]


def raise_open_files_limit() -> None:
    """Allows this process as many open files and sockets as the system permits, up to MAX_OPEN_FILES.

    A shell usually allows 1,024, which a thousand spectators exceed. Some libraries go through all that there may be,
    so the limit is never raised beyond MAX_OPEN_FILES.
    """
    with suppress(ImportError, OSError, ValueError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


raise_open_files_limit()
daphne.install(log_requests=settings.ENVIRONMENT.f1_log_json)
uvicorn.install()

_routes = ProtocolTypeRouter(
    {
        "http": body_limit.bounded(head.bodiless(pages)),
        "websocket": SameOriginValidator(URLRouter(websocket_urlpatterns)),
    }
)


async def _lifespan(receive: Receive, send: Send) -> None:
    """Answers uvicorn's start and stop events. Daphne has no such events."""
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
    start_expiry()
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    scope = request_target.in_origin_form(scope)
    learn_own_address(scope)
    daphne.close_with_daphne(service().close)
    await _routes(scope, receive, send)
