"""What the service says: answers, and its four shapes of error.

Bodies follow the OpenAPI files and the answers that users of the API have published.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CONTROL_UNAUTHORIZED = "Unauthorized"
WRONG_KIND_OF_KEY = (
    "invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key: "
    "https://docs.confluent.io/cloud/current/api.html#section/Authentication"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: a JSON value, text (sent as HTML), or None for no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A call that the service answers with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}")
        self.answer = answer


def control(status: int, detail: str, code: str = "", pointer: str = "", location: str = "") -> Refused:
    """Makes an error of shape 1, of the control plane and Flink."""
    error: dict[str, Any] = {"id": "", "status": str(status), "detail": detail, "source": {}}
    if code:
        error["code"] = code
    if pointer:
        error["source"] = {"pointer": pointer}
    headers = {"Location": location} if location else {}
    return Refused(Answer(status, {"errors": [error]}, headers))


def coded(code: int, message: str, status: int = 0) -> Refused:
    """Makes an error of shape 2, of Kafka REST, Schema Registry and role bindings: 40403 is status 404."""
    return Refused(Answer(status or int(str(code)[:3]), {"error_code": code, "message": message}))


def enveloped(status: int, code: str, message: str) -> Refused:
    """Makes an error of shape 3, the newer envelope."""
    error = {"code": code, "message": message, "details": ""}
    return Refused(Answer(status, {"status": str(status), "error": error, "requestId": ""}))


def page(status: int, title: str) -> Refused:
    """Makes an error of shape 4, a gateway's HTML."""
    head = f"<head><title>{status} {title}</title></head>"
    return Refused(Answer(status, f"<html>\n{head}\n<body><h1>{status} {title}</h1></body>\n</html>\n"))


def unknown(thing: str, name: str) -> Refused:
    return control(404, f"The {thing} {name} was not found.", "resource_not_found")


def forbidden(detail: str = "Forbidden Access") -> Refused:
    return control(403, detail, "forbidden_access")


def invalid(detail: str, pointer: str = "", status: int = 400) -> Refused:
    return control(status, detail, "invalid_request" if status == 400 else "validation_error", pointer)


def taken(thing: str, name: str, location: str) -> Refused:
    detail = f"A {thing} with the display name '{name}' already exists."
    return control(409, detail, "resource_already_exists", location=location)
