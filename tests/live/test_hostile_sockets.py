"""Frames that no page sends, over TCP to real servers: they end their own socket; the page beside gets every tick."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import strategies as st
from websockets.frames import Opcode

from bench.harness import rss_kb
from tests.fakes.fuzzing import FEW, MANY, Counted, sweep
from tests.fakes.waiting import wait_for
from tests.live.beside import Site, site
from tests.live.hostile_frames import FIN, PING, SAID, End, Said, packed
from tests.live.played import PATH
from tests.live.servers import Page

pytestmark = pytest.mark.timeout(120)
AT_ONCE = 16  # clients
BATCHES = st.lists(SAID, min_size=AT_ONCE, max_size=AT_ONCE)
GROWN_KB = 35_000  # what the first thousands take; more of them take no more
INTERNAL_ERROR = 1011
STILL_THERE = b"still there?"
WRONG = ("Traceback", "Unhandled", "ERROR", "CRITICAL")


@pytest.fixture(params=["daphne", "uvicorn"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site(request.param, tmp_path) as found:
        yield found


class Client:
    def __init__(self, lab: Site, said: Said) -> None:
        self.said = said
        self.page = None if said.eager else lab.page()
        self.wire = self.page.wire if self.page else socket.create_connection(("127.0.0.1", lab.port), 20)
        self._lab = lab

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()

    def begin(self) -> None:
        """The rest of an eager one is on its way while the server still makes up its mind."""
        first = self.said.data[: self.said.cut]
        self._send(first if self.page else self._request() + first)

    def go_on(self) -> None:
        self._send(self.said.data[self.said.cut :])
        if self.said.leaves:
            self.wire.close()

    def check(self) -> None:
        if self.page is not None and self.said.end is End.CLOSED:
            assert self.page.ended() != INTERNAL_ERROR, self.said
        elif self.page is not None and self.said.end is End.OPEN:
            assert _answers(self.page), self.said

    def _request(self) -> bytes:
        where = f"127.0.0.1:{self._lab.port}"
        return (
            f"GET {PATH} HTTP/1.1\r\nHost: {where}\r\nOrigin: http://{where}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()

    def _send(self, data: bytes) -> None:
        with suppress(ConnectionError):  # closed meanwhile: seen by check
            self.wire.sendall(data)


def _answers(page: Page) -> bool:
    """Twice: the first answer may come before the application has seen what was said."""
    return _pongs(page) and _pongs(page)


def _pongs(page: Page) -> bool:
    try:
        page.send(packed(FIN | PING, STILL_THERE))
        while page.protocol.state.name == "OPEN":
            if STILL_THERE in [frame.data for frame in page.frames() if frame.opcode is Opcode.PONG]:
                return True
    except ConnectionError:
        pass
    return False


class Beside:
    """Checks a batch of clients: each is closed or not as it should be, and the page beside them notices nothing."""

    def __init__(self, lab: Site) -> None:
        self.lab, self.reader = lab, lab.reader()
        self(WARM_UP)
        self.before_kb = rss_kb(lab.process.pid)

    def __call__(self, batch: list[Said]) -> int:
        with ExitStack() as stack:
            clients = [stack.enter_context(Client(self.lab, said)) for said in batch]
            for client in clients:
                client.begin()
            for client in clients:
                client.go_on()
            self.reader.gets(self.lab.tick())
            for client in clients:
                client.check()
        assert self.lab.process.poll() is None
        return sum(said.end is not End.OPEN for said in batch)

    def end(self) -> None:
        wait_for(lambda: self.lab.metric("f1_sockets") == 1, "all but one are gone")
        assert rss_kb(self.lab.process.pid) - self.before_kb < GROWN_KB
        self.reader.gets(self.lab.tick())
        self.lab.reader()
        log = self.lab.log.read_text()
        assert not [line for line in log.splitlines() if any(word in line for word in WRONG)], log[-5000:]


WARM_UP = [Said(packed(FIN | PING, b""), 0, eager=False, leaves=False)] * AT_ONCE


def fuzz(lab: Site, counted: Counted, at_least: int) -> None:
    beside = Beside(lab)
    sweep(
        counted, f"hostile WebSocket frames to {lab.kind}", at_least, BATCHES, beside, at_once=AT_ONCE * 0.8
    )
    beside.end()


def test_hostile_frames_disturb_nobody(lab: Site, counted: Callable[[str], None]) -> None:
    fuzz(lab, counted, FEW)


@pytest.mark.full
@pytest.mark.timeout(600)
def test_many_hostile_frames_disturb_nobody(lab: Site, counted: Callable[[str], None]) -> None:
    fuzz(lab, counted, MANY)
