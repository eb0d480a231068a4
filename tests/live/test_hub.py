"""The hub: one string to everybody, a slow client costs only itself."""

from __future__ import annotations

import asyncio

import pytest

from races.live.hub import Hub, Socket


class Client:
    """A spectator whose transport can be stalled."""

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


def publish(hub: Hub, race: str, number: int) -> None:
    """Numbers of messages begin with 1: none is in a spectator's hands before its first snapshot."""
    frame = (number + 1, f"frame {number}")
    hub.publish(race, [frame], lambda: (f"snapshot {number}", number + 1), now=0.0)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_everybody_in_a_race_gets_the_frame_and_nobody_else() -> None:
    async def story() -> None:
        hub, one, two, other = Hub(), Client(), Client(), Client()
        hub.join("a", one.socket)
        hub.join("a", two.socket)
        hub.join("b", other.socket)
        publish(hub, "a", 1)
        assert (one.got, two.got, other.got) == (["frame 1"], ["frame 1"], [])

    asyncio.run(story())


def test_a_frame_goes_out_within_the_call_while_the_transport_takes_it() -> None:
    async def story() -> None:
        hub, client = Hub(), Client()
        hub.join("a", client.socket)
        publish(hub, "a", 1)
        assert client.got == ["frame 1"]
        assert client.socket.pending is None

    asyncio.run(story())


def test_a_stalled_client_delays_nobody_and_comes_back_with_the_newest_state() -> None:
    async def story() -> None:
        hub, slow, quick = Hub(), Client(stalled=True), Client()
        hub.join("a", slow.socket)
        hub.join("a", quick.socket)
        for number in range(100):
            publish(hub, "a", number)
        assert len(quick.got) == 100
        assert slow.socket.skipped == hub.skipped == 99
        slow.free.set()
        await settle()
        publish(hub, "a", 100)
        publish(hub, "a", 101)
        assert slow.got == ["frame 0", "snapshot 100", "frame 101"]
        hub.leave("a", slow.socket)
        assert hub.skipped == 99

    asyncio.run(story())


def test_a_frame_that_is_in_the_snapshot_of_who_just_joined_does_not_come_to_it_again() -> None:
    async def story() -> None:
        hub, early, late = Hub(), Client(), Client()
        hub.join("a", early.socket)
        hub.join("a", late.socket)
        late.socket.show(("snapshot with 1 and 2", 2))
        for messages in ([(1, "+1")], [(2, "+2"), (3, "+3"), (4, "+4")], [(5, "+5")]):
            hub.publish("a", messages, lambda: ("", 0), now=0.0)
        assert early.got == ["+1", "+2+3+4", "+5"]
        assert late.got == ["snapshot with 1 and 2", "+3+4", "+5"], "and each of the others by itself"

    asyncio.run(story())


def test_who_lagged_and_speaks_again_gets_the_whole_state_before_changes() -> None:
    async def story() -> None:
        hub, client = Hub(), Client()
        hub.join("a", client.socket)
        client.socket.lagging = True
        publish(hub, "a", 1)
        client.socket.lagging = False
        publish(hub, "a", 2)
        publish(hub, "a", 3)
        assert client.got == ["snapshot 2", "frame 3"]

    asyncio.run(story())


def test_a_connection_that_broke_is_left_out_without_harm() -> None:
    async def story() -> None:
        hub, broken, fine = Hub(), Client(gone=True), Client()
        hub.join("a", broken.socket)
        hub.join("a", fine.socket)
        publish(hub, "a", 1)
        assert fine.got == ["frame 1"]

    asyncio.run(story())


def test_who_leaves_leaves_nothing_behind() -> None:
    async def story() -> None:
        hub, client = Hub(), Client(stalled=True)
        hub.join("a", client.socket)
        publish(hub, "a", 1)
        hub.leave("a", client.socket)
        await settle()
        assert not hub.watched("a")
        assert hub.count() == 0
        assert client.socket.pending is None
        hub.leave("a", client.socket)

    asyncio.run(story())


def test_sockets_are_counted_by_client() -> None:
    async def story() -> None:
        hub = Hub()
        for race in ("a", "b", "b"):
            hub.join(race, Client().socket)
        assert hub.count("someone") == 3
        assert hub.count("stranger") == 0

    asyncio.run(story())


def test_an_error_in_a_send_that_had_to_wait_is_not_lost_as_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        client = Client(stalled=True)
        client.socket.offer("x")
        client.gone = True

        async def fail(text: str) -> None:
            await client.free.wait()
            raise ConnectionError("closed")

        other = Socket(fail, client.close, None, acked_at=0.0)
        other.offer("y")
        client.free.set()
        await settle()
        assert other.pending is None

    asyncio.run(story())
    assert not caplog.records
