"""The hub: one string for everybody, and a slow client costs only itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

from races.live.hub import Hub, Socket


class Client:
    """A spectator behind a server that is not known, whose transport can be stalled."""

    def __init__(self, stalled: bool = False, gone: bool = False) -> None:
        self.got: list[str] = []
        self.free = asyncio.Event()
        self.gone = gone
        if not stalled:
            self.free.set()
        self.socket = Socket(self.send, self.close, "someone", acked_at=0.0)

    async def send(self, text: str) -> None:
        if self.gone:
            raise ConnectionError("closed")
        await self.free.wait()
        self.got.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.got.append(f"close {code}")


class Race(Hub):
    """A hub whose snapshots tell the newest number that was published."""

    def __init__(self) -> None:
        super().__init__(lambda race: (f"snapshot {self.number}", self.number + 1))
        self.number = -1

    async def say(self, number: int, race: str = "a") -> None:
        """Numbers of messages begin with 1: none is in a spectator's hands before its first snapshot."""
        self.number = number
        self.publish(race, [(number + 1, f"frame {number}")], now=0.0)
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def story(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **options: Any) -> None:
        asyncio.run(test(*args, **options))

    return run


@story
async def test_frames_stay_in_their_race() -> None:
    hub, one, two, other = Race(), Client(), Client(), Client()
    hub.join("a", one.socket)
    hub.join("a", two.socket)
    hub.join("b", other.socket)
    await hub.say(1)
    assert (one.got, two.got, other.got) == (["frame 1"], ["frame 1"], [])


@story
async def test_a_known_server_is_written_to_at_once() -> None:
    hub, written = Race(), list[str]()
    client = Client()

    def write(text: str) -> bool:
        written.append(text)
        return True

    client.socket.write = write
    hub.join("a", client.socket)
    hub.publish("a", [(1, "frame")], now=0.0)
    assert written == ["frame"]
    assert client.socket.pending is None


@story
async def test_a_stalled_client_delays_nobody() -> None:
    """It comes back with the newest state."""
    hub, slow, quick = Race(), Client(stalled=True), Client()
    hub.join("a", slow.socket)
    hub.join("a", quick.socket)
    for number in range(100):
        await hub.say(number)
    assert len(quick.got) == 100
    assert slow.socket.skipped == hub.skipped == 99
    slow.free.set()
    await settle()
    await hub.say(100)
    await hub.say(101)
    assert slow.got == ["frame 0", "snapshot 100", "frame 101"]
    hub.leave("a", slow.socket)
    assert hub.skipped == 99


@story
async def test_nothing_in_the_snapshot_comes_again() -> None:
    """A client that has just joined gets it in its snapshot only; each of the others gets every message."""
    hub, early, late = Race(), Client(), Client()
    hub.join("a", early.socket)
    hub.join("a", late.socket)
    late.socket.show(("snapshot with 1 and 2", 2))
    await settle()
    for messages in ([(1, "+1")], [(2, "+2"), (3, "+3"), (4, "+4")], [(5, "+5")]):
        hub.publish("a", messages, now=0.0)
        await settle()
    assert early.got == ["+1", "+2+3+4", "+5"]
    assert late.got == ["snapshot with 1 and 2", "+3+4", "+5"]


@story
async def test_after_a_lag_the_whole_state_comes_first() -> None:
    hub, client = Race(), Client()
    hub.join("a", client.socket)
    client.socket.lagging = True
    await hub.say(1)
    client.socket.lagging = False
    await hub.say(2)
    await hub.say(3)
    assert client.got == ["snapshot 2", "frame 3"]


@story
async def test_a_broken_connection_harms_nobody() -> None:
    hub, broken, fine = Race(), Client(gone=True), Client()
    hub.join("a", broken.socket)
    hub.join("a", fine.socket)
    await hub.say(1)
    assert fine.got == ["frame 1"]
    assert broken.socket.pending is None


@story
async def test_leaving_leaves_nothing_behind() -> None:
    hub, client = Race(), Client(stalled=True)
    hub.join("a", client.socket)
    await hub.say(1)
    hub.leave("a", client.socket)
    await settle()
    assert not hub.watched("a")
    assert hub.count() == 0
    assert client.socket.pending is None
    hub.leave("a", client.socket)


@story
async def test_sockets_are_counted_by_client() -> None:
    hub = Race()
    for race in ("a", "b", "b"):
        hub.join(race, Client().socket)
    assert hub.count("someone") == 3
    assert hub.count("stranger") == 0


def test_a_late_error_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A send that had to wait and then failed is not reported as an exception that nobody took."""

    @story
    async def run() -> None:
        client = Client(stalled=True)

        async def fail(text: str) -> None:
            await client.free.wait()
            raise ConnectionError("closed")

        socket = Socket(fail, client.close, None, acked_at=0.0)
        socket.offer("y")
        await settle()
        client.free.set()
        await settle()
        assert socket.pending is None

    run()
    assert not caplog.records
