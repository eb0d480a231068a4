"""/registry/: the embedded lab's Schema Registry over HTTP, for consumers outside this process."""

from __future__ import annotations

from urllib.parse import quote

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from races.middleware.visitors import is_here
from races.streams import connection
from races.streams.registry.service import CONTENT_TYPE

METHODS = ("GET", "POST", "PUT", "DELETE")


@csrf_exempt  # its clients are programs, which carry no cookies to forge
def registry(request: HttpRequest, path: str) -> HttpResponse:
    try:
        embedded = connection.current().embedded_registry
    except connection.NoKafka as error:
        return JsonResponse({"error_code": 50301, "message": str(error)}, status=503)
    if embedded is None:
        return JsonResponse(
            {"error_code": 404, "message": "This lab uses the registry named in its configuration."},
            status=404,
        )
    if request.method not in METHODS:
        return JsonResponse({"error_code": 405, "message": "HTTP 405 Method Not Allowed"}, status=405)
    why = ""  # there is no login, and the lab lives by these schemas
    if request.method != "GET" and "Origin" in request.headers:
        why = "Web pages may only read this registry."
    elif request.method not in ("GET", "POST") and not is_here(request):
        why = "Only the lab's own machine may change settings or delete schemas."
    if why:
        return JsonResponse({"error_code": 40301, "message": why}, status=403)
    try:
        body = request.body
    except RequestDataTooBig:
        return JsonResponse({"error_code": 413, "message": "The body is too long."}, status=413)
    query = {name: str(value) for name, value in request.GET.items()}
    status, answer = embedded.handle(request.method, _as_sent(request, path), query, body)
    return JsonResponse(answer, status=status, safe=False, content_type=CONTENT_TYPE)


def _as_sent(request: HttpRequest, path: str) -> str:
    """Returns the path with what is quoted in it: the `%2F` of a subject's name is no border between two parts."""
    sent: bytes = getattr(request, "scope", {}).get("raw_path", b"")
    return sent.decode("ascii").partition("/registry/")[2] if sent else quote(path)
