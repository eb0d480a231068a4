"""The log of what was asked and answered, for tests and for people. What it prints holds no secret."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SECRET_FIELDS = {"secret", "data", "auth_data", "password", "authorization"}
REDACTED = "<redacted>"


@dataclass(slots=True)
class Exchange:
    """`path`: what follows the plane's endpoint, as the OpenAPI files name it. Bodies are not redacted."""

    number: int
    method: str
    plane: str
    path: str
    query: dict[str, str]
    request: Any = field(repr=False, default=None)
    request_type: str = ""
    status: int = 0  # 0: no answer was sent
    response: Any = field(repr=False, default=None)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    fault: str = ""

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        asked = f"{self.method} {self.path}{'?' if query else ''}{query}"
        fault = f" [{self.fault}]" if self.fault else ""
        return f"{self.number:4} {self.plane:8} {asked} -> {self.status or 'no answer'}{fault}"

    def printout(self) -> str:
        """Gives the exchange with both bodies, secrets left out."""
        bodies = [
            json.dumps(redacted(body)) for body in (self.request, self.response) if body not in (None, "")
        ]
        return "\n      ".join([str(self), *bodies])


def redacted(value: Any) -> Any:
    """Gives a copy without what a secret's field holds. SQL that carries secrets is left out as a whole."""
    if isinstance(value, dict):
        found = {}
        for name, inner in value.items():
            is_text = isinstance(inner, str)
            secret = is_text and name.lower() in SECRET_FIELDS
            connection = is_text and name == "statement" and "CONNECTION" in inner.upper()
            found[name] = REDACTED if secret or connection else redacted(inner)
        return found
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    return value


def printout(exchanges: Iterable[Exchange]) -> str:
    return "\n".join(map(str, exchanges))
