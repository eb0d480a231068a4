"""Serves /metrics and traces of a process without pages, to this machine only, in a thread of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from races.health.metrics import CONTENT_TYPE
from races.lib.tracing import tracer

METRICS, TRACE = "/metrics", "/trace/"
HOST = "127.0.0.1"


class MetricsServer:
    def __init__(self, port: int, render: Callable[[], bytes]) -> None:
        """Raises OSError where the port is taken."""
        self._server = ThreadingHTTPServer((HOST, port), _handler(render))
        self._server.daemon_threads = True
        self.address = f"http://{HOST}:{self._server.server_port}"
        self.url = self.address + METRICS

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(render: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds of silence; a silent connection occupies a thread

        def do_GET(self) -> None:
            if self.path == METRICS:
                self._answer(200, CONTENT_TYPE, render())
            elif self.path.startswith(TRACE):
                stages = tracer.stages_of(self.path.removeprefix(TRACE))
                self._answer(200, "application/json", json.dumps(stages).encode())
            else:
                self._answer(404, "text/plain", f"Only {METRICS} and {TRACE}RACE are here.\n".encode())

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Logs nothing: Prometheus asks all the time."""

    return Handler
