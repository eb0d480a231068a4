"""Security headers on every response, static files and errors included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def security_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Stands first in MIDDLEWARE, so that responses of every other middleware have the headers too. It is async as
    well, because a static file must not wait for a thread.
    """
    if iscoroutinefunction(get_response):

        async def respond_async(request: HttpRequest) -> HttpResponseBase:
            return _with_headers(await get_response(request))

        return respond_async

    def respond(request: HttpRequest) -> HttpResponseBase:
        return _with_headers(get_response(request))

    return respond


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in settings.SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
