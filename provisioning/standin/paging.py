"""Lists in pages: `metadata.next` is a full address, and only the first call's `page_size` counts."""

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from .records import Resource
from .responses import Answer, invalid
from .routing import Call

R = TypeVar("R", bound=Resource)
DEFAULT_SIZE, LARGEST_SIZE = 10, 100


def _position(call: Call) -> tuple[int, int]:
    """Reads (sequence number after which the page starts, its size)."""
    try:
        if token := call.query.get("page_token"):
            after, _, rest = base64.urlsafe_b64decode(token).decode().partition(":")
            return int(after), int(rest)
        size = int(call.query.get("page_size", DEFAULT_SIZE))
    except ValueError as error:
        raise invalid("The page token or size is not valid.", "/page_token") from error
    if not 1 <= size <= LARGEST_SIZE:
        raise invalid(f"The page size must be between 1 and {LARGEST_SIZE}.", "/page_size")
    return 0, size


def paged(
    call: Call,
    api: str,
    kind: str,
    found: Sequence[R],
    render: Callable[[R], dict[str, Any]],
    full: bool = True,
) -> Answer:
    """Answers with a page. `full` adds first, last and total_size, which compute pools and Flink leave out."""
    after, size = _position(call)
    rest = [resource for resource in found if resource.sequence > after]
    page = rest[:size]
    filters = {name: value for name, value in call.query.items() if name not in ("page_size", "page_token")}
    address = call.url + (f"?{urlencode(filters)}" if filters else "")
    metadata: dict[str, Any] = {"next": ""}
    if len(rest) > size:
        token = base64.urlsafe_b64encode(f"{page[-1].sequence}:{size}".encode()).decode()
        metadata["next"] = f"{address}{'&' if filters else '?'}{urlencode({'page_token': token})}"
    if full:
        metadata |= {"first": address, "last": address, "total_size": len(found)}
    data = [render(resource) for resource in page]
    return Answer(200, {"api_version": api, "kind": kind, "metadata": metadata, "data": data})
