"""What no page says on its socket: it ends that socket, and nothing else."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from f1site.asgi import application
from races.entering import Choice, enter
from races.live import service as live_service
from races.live.service import LiveService
from races.models import Race
from tests.conftest import wait_for
from tests.fuzzing import FEW, MANY, MARKUP, Counted, shapes, sweep
from tests.integration.java import free_port
from tests.live.raw_socket import acknowledge, opened
from tests.live.servers import command, manage, started

Frame = dict[str, Any]
ACKS = st.integers(0, 10**9).map(lambda tick: f"ack {tick}")
SAID = st.one_of(
    st.text(max_size=40),
    st.sampled_from([*MARKUP, "ack", "ack ", "ack -1", "ack 1 2", "ack ٣", "ack 1\n", "ACK 1", "x" * 99_999]),
    st.from_regex(r"ack .{0,20}"),
    st.integers().map(lambda number: f"ack {number}"),
)  # fmt: skip
FRAMES = st.fixed_dictionaries(
    {}, optional={"text": st.none() | SAID, "bytes": st.none() | st.binary(max_size=9)}
)


def acknowledges(frame: Frame) -> bool:
    said = frame.get("text") or ""
    return frame.get("bytes") is None and re.fullmatch(r"ack [0-9]{1,12}", said, re.ASCII) is not None


HOSTILE = FRAMES.filter(lambda frame: not acknowledges(frame))
PAGES = st.tuples(
    st.lists(ACKS.map(lambda text: {"text": text}), max_size=3), HOSTILE, st.lists(FRAMES, max_size=2)
)


async def says(race: Race, frames: list[Frame]) -> list[int]:
    """The codes that a page is closed with which says all that at once."""
    incoming: asyncio.Queue[Frame] = asyncio.Queue()
    kinds = ("websocket.connect", *["websocket.receive"] * len(frames), "websocket.disconnect")
    for kind, frame in zip(kinds, [{}, *frames, {"code": 1006}], strict=True):
        incoming.put_nowait({"type": kind, **frame})
    codes: list[int] = []

    async def send(message: Frame) -> None:
        codes.extend([message["code"]] if message["type"] == "websocket.close" else [])

    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    path = f"/ws/races/{race.pk}/"
    scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "root_path": "", "headers": headers,
             "query_string": b"", "subprotocols": []}  # fmt: skip
    await application(scope, incoming.get, send)
    return codes


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveService]:
    found = LiveService()
    monkeypatch.setattr(live_service, "_service", found)
    yield found
    found._stopping.set()


def fuzz(live: LiveService, counted: Counted, at_least: int) -> None:
    race = enter(Choice("NOR"))
    with asyncio.Runner() as runner:
        assert runner.run(says(race, [{"text": "ack 1"}])) == []
        shown = live.snapshot(str(race.pk))[0]

        def check(page: tuple[list[Frame], Frame, list[Frame]]) -> int:
            before, hostile, after = page
            assert runner.run(says(race, [*before, hostile, *after])) == [4400]
            assert not live.hub.sockets(), "a page that is gone is still held"
            return 1

        sweep(counted, "hostile WebSocket frames", at_least, PAGES, check)
        assert shapes(live.snapshot(str(race.pk))[0]) == shapes(shown)
        runner.run(live.close())


@pytest.mark.django_db(transaction=True)
def test_hostile_frames_close_their_socket_and_nothing_else(live: LiveService, counted: Counted) -> None:
    fuzz(live, counted, FEW)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_many_hostile_frames_close_their_sockets_and_nothing_else(
    live: LiveService, counted: Counted
) -> None:
    fuzz(live, counted, MANY)


@dataclass(frozen=True, slots=True)
class Wire:
    """Bytes of a client. whole: a frame that the server has to answer; else it may rightly wait for more."""

    data: bytes
    whole: bool = True


def framed(first: int, payload: bytes, masked: bool = True) -> bytes:
    """With a mask of zeros."""
    flag, size = 0x80 * masked, len(payload)
    head = bytes((first, flag | size)) if size < 126 else struct.pack(">BBH", first, flag | 126, size)
    return head + b"\0\0\0\0" * masked + payload


TEXT, CLOSE, FINAL, MOST = 1, 8, 0x80, 2**63 - 1
SPOKEN = SAID.map(lambda text: text[:999]).filter(lambda text: not acknowledges({"text": text}))
WIRES = st.one_of(
    SPOKEN.map(lambda text: Wire(framed(FINAL | TEXT, text.encode()))),
    st.binary(max_size=200).map(lambda data: Wire(framed(FINAL | 2, data))),
    st.binary(min_size=1, max_size=99).map(lambda data: Wire(framed(FINAL | TEXT, b"\xff" + data))),
    st.integers(1, 7).map(lambda bits: Wire(framed(FINAL | bits << 4 | TEXT, b"ack 1"))),
    st.sampled_from([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]).map(lambda opcode: Wire(framed(FINAL | opcode, b"zq"))),
    st.binary(max_size=99).map(lambda data: Wire(framed(FINAL | TEXT, data, masked=False))),
    st.sampled_from([8, 9, 10]).map(lambda opcode: Wire(framed(opcode, b""))),  # in pieces
    st.sampled_from([8, 9, 10]).map(lambda opcode: Wire(framed(FINAL | opcode, b"x" * 126))),
    st.just(Wire(framed(FINAL, b"goes on, but never began"))),
    st.just(Wire(framed(TEXT, b"ack ") + framed(FINAL | TEXT, b"1"))),
    st.integers(0, 65_535).map(lambda code: Wire(framed(FINAL | CLOSE, struct.pack(">H", code) + b"<zq>"))),
    st.just(Wire(framed(FINAL | CLOSE, b"x"))),
    st.integers(2**20, MOST).map(lambda size: Wire(struct.pack(">BBQ", 0x81, 0xFF, size) + b"\0\0\0\0", False)),
    st.binary(min_size=1, max_size=300).map(lambda data: Wire(data, False)),
)  # fmt: skip


def close_code(page: socket.socket) -> int:
    """Of the first close frame that comes; 1006 where the connection just ends."""
    stream = page.makefile("rb")
    try:
        while head := stream.read(2):
            sizes = {126: ">H", 127: ">Q"}
            form = sizes.get(head[1])
            size = struct.unpack(form, stream.read(struct.calcsize(form)))[0] if form else head[1]
            payload = stream.read(size)
            if head[0] & 15 == CLOSE:
                return int(struct.unpack(">H", payload[:2])[0]) if payload else 1005
    except (ConnectionError, IndexError, struct.error):
        pass
    return 1006


@dataclass(frozen=True, slots=True)
class Site:
    port: int
    race: str
    process: subprocess.Popen[bytes]
    log: Path

    def page(self) -> socket.socket:
        return opened(self.port, f"/ws/races/{self.race}/")

    def sockets(self) -> int:
        """How many it holds, as it says itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=20) as answer:
            found = re.search(r"^f1_sockets(?:\{.*\})? (\d+)", answer.read().decode(), re.MULTILINE)
        assert found
        return int(found[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Daphne as it is started by hand, with a race that nobody drives."""
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    manage(folder, "migrate", "-v0")
    race = manage(folder, "start_race", "--driver", "NOR").split()[0]
    with started(command("daphne", port, folder), folder) as process:
        found = Site(port, race, process, folder / "log")

        def answers() -> bool:
            assert process.poll() is None, found.log.read_text()
            try:
                return found.sockets() == 0
            except OSError:
                return False

        wait_for(answers, "Daphne answers", 60)
        yield found


def check_good_page(site: Site) -> None:
    with closing(site.page()) as page:
        acknowledge(page, 7)
        got = b""
        while b'id="pong" hidden>7<' not in got:
            part = page.recv(1 << 20)
            assert part, "closed"
            got += part
        assert b'id="tower"' in got


def check_wire(site: Site, wire: Wire) -> int:
    with closing(site.page()) as page:
        with suppress(OSError):  # it may be cut off before it has said all
            page.sendall(wire.data)
            if not wire.whole:
                page.shutdown(socket.SHUT_WR)
        code = close_code(page)
    assert code in (1000, 1002, 1005, 1006, 1007, 1009, 4400)
    assert site.process.poll() is None, site.log.read_text()[-2000:]
    return 1


def on_daphne(site: Site, counted: Counted, at_least: int) -> None:
    check_good_page(site)
    what = "hostile WebSocket frames, byte for byte, on a Daphne"
    sweep(counted, what, at_least, WIRES, lambda wire: check_wire(site, wire))
    check_good_page(site)
    wait_for(lambda: site.sockets() == 0, "each socket is let go")
    assert "Traceback" not in site.log.read_text()


@pytest.mark.timeout(240)
def test_hostile_bytes_on_a_real_socket_end_it_and_nothing_else(site: Site, counted: Counted) -> None:
    on_daphne(site, counted, FEW)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_many_hostile_bytes_on_real_sockets_end_them_and_nothing_else(site: Site, counted: Counted) -> None:
    on_daphne(site, counted, MANY)
