"""The site as it is really started, and clients that send what no page does: the socket ends, memory stays."""

from __future__ import annotations

import email
import socket
import ssl
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from websockets.frames import Opcode

from bench.harness import rss_kb
from bench.services.waiting import free_port
from tests.fakes.markup import check_headers
from tests.fakes.migrated import Migrated
from tests.fakes.waiting import wait_for
from tests.live.hostile_frames import BINARY, CLOSE, CONT, FIN, PING, PONG, TEXT, packed
from tests.live.servers import KINDS, Page, certificate, command, listens, manage, started

pytestmark = pytest.mark.timeout(120)
GROWN_KB = 30_000
PLAIN = ("daphne", "uvicorn")
DEFAULT_LIMIT = 20  # sockets of one browser
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
def race(folder: Path, migrated: Migrated) -> str:
    """Nobody drives it: it stays queued."""
    migrated(folder)
    return manage(folder, "start_race", "--driver", "NOR").split()[0]


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=() if kind in PLAIN else pytest.mark.full) for kind in KINDS],
)
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


def test_unread_pongs_end_the_socket(site: Site) -> None:
    before = rss_kb(site.pid)
    with site.page() as page:
        page.wire.settimeout(20)
        until = time.monotonic() + 25
        with pytest.raises(OSError, match=r"reset|pipe|EOF"):
            while time.monotonic() < until:
                page.send(PINGS)
                assert rss_kb(site.pid) - before < GROWN_KB
    assert rss_kb(site.pid) - before < GROWN_KB


@pytest.mark.parametrize("begin, frame", [
    (b"", packed(FIN | PING, b"")), (b"", packed(FIN | PONG, b"")), (packed(TEXT, b"a"), packed(CONT, b"")),
    (b"", packed(FIN | TEXT, b"ack 1")),
])  # fmt: skip
def test_a_flood_of_frames_ends_its_socket(site: Site, begin: bytes, frame: bytes) -> None:
    """They are small enough to be ten thousand in what a server reads at once, and nobody is served meanwhile."""
    with site.page() as page:
        page.send(begin + frame * 1000)
        answers, code = 0, 0
        while not code and page.protocol.state.name != "CLOSED":
            answers += sum(one.opcode == Opcode.PONG for one in page.frames())
            code = page.protocol.close_rcvd.code if page.protocol.close_rcvd else 0
    assert code == 4400
    assert answers <= 100


def test_pings_of_a_browsers_own_are_answered(site: Site) -> None:
    with site.page() as page:
        page.send(packed(FIN | PING, b"") * 50)
        answers = 0
        while answers < 50:
            answers += sum(one.opcode == Opcode.PONG for one in page.frames())


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_huge_frame_ends_its_socket(site: Site, opcode: Opcode) -> None:
    """Whoever began a hundred of them and never ended one would have the server hold all that came."""
    with site.page() as page:
        page.send(bytes((0x80 | opcode, 0x80 | 127)) + (15_000_000).to_bytes(8, "big") + bytes(4))
        with suppress(ConnectionError, ssl.SSLError):
            page.send(b"a" * 20_000)
        assert page.ended() in (1006, 1009)


def test_endless_pieces_end_their_socket(site: Site) -> None:
    with site.page() as page:
        page.send(bytes((Opcode.TEXT, 0x80 | 126)) + (30_000).to_bytes(2, "big") + bytes(4) + b"a" * 30_000)
        for _ in range(2):
            page.send(
                bytes((Opcode.CONT, 0x80 | 126)) + (30_000).to_bytes(2, "big") + bytes(4) + b"a" * 30_000
            )
        assert page.ended() in (1006, 1009)


@pytest.mark.parametrize("said", ["hello", "ack 1 2", "a" * 60_000])
def test_another_message_closes_with_4400(site: Site, said: str) -> None:
    with site.page() as page:
        page.say(said)
        assert page.ended() == 4400


@pytest.mark.parametrize("pieces", [
    [packed(FIN | BINARY, b"ack 1")], [packed(BINARY, b"ack"), packed(FIN | CONT, b" 1")],
    [packed(TEXT, b"he"), packed(FIN | CONT, b"llo")], [packed(TEXT, b"ack 1"), packed(FIN | CONT, b"x")],
])  # fmt: skip
def test_odd_pieces_close_with_4400(site: Site, pieces: list[bytes]) -> None:
    with site.page() as page:
        for piece in pieces:
            page.send(piece)
        assert page.ended() == 4400


def test_an_acknowledgement_in_pieces_is_one(site: Site) -> None:
    with site.page() as page:
        page.send(
            packed(TEXT, b"ac") + packed(FIN | PING, b"") + packed(CONT, b"") + packed(FIN | CONT, b"k 77")
        )
        while not any(b'id="pong" hidden>77<' in text for text in page.read()):
            assert page.protocol.state.name == "OPEN"


BAD_TEXT = packed(FIN | TEXT, b"\xff"), packed(TEXT, b"ack \xc3") + packed(FIN | CONT, b"x")
AFTER_IT = packed(FIN | CLOSE, b"\x03\xe8"), packed(FIN | TEXT, b"nope"), packed(0xF0 | TEXT, b"bits")


def test_bad_text_leaves_no_traceback(site: Site, folder: Path) -> None:
    for said in (
        *BAD_TEXT,
        *map(bytes.__add__, BAD_TEXT * 3, AFTER_IT * 2),
        packed(FIN | TEXT, b"nope") + BAD_TEXT[0],
    ):
        with site.page() as page:
            page.send(said)
            assert page.ended() in (1000, 1002, 1006, 1007, 4400)
    assert "Traceback" not in (folder / "log").read_text()


def test_a_broken_protocol_leaves_no_traceback(site: Site, folder: Path) -> None:
    for _ in range(20):
        with Page(site.kind, site.port, f"/ws/races/{uuid.uuid4()}/", site.own) as page:
            with suppress(ConnectionError):  # it was told before
                page.send(packed(0xF0 | TEXT, b"bits"))
            assert page.ended() in (1002, 1006, 4404)
    assert "Traceback" not in (folder / "log").read_text()


class Browser:
    """A browser with the cookie that its first page came with."""

    def __init__(self, kind: str, port: int, race: str) -> None:
        self._at = kind, port, f"/ws/races/{race}/"
        cookies = requests.get(f"http://127.0.0.1:{port}/", timeout=20).cookies
        # its name follows from the key of the lab that is served, not from this process's
        self._cookie = next(f"{one.name}={one.value}" for one in cookies if one.name.startswith("f1_client"))

    def page(self) -> Page:
        return Page(*self._at, cookie=self._cookie)


def shows(page: Page) -> bool:
    """Whether it gets its snapshot; it counts from then on."""
    while page.protocol.state.name == "OPEN":
        if any(b'id="tower"' in text for text in page.read()):
            return True
    return False


@pytest.mark.parametrize("kind", PLAIN)
def test_only_the_browser_over_its_limit_closes(kind: str, folder: Path, race: str) -> None:
    port = free_port()
    with started(command(kind, port, folder), folder, F1_MAX_SOCKETS_PER_CLIENT="2"), ExitStack() as stack:
        wait_for(lambda: listens(port), "it listens", 60)
        one, other = Browser(kind, port, race), Browser(kind, port, race)
        pages = [stack.enter_context(one.page()) for _ in range(2)]
        assert all(map(shows, pages))
        with one.page() as third:
            assert third.ended() == 4429
            assert third.protocol.close_rcvd is not None
            assert third.protocol.close_rcvd.reason == "too many pages of this browser are open"
        assert shows(stack.enter_context(other.page()))
        pages[0].wire.close()
        wait_for(lambda: shows(stack.enter_context(one.page())), "there is room again")


@pytest.mark.parametrize("kind", PLAIN)
def test_a_limit_of_0_is_no_limit(kind: str, folder: Path, race: str) -> None:
    port = free_port()
    with started(command(kind, port, folder), folder, F1_MAX_SOCKETS_PER_CLIENT="0"), ExitStack() as stack:
        wait_for(lambda: listens(port), "it listens", 60)
        browser = Browser(kind, port, race)
        assert all(shows(stack.enter_context(browser.page())) for _ in range(2 * DEFAULT_LIMIT))


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("site", PLAIN, indirect=True)
def test_an_endless_body_is_refused(site: Site, announced: bool) -> None:
    before = rss_kb(site.pid)
    with socket.create_connection(("127.0.0.1", site.port), 20) as upload:
        how = b"Content-Length: 900000000" if announced else b"Transfer-Encoding: chunked"
        upload.sendall(b"POST /races/ HTTP/1.1\r\nHost: localhost\r\n" + how + b"\r\n\r\n")
        piece = b"x" * 100_000
        sent = 0
        with pytest.raises(OSError, match=r"reset|pipe"):
            while sent < 60_000_000:
                upload.sendall(piece if announced else b"%x\r\n%s\r\n" % (len(piece), piece))
                sent += len(piece)
    assert rss_kb(site.pid) - before < GROWN_KB
    with socket.create_connection(("127.0.0.1", site.port), 20) as after:
        after.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"alive" in b"".join(iter(lambda: after.recv(1000), b""))


@pytest.mark.parametrize("site", PLAIN, indirect=True)
def test_too_long_a_body_gets_413(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), 20) as upload:
        head = b"POST /races/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3100000\r\n\r\n"
        upload.sendall(head + b"x" * 10)
        if site.kind == "uvicorn":  # it is counted there; Daphne goes by what was announced
            upload.sendall(b"x" * 3_099_990)
        told = upload.recv(2000)
    assert told.startswith(b"HTTP/1.1 413 ")
    check_headers(email.message_from_bytes(told.partition(b"\r\n")[2]))  # type: ignore[arg-type]  # asked for by name


@pytest.mark.parametrize("header", [b"Cookie: " + b"x" * 70_000, b"X: 1\r\n" * 4000], ids=["line", "lines"])
def test_long_headers_get_an_answer(site: Site, header: bytes) -> None:
    """A browser with a cookie that has grown too long saw a connection that closes without a word."""
    with site.page() as page:
        page.read()
    with socket.create_connection(("127.0.0.1", site.port), 20) as plain:
        tls = ssl._create_unverified_context() if site.kind.endswith("tls") else None
        with tls.wrap_socket(plain) if tls else nullcontext(plain) as wire:
            wire.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n" + header + b"\r\n\r\n")
            status = wire.recv(65536).split(b" ")[1]
    assert status in (b"200", b"400", b"431")
