"""The HTTP methods that each view allows.

Django checks the CSRF token before the method, so a PUT would be answered with a message about cookies.
AllowedMethodsMiddleware checks the method first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., Any])


def allow_methods(*methods: str) -> Callable[[View], View]:
    """Marks a view with the methods that it allows. HEAD goes with GET."""
    allowed = (*methods, "HEAD") if "GET" in methods else methods

    def mark(view: View) -> View:
        checked = require_http_methods(allowed)(view)
        checked.methods = allowed  # type: ignore[attr-defined]  # as Django's own csrf_exempt does
        return checked

    return mark


class AllowedMethodsMiddleware:
    """Answers 405 with the allowed methods. In MIDDLEWARE it stands before the CSRF middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        methods = getattr(view, "methods", None)
        if methods is None or request.method in methods:
            return None
        return HttpResponseNotAllowed(methods)
