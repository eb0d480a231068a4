"""One call as the handlers see it, and the table that finds its handler."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .cloud import Cloud
from .records import Key
from .responses import Answer, invalid


@dataclass(slots=True)
class Call:
    """`plane`: control, kafka, registry, flink; `host`: the endpoint, as pkc-1a2b3c; `path`: the rest."""

    method: str
    plane: str
    host: str
    path: str
    query: dict[str, str]
    body: Any
    content_type: str
    credentials: tuple[str, str] | None
    cloud: Cloud
    url: str
    params: dict[str, str] = field(default_factory=dict)
    caller: Key | None = None

    def param(self, name: str) -> str:
        return self.params[name]

    def environment(self) -> str:
        """Reads the `environment` query parameter, which cmk, fcpm and srcm insist on."""
        given = self.query.get("environment", "")
        if not given:
            raise invalid("The query parameter 'environment' is required.", "/environment")
        return given

    def document(self) -> dict[str, Any]:
        if not isinstance(self.body, dict):
            raise invalid("The request's body is not a JSON object.")
        return self.body

    def spec(self) -> dict[str, Any]:
        spec = self.document().get("spec")
        if not isinstance(spec, dict):
            raise invalid("The field 'spec' is required.", "/spec")
        return spec


Handler = Callable[[Call], Answer]
Route = tuple[str, str, Handler]


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [
            (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)), handler)
            for method, template, handler in routes
        ]

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | int:
        """Finds the handler and its parameters, or the status 404 or 405."""
        known = False
        for route_method, pattern, handler in self._routes:
            if match := pattern.fullmatch(path):
                if route_method == method:
                    return handler, match.groupdict()
                known = True
        return 405 if known else 404


def required(document: dict[str, Any], name: str, prefix: str = "/spec") -> Any:
    """Raises Refused when the field is missing or empty."""
    value = document.get(name)
    if value in (None, "", {}):
        raise invalid(f"The field '{name}' is required.", f"{prefix}/{name}")
    return value


def reference(document: dict[str, Any], name: str, prefix: str = "/spec") -> str:
    """Reads the id inside an object reference such as {"environment": {"id": "env-…"}}."""
    value = required(document, name, prefix)
    if not isinstance(value, dict) or not value.get("id"):
        raise invalid(f"The field '{name}.id' is required.", f"{prefix}/{name}/id")
    return str(value["id"])
