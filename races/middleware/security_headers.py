"""What every answer tells the browser, static files and refusals included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def usual_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Stands first: whoever answers behind it, an error of another middleware too, has them. Both ways of calling,
    because a static file must not wait for a thread.
    """
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            return _told(await get_response(request))

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _told(get_response(request))

    return answer


def _told(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in settings.USUAL_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
