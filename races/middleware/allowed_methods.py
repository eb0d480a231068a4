"""Which methods an address takes. Django looks at the forgery token before at the method, so that a PUT was told
about cookies; MethodsMiddleware reads what is marked here before that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., Any])


def only(*methods: str) -> Callable[[View], View]:
    """Marks a view. HEAD goes with GET."""
    taken = (*methods, "HEAD") if "GET" in methods else methods

    def mark(view: View) -> View:
        checked = require_http_methods(taken)(view)
        checked.methods = taken  # type: ignore[attr-defined]  # as Django's own csrf_exempt does
        return checked

    return mark


class MethodsMiddleware:
    """405 with what is allowed. It stands before the one that looks at forgery tokens."""

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
