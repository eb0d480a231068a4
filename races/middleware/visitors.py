"""Visitors: a signed random id in a cookie, and no other data. And the page for a database that is away."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from django.conf import settings
from django.core import signing
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from races.models import Race

log = logging.getLogger(__name__)

COOKIE = settings.VISITOR_COOKIE_NAME
SALT = "races.client"
HERE = ("127.0.0.1", "::1")
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")  # by a proxy: its own address says nothing
PATHS_WITHOUT = ("/api/", "/registry/", "/livez", "/healthz", "/metrics", "/static/")


def client_of(cookie: str | None) -> str | None:
    """The visitor's id; None where the cookie's signature is wrong."""
    if not cookie or len(cookie) > 200:
        return None
    try:
        return str(signing.Signer(salt=SALT).unsign(cookie))
    except signing.BadSignature:
        return None


def is_mine(request: HttpRequest, race: Race) -> bool:
    """Whether this browser started the race."""
    return bool(race.client) and race.client == request.client_id  # type: ignore[attr-defined]  # set below


def is_here(request: HttpRequest) -> bool:
    """Asked by a program on the lab's own machine."""
    return request.META.get("REMOTE_ADDR") in HERE and not any(name in request.headers for name in FORWARDED)


class ClientMiddleware:
    """Sets request.client_id. Limits and the stop button use it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = client_of(request.COOKIES.get(COOKIE))
        client = known or secrets.token_urlsafe(12)
        request.client_id = client  # type: ignore[attr-defined]  # the way Django's own middleware adds user
        response = self.get_response(request)
        if not known and not request.path.startswith(PATHS_WITHOUT):
            value = signing.Signer(salt=SALT).sign(client)
            response.set_cookie(
                COOKIE, value, max_age=90 * 86400, httponly=True, samesite="Lax", secure=request.is_secure()
            )
        return response


class DatabaseAwayMiddleware:
    """Answers 503 with a page of its own while the database does not answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        log.warning("%s: the database does not answer: %s", request.path, exception)
        response = render(request, "races/away.html", status=503)
        response["Retry-After"] = "5"
        return response
