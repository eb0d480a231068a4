"""Where a request ends, and which address it names: Daphne and uvicorn as they are really started, over a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport

from bench.services.waiting import free_port
from races.live.servers import body_limit, daphne
from races.live.servers.request_target import in_origin_form
from tests.fakes.migrated import Migrated
from tests.fakes.waiting import wait_for
from tests.live.servers import command, listens, started

SECOND = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
TWO_ENDS = {
    "two lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "two lengths in one": b"Content-Length: 0, 5\r\n\r\n",
    "length and chunks": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "identity and length": b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a length below zero": b"Content-Length: -1\r\n\r\n",
    "a length of a word": b"Content-Length: many\r\n\r\n",
    "a length of many digits": b"Content-Length: " + b"1" * 5000 + b"\r\n\r\n",
    "a chunk of a word": b"Transfer-Encoding: chunked\r\n\r\nmany\r\n\r\n",
}


@pytest.fixture(scope="module", params=("daphne", "uvicorn"))
def port(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated: Migrated
) -> Iterator[int]:
    found, folder = free_port(), migrated(tmp_path_factory.mktemp("framing"))
    with started(command(request.param, found, folder), folder):
        wait_for(lambda: listens(found), "it listens", 60)
        yield found
        assert "Traceback" not in (folder / "log").read_text()


def answer(port: int, request: bytes) -> bytes:
    """Everything that the server says until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), 20) as wire:
        wire.sendall(request)
        return b"".join(iter(lambda: wire.recv(65536), b""))


@pytest.mark.parametrize("body", TWO_ENDS.values(), ids=TWO_ENDS)
def test_nothing_follows_bad_framing(port: int, body: bytes) -> None:
    """It is refused, the connection ends, and what is behind it is no request."""
    said = answer(port, b"POST /races/ HTTP/1.1\r\nHost: localhost\r\n" + body + SECOND)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1


def test_a_refused_body_is_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end may have come together with what was too much."""
    daphne.install()
    handled: list[Any] = []
    monkeypatch.setattr(WebRequest, "process", handled.append)
    monkeypatch.setattr(body_limit, "MOST", 10)
    ignored = SimpleNamespace(protocol_connected=id, protocol_disconnected=id)
    channel = HTTPFactory(ignored).buildProtocol(None)
    transport: Any = StringTransport()  # type: ignore[no-untyped-call]  # Twisted has no types here
    channel.timeOut = None
    channel.makeConnection(transport)
    head = b"POST /races/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    channel.dataReceived(head + b"b\r\n" + b"x" * 11 + b"\r\n0\r\n\r\n" + SECOND)
    assert transport.value().startswith(b"HTTP/1.1 413 ")
    assert transport.value().count(b"HTTP/1.1 ") == 1
    assert handled == []
    channel.connectionLost(ConnectionDone())  # closes what it kept of the body


def test_a_whole_address_is_a_path(port: int) -> None:
    """Its host counts, and the Host header does not."""
    said = answer(port, SECOND.replace(b"/livez", b"http://localhost/livez").replace(b": l", b": not-l"))
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"alive\n")
    said = answer(port, SECOND.replace(b"/livez", b"HTTP://not-localhost"))
    assert said.startswith(b"HTTP/1.1 400 ")


def test_protocols_with_odd_bytes(port: int) -> None:
    """A socket that names its protocols so is opened or refused, without a traceback: the fixture looks."""
    asked = (
        b"GET /ws/races/00000000-0000-4000-8000-000000000000/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Origin: http://localhost\r\nSec-WebSocket-Protocol: \xf8\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), 20) as wire:
        wire.sendall(asked)
        assert wire.recv(65536).split(b" ")[1] in (b"101", b"400", b"403")


@pytest.mark.parametrize("target, path, raw", [
    (b"http://lab:8300/a%20b", "/a b", b"/a%20b"), (b"https://lab:8300", "/", b"/"),
    (b"HTTP://lab:8300//x", "//x", b"//x"),
])  # fmt: skip
def test_scope_in_origin_form(target: bytes, path: str, raw: bytes) -> None:
    others = [(b"accept", b"*/*")]
    scope = {"raw_path": target, "path": "?", "headers": [(b"host", b"other"), *others], "query_string": b"q"}
    assert in_origin_form(scope) == {
        "raw_path": raw, "path": path, "headers": [(b"host", b"lab:8300"), *others], "query_string": b"q",
    }  # fmt: skip


@pytest.mark.parametrize("path", [b"/", b"/http://lab/", b"*", b"ftp://lab/", b""])
def test_other_targets_stay(path: bytes) -> None:
    scope = {"raw_path": path, "path": "?", "headers": []}
    assert in_origin_form(scope) is scope


def test_head_has_no_body(port: int) -> None:
    """An answer of several pieces: what follows on the connection is the next answer."""
    size = len(answer(port, SECOND.replace(b"/livez", b"/")))
    assert size > 65536
    said = answer(port, b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n" + SECOND)
    head, _, rest = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert rest.endswith(b"alive\n")
