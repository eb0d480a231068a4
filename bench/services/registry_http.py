"""The Registry behind an address, as a web view would serve it: for clients that speak HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

from bench.services.http_server import serving
from races.streams.registry.service import CONTENT_TYPE, Registry


@dataclass
class Served:
    """down: it answers 503. health: what /healthz says, beside the registry. requests: what was asked, in order."""

    url: str
    registry: Registry
    requests: list[str] = field(default_factory=list)
    down: bool = False
    health: dict[str, object] = field(default_factory=dict)


@contextmanager
def serve(registry: Registry, prefix: str = "/registry") -> Iterator[Served]:
    served = Served("", registry)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            served.requests.append(f"{self.command} {address.path.removeprefix(prefix)}")
            query = dict(parse_qsl(address.query))
            status, reply = registry.handle(self.command, address.path.removeprefix(prefix), query, body)
            if address.path == "/healthz":
                status, reply = 200, served.health
            if served.down:
                status, reply = 503, {"error_code": 503, "message": "down"}
            data = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as address:
        served.url = f"{address}{prefix}"
        yield served
