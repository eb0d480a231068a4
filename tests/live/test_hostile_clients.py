"""The site as it is really started, and clients that send what no page does: the socket ends, memory stays."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.frames import Opcode

from bench.process import rss_kb
from tests.conftest import wait_for
from tests.integration.java import free_port
from tests.live.servers import KINDS, Page, certificate, command, manage, started

pytestmark = pytest.mark.timeout(120)
GROWN_KB = 30_000
PINGS = (bytes((0x80 | Opcode.PING, 0x80 | 125, 0, 0, 0, 0)) + b"x" * 125) * 500


@dataclass(frozen=True)
class Site:
    kind: str
    port: int
    own: Path
    race: str
    pid: int

    def page(self) -> Page:
        return Page(self.kind, self.port, f"/ws/races/{self.race}/", self.own)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def race(folder: Path) -> str:
    """Nobody drives it: it stays queued."""
    manage(folder, "migrate", "-v0")
    return manage(folder, "start_race", "--driver", "NOR").split()[0]


@pytest.fixture(scope="module", params=KINDS)
def site(request: pytest.FixtureRequest, folder: Path, race: str) -> Iterator[Site]:
    port, own = free_port(), certificate(folder)
    with started(command(request.param, port, own), folder) as process:
        found = Site(request.param, port, own, race, process.pid)

        def answers() -> bool:
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            try:
                with found.page() as page:
                    return bool(page.read() or page.read())
            except ConnectionRefusedError:
                return False

        wait_for(answers, "a page gets its snapshot", 60)
        yield found


def ended_with(page: Page) -> int:
    """The code, 1006 where the server just goes; reads until then."""
    try:
        while page.protocol.close_rcvd is None and page.protocol.state.name != "CLOSED":
            page.read()
    except ConnectionResetError:
        return 1006
    return page.protocol.close_rcvd.code if page.protocol.close_rcvd else 1006


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_who_pings_and_never_reads_is_dropped_before_the_answers_fill_the_memory(site: Site) -> None:
    before = rss_kb(site.pid)
    with site.page() as page:
        page.wire.settimeout(20)
        until = time.monotonic() + 25
        with pytest.raises(OSError, match=r"reset|pipe|EOF"):
            while time.monotonic() < until:
                page.send(PINGS)
                assert rss_kb(site.pid) - before < GROWN_KB
    assert rss_kb(site.pid) - before < GROWN_KB


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_huge_frame_ends_its_socket_before_it_has_come(site: Site, opcode: Opcode) -> None:
    """Whoever began a hundred of them and never ended one would have the server hold all that came."""
    with site.page() as page:
        page.send(bytes((0x80 | opcode, 0x80 | 127)) + (15_000_000).to_bytes(8, "big") + bytes(4))
        page.send(b"a" * 20_000)
        assert ended_with(page) in (1006, 1009)


def test_a_message_in_endless_pieces_ends_its_socket(site: Site) -> None:
    with site.page() as page:
        page.send(bytes((Opcode.TEXT, 0x80 | 126)) + (30_000).to_bytes(2, "big") + bytes(4) + b"a" * 30_000)
        for _ in range(2):
            page.send(
                bytes((Opcode.CONT, 0x80 | 126)) + (30_000).to_bytes(2, "big") + bytes(4) + b"a" * 30_000
            )
        assert ended_with(page) in (1006, 1009)


@pytest.mark.parametrize("said", ["hello", "ack 1 2", "a" * 60_000])
def test_a_message_that_is_no_acknowledgement_is_told_4400(site: Site, said: str) -> None:
    with site.page() as page:
        page.say(said)
        assert ended_with(page) == 4400


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_a_body_without_an_end_is_refused_and_kept_nowhere(
    kind: str, announced: bool, folder: Path, race: str
) -> None:
    port = free_port()
    with started(command(kind, port, folder), folder) as process:
        wait_for(lambda: listens(port), "it listens", 60)
        before = rss_kb(process.pid)
        with socket.create_connection(("127.0.0.1", port), 20) as upload:
            how = b"Content-Length: 900000000" if announced else b"Transfer-Encoding: chunked"
            upload.sendall(b"POST /races/ HTTP/1.1\r\nHost: localhost\r\n" + how + b"\r\n\r\n")
            piece = b"x" * 100_000
            sent = 0
            with pytest.raises(OSError, match=r"reset|pipe"):
                while sent < 60_000_000:
                    upload.sendall(piece if announced else b"%x\r\n%s\r\n" % (len(piece), piece))
                    sent += len(piece)
        assert rss_kb(process.pid) - before < GROWN_KB
        with socket.create_connection(("127.0.0.1", port), 20) as after:
            after.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b"alive" in b"".join(iter(lambda: after.recv(1000), b""))


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_a_body_that_is_too_long_is_told_413(kind: str, folder: Path, race: str) -> None:
    port = free_port()
    with started(command(kind, port, folder), folder):
        wait_for(lambda: listens(port), "it listens", 60)
        with socket.create_connection(("127.0.0.1", port), 20) as upload:
            head = b"POST /races/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3100000\r\n\r\n"
            upload.sendall(head + b"x" * 10)
            if kind == "uvicorn":  # it is counted there; Daphne goes by what was announced
                upload.sendall(b"x" * 3_099_990)
            assert upload.recv(1000).startswith(b"HTTP/1.1 413 ")
