"""The stand-in's HTTP server: one address, the planes under it by the first part of the path."""

import base64
import json
import select
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from . import (
    accounts,
    clusters,
    connections,
    environments,
    keys,
    pools,
    registries,
    statements,
    subjects,
    topics,
)
from .answers import Answer, Refused, coded, control, invalid
from .auth import authenticate
from .calls import Call, Router
from .cloud import Cloud
from .exchanges import Exchange
from .faults import Fault, Faults, planned, refusal
from .records import Binding, Key
from .timings import INSTANT, Timings

DEMO_KEY, DEMO_SECRET = "STANDINCLOUDKEY1", "cfltStandInDemoSecretOfNoAccountAtAll"
DEMO_USER = "u-standin"
PLANES = {"pkc": "kafka", "psrc": "registry", "flink": "flink"}
LIMITED_PATHS = (
    "/org/",
    "/cmk/",
    "/fcpm/",
    "/iam/v2/service-accounts",
    "/srcm/",
)  # that tell their rate limits
ROUTERS = {
    "control": Router(
        environments.ROUTES
        + clusters.ROUTES
        + registries.ROUTES
        + pools.ROUTES
        + accounts.ROUTES
        + keys.ROUTES
    ),
    "kafka": Router(topics.ROUTES),
    "flink": Router(statements.ROUTES + connections.ROUTES),
}
LONGEST_WAIT_S = 60.0  # how long a timed-out call is held when its client never gives up


class Standin:
    """A Confluent Cloud of one organisation on 127.0.0.1. As a context manager it serves from a thread.

    `clock` gives seconds; with `speed` they pass faster than on the wall. `kafka` False leaves the embedded Kafka out.
    """

    def __init__(
        self,
        timings: Timings = INSTANT,
        faults: Iterable[Fault] = (),
        speed: float = 1.0,
        clock: Callable[[], float] | None = None,
        port: int = 0,
        seed: int = 0,
        kafka: bool = True,
    ) -> None:
        self.state = Cloud(timings, clock or (lambda: time.monotonic() * speed), seed, kafka)
        self.faults: Faults = planned(faults)
        self.calls: list[Exchange] = []
        self.key, self.secret = DEMO_KEY, DEMO_SECRET
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", port), self)
        self.url = self.state.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        add_administrator(self.state)

    def start(self) -> str:
        """Serves; returns the address for CONFLUENT_CLOUD_URL."""
        self._thread.start()
        return self.url

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.state.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    # -- one call ----------------------------------------------------------------------------------------------

    def answer(self, call: Call, exchange: Exchange) -> Answer | None:
        """None: the connection ends without an answer."""
        fault = self.faults.take(exchange)
        if fault is None:
            return self._handled(call)
        if fault.hook and fault.kind == "hook_before":
            fault.hook(exchange)
        if fault.kind in ("timeout_before", "drop_before"):
            return None
        if instead := refusal(fault, call.plane):
            return instead
        answer = self._handled(call)
        exchange.status, exchange.response = answer.status, answer.body
        if fault.hook and fault.kind == "hook_after":
            fault.hook(exchange)
        return None if fault.kind in ("timeout_after", "drop_after") else answer

    def _handled(self, call: Call) -> Answer:
        with self.state.lock:
            registries.settle(self.state)
            statements.settle(self.state)
            try:
                call.caller = authenticate(call)
                answer = _dispatch(call)
            except Refused as refused:
                answer = refused.answer
            registries.settle(self.state)
            statements.settle(self.state)
            return answer

    def record(
        self, method: str, plane: str, path: str, query: dict[str, str], body: Any, kind: str
    ) -> Exchange:
        with self.state.lock:
            exchange = Exchange(len(self.calls) + 1, method, plane, path, query, body, kind)
            self.calls.append(exchange)
            return exchange

    def hold(self, connection: socket.socket) -> None:
        """Until the client has given up, the stand-in ends, or a minute has passed."""
        deadline = time.monotonic() + LONGEST_WAIT_S
        while time.monotonic() < deadline and not self._ended.is_set():
            readable, _, _ = select.select([connection], [], [], 0.05)
            if readable and not _peeked(connection):
                return


def _peeked(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return b""


def _dispatch(call: Call) -> Answer:
    if call.plane == "registry":
        return subjects.handle(call)
    found = ROUTERS[call.plane].find(call.method, call.path)
    if isinstance(found, int):
        words = "Method not allowed." if found == 405 else "Not found."
        raise coded(found, words, found) if call.plane == "kafka" else control(found, words)
    handler, params = found
    call.params = {name: unquote(value) for name, value in params.items()}
    return handler(call)


def add_administrator(cloud: Cloud) -> None:
    """The person whose Cloud key the commands are given: OrganizationAdmin, as they need it."""
    add_cloud_key(cloud, DEMO_KEY, DEMO_SECRET, DEMO_USER)
    cloud.bindings["rb-owner0"] = cloud.made(
        Binding(
            id="rb-owner0",
            name="OrganizationAdmin",
            principal=f"User:{DEMO_USER}",
            role="OrganizationAdmin",
            crn=cloud.crn,
            stranger=True,
        )
    )


def add_cloud_key(cloud: Cloud, key: str, secret: str, owner: str) -> Key:
    """A Cloud key of a user; without a role of its own the user may read little and write nothing."""
    made = Key(
        id=key,
        name="the caller's own",
        secret=secret,
        owner=owner,
        resource="cloud",
        kind="Cloud",
        stranger=True,
    )
    cloud.keys[key] = cloud.made(made)
    return made


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], standin: Standin) -> None:
        self.standin = standin
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle of an answer is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """The exchanges are the log."""

    def _serve(self) -> None:
        standin = self.server.standin
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        plane, host, path = located(urlsplit(self.path).path)
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip()
        body, broken = _parsed(text)
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

    def _break_off(self, exchange: Exchange) -> None:
        exchange.status = 0
        self.close_connection = True
        if exchange.fault.startswith("timeout"):
            self.server.standin.hold(self.connection)
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    def _send(self, answer: Answer, exchange: Exchange) -> None:
        headers = {"X-Request-Id": str(uuid.uuid4()), **_limits(exchange), **answer.headers}
        data = _encoded(answer)
        if data and "Content-Type" not in headers:
            headers["Content-Type"] = "text/html" if isinstance(answer.body, str) else "application/json"
        _stamp(answer.body, headers["X-Request-Id"])
        exchange.status, exchange.response, exchange.headers = answer.status, answer.body, headers
        data = _encoded(answer)
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _encoded(answer: Answer) -> bytes:
    if answer.body is None:
        return b""
    return (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()


def _stamp(body: Any, request_id: str) -> None:
    """Errors of shapes 1 and 3 repeat the request's id."""
    if isinstance(body, dict) and "requestId" in body:
        body["requestId"] = request_id
    for error in body.get("errors", []) if isinstance(body, dict) else []:
        error["id"] = request_id


def _limits(exchange: Exchange) -> dict[str, str]:
    if exchange.plane != "control" or not exchange.path.startswith(LIMITED_PATHS):
        return {}
    return {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "99", "X-RateLimit-Reset": "1"}


def located(path: str) -> tuple[str, str, str]:
    """(plane, endpoint, path after it): /pkc-1a2b3c/kafka/v3/… -> ("kafka", "pkc-1a2b3c", "/kafka/v3/…")."""
    first, slash, rest = path.removeprefix("/").partition("/")
    plane = PLANES.get(first.replace(".", "-").split("-")[0])
    return (plane, first, slash + rest) if plane else ("control", "", path)


def _parsed(text: bytes) -> tuple[Any, bool]:
    """(body, whether it is broken)."""
    if not text:
        return None, False
    try:
        return json.loads(text), False
    except ValueError:
        return None, True


def _credentials(headers: Any) -> tuple[str, str] | None:
    scheme, _, token = (headers.get("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, secret) if colon else None
