"""HTTP for the stand-in: reads a call, has it answered, sends the answer or breaks off."""

import base64
import json
import select
import socket
import ssl
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from .cloud import Cloud
from .request_log import Exchange
from .responses import Answer, invalid
from .routing import Call

PLANES = {"pkc": "kafka", "psrc": "registry", "flink": "flink"}
LIMITED_PATHS = (
    "/org/",
    "/cmk/",
    "/fcpm/",
    "/iam/v2/service-accounts",
    "/srcm/",
)  # that tell their rate limits
LONGEST_WAIT_S = 60.0  # how long a timed-out call is held when its client never gives up


class Service(Protocol):
    """The stand-in, as far as its server needs it."""

    url: str
    state: Cloud
    on_answer: Callable[[Exchange], None]

    def record(
        self, method: str, plane: str, path: str, query: dict[str, str], body: Any, kind: str
    ) -> Exchange: ...

    def answer(self, call: Call, exchange: Exchange) -> Answer | None: ...

    def has_ended(self) -> bool: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, address: tuple[str, int], standin: Service, context: ssl.SSLContext | None = None
    ) -> None:
        """context: for TLS. Each connection shakes hands in its own thread."""
        self.standin = standin
        super().__init__(address, Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle of an answer is part of the game."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """The exchanges are the log."""

    def do_GET(self) -> None:
        standin = self.server.standin
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        plane, host, path = located(urlsplit(self.path).path)
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip()
        body, broken = None, False
        try:
            body = json.loads(text) if text else None
        except ValueError:
            broken = True
        exchange = standin.record(self.command, plane, path, query, body, kind)
        address = standin.url + urlsplit(self.path).path
        call = Call(
            self.command,
            plane,
            host,
            path,
            query,
            body,
            kind,
            _credentials(self.headers),
            standin.state,
            address,
        )
        answer = (
            invalid("The request's body is not JSON.").answer if broken else standin.answer(call, exchange)
        )
        if answer is None:
            self._break_off(exchange)
        else:
            self._send(answer, exchange)
        standin.on_answer(exchange)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _break_off(self, exchange: Exchange) -> None:
        exchange.status = 0
        self.close_connection = True
        if exchange.fault.startswith("timeout"):
            hold(self.connection, self.server.standin.has_ended)
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    def _send(self, answer: Answer, exchange: Exchange) -> None:
        limits = {}
        if exchange.plane == "control" and exchange.path.startswith(LIMITED_PATHS):
            limits = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "99", "X-RateLimit-Reset": "1"}
        headers = {"X-Request-Id": str(uuid.uuid4()), **limits, **answer.headers}
        data = _encoded(answer)
        if data and "Content-Type" not in headers:
            headers["Content-Type"] = "text/html" if isinstance(answer.body, str) else "application/json"
        # Errors of shapes 1 and 3 repeat the request's id.
        request_id = headers["X-Request-Id"]
        if isinstance(answer.body, dict) and "requestId" in answer.body:
            answer.body["requestId"] = request_id
        for error in answer.body.get("errors", []) if isinstance(answer.body, dict) else []:
            error["id"] = request_id
        exchange.status, exchange.response, exchange.headers = answer.status, answer.body, headers
        data = _encoded(answer)
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def hold(connection: socket.socket, has_ended: Callable[[], bool]) -> None:
    """Waits until the client has given up, the stand-in ends, or a minute has passed."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while time.monotonic() < deadline and not has_ended():
        readable, _, _ = select.select([connection], [], [], 0.05)
        if readable:
            try:
                given_up = not connection.recv(1, socket.MSG_PEEK)
            except (OSError, ValueError):  # TLS cannot be peeked at
                given_up = True
            if given_up:
                return


def _encoded(answer: Answer) -> bytes:
    if answer.body is None:
        return b""
    return (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()


def located(path: str) -> tuple[str, str, str]:
    """Splits a path into (plane, endpoint, path after it): /pkc-1a2b3c/kafka/v3/… -> ("kafka", "pkc-1a2b3c",
    "/kafka/v3/…")."""
    first, slash, rest = path.removeprefix("/").partition("/")
    plane = PLANES.get(first.replace(".", "-").split("-")[0])
    return (plane, first, slash + rest) if plane else ("control", "", path)


def _credentials(headers: Any) -> tuple[str, str] | None:
    scheme, _, token = (headers.get("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, secret) if colon else None
