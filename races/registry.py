"""/registry/: the embedded lab's Schema Registry over HTTP, for consumers outside this process."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from races import connection
from races.streams.registry import CONTENT_TYPE

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
    query = {name: str(value) for name, value in request.GET.items()}
    status, answer = embedded.handle(request.method, path, query, request.body)
    return JsonResponse(answer, status=status, safe=False, content_type=CONTENT_TYPE)
