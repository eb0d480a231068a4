"""A real server with a page that must not notice who else is there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bench.services.waiting import free_port
from tests.fakes.waiting import wait_for
from tests.live.played import PATH, Played, by_ticks
from tests.live.servers import Page, certificate, command, started

ACK_EVERY_S = 1.0


class Reader:
    """A page that takes what it gets and says so."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._acked_at = 0.0

    def gets(self, text: str) -> None:
        """Asserts that this text comes as the next thing that follows the ticks."""
        got = ""
        while not got:
            messages = self.page.read()
            assert messages or self.page.protocol.state.name == "OPEN", "its socket was closed"
            got = by_ticks(b"".join(messages).decode())
        assert got == text
        self.acknowledge()

    def acknowledge(self) -> None:
        if time.monotonic() - self._acked_at > ACK_EVERY_S:
            self._acked_at = time.monotonic()
            self.page.say("ack 1")


@dataclass
class Site:
    kind: str
    port: int
    own: Path
    log: Path
    process: subprocess.Popen[bytes]
    pages: ExitStack
    played: Played = field(default_factory=Played)

    def page(self, taking: int | None = None) -> Page:
        return Page(self.kind, self.port, PATH, self.own, taking=taking)

    def reader(self) -> Reader:
        """A page that has its first state, which is what it should be; it stays."""
        reader = Reader(self.pages.enter_context(self.page()))
        reader.gets(self.played.snapshot())
        return reader

    def tick(self, long: bool = False) -> str:
        """The server is told the next tick; what all pages should get of it."""
        frame = self.played.next(long)
        assert self.process.stdin is not None
        self.process.stdin.write(b"L" if long else b"-")
        self.process.stdin.flush()
        return frame

    def metric(self, name: str) -> float:
        secure = "s" * self.kind.endswith("tls")
        told = requests.get(
            f"http{secure}://127.0.0.1:{self.port}/metrics", timeout=20, verify=str(self.own)
        ).text
        values = [float(line.split()[-1]) for line in told.splitlines() if line.startswith(f"{name} ")]
        assert values, told
        return values[0]


@contextmanager
def site(kind: str, folder: Path) -> Iterator[Site]:
    port, own = free_port(), certificate(folder)
    told = command(kind, port, own, "tests.live.played_app:application")
    with started(told, folder) as process, ExitStack() as pages:
        found = Site(kind, port, own, folder / "log", process, pages)

        def answers() -> bool:
            assert process.poll() is None, found.log.read_text()[-2000:]
            try:
                found.page().wire.close()
            except ConnectionRefusedError:
                return False
            return True

        wait_for(answers, "it answers", 60)
        yield found
