"""Request lines with a whole address in them (`GET http://host/path HTTP/1.1`), as a program sends that takes the lab
for its proxy. RFC 9112 has every server take them and go by the host in the address, whatever the Host header says.
Neither Daphne nor uvicorn does: the whole address would be the path.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

ABSOLUTE = re.compile(rb"https?://([^/]*)(/.*)?", re.IGNORECASE | re.DOTALL)


def in_origin_form(scope: dict[str, Any]) -> dict[str, Any]:
    """Returns the ASGI scope of a request as if its line had had the path alone; most have, and are returned as is."""
    found = ABSOLUTE.fullmatch(scope.get("raw_path") or b"")
    if found is None:
        return scope
    path = found[2] or b"/"
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return scope | {
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "headers": [(b"host", found[1]), *headers],
    }
