"""Two webs behind one address, under Daphne and under uvicorn: whichever a spectator gets, the race is the same."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
import requests
import websockets
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from bench.services.system import System
from races.live.rendering.screen import STANDALONE_CELLS
from races.management.commands.trace_tick import WORDS
from tests.integration.balancer import balanced
from tests.integration.checks import check_ended, on
from tests.live.dom import Page

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
SETTLED = 10  # ticks: what changes once a second stands in a new page as it stood before
ENOUGH = 15


class Spectator:
    """shown: what the track and the tower of its page show, by tick."""

    def __init__(self, base: str, race_id: str) -> None:
        self._base, self._race_id = base, race_id
        self.shown: dict[int, str] = {}

    async def connect(self) -> str:
        """The snapshot."""
        url = f"ws://{self._base}/ws/races/{self._race_id}/"
        self._socket = await websockets.connect(url, origin=Origin(f"http://{self._base}"), max_size=None)
        snapshot = str(await self._socket.recv())
        self._page, self.shown = Page(snapshot), {}
        return snapshot

    async def watch(self, ticks: int) -> None:
        end = len(self.shown) + ticks
        while len(self.shown) < end:
            message = str(await asyncio.wait_for(self._socket.recv(), 10))
            self._page.apply(message)
            if found := re.search(r'data-tick="(\d+)"', message):
                self.shown[int(found[1])] = "".join(
                    self._page.element(name).html() for name in ("dots", "tower")
                )

    async def reach(self, tick: int) -> None:
        """Reads what has waited for it, up to the tick."""
        while not self.shown or max(self.shown) < tick:
            await self.watch(1)

    async def close(self) -> None:
        await self._socket.close()


async def watch_both(one: Spectator, other: Spectator) -> None:
    """Every tick, and the same at each."""
    await asyncio.gather(one.watch(SETTLED + ENOUGH), other.watch(SETTLED + ENOUGH))
    for ticks in (list(one.shown), list(other.shown)):
        assert ticks == list(range(ticks[0], ticks[-1] + 1))
    common = sorted(one.shown.keys() & other.shown.keys())[SETTLED:]
    assert len(common) > ENOUGH // 2
    for tick in common:
        assert one.shown[tick] == other.shown[tick], tick


def ids(html: str) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', html))


def check_trace(system: System, base: str, race_id: str, tick: int) -> None:
    said = system.manage("trace_tick", race_id, "--lab", f"http://{base}", "--tick", str(tick))
    assert "The worker is another process" in said
    ways = dict(re.findall(r"^ *(\w.*?)  +([\d.]+) ", said, re.M))
    assert set(ways) == {WORDS[stage] for stage in ("due", "read", "shown", "delivered")}
    assert 0 < float(ways[WORDS["read"]]) < float(ways[WORDS["delivered"]]) < 5_000


def test_two_webs_behind_one_address(
    system: System,
) -> None:
    system.worker()
    (_, daphne), (killed, uvicorn) = system.web("daphne"), system.web("uvicorn")
    race_id = on(system, daphne, "--laps", "16")

    async def story(base: str, taken: list[str]) -> None:
        one, other = Spectator(base, race_id), Spectator(base, race_id)
        page = await asyncio.to_thread(requests.get, f"http://{base}/races/{race_id}/", timeout=20)
        snapshot = await one.connect()
        # the page of one web takes what the other one's socket says
        cells = {*STANDALONE_CELLS, "tower"} - {"bell"}  # which only a page with engine readings has
        assert cells <= ids(page.text) & ids(snapshot)
        await other.connect()
        assert taken == [daphne, uvicorn, daphne]
        await watch_both(one, other)
        newest = max(one.shown)
        await asyncio.to_thread(check_trace, system, uvicorn, race_id, newest)
        killed.kill()
        lost = time.monotonic()
        with pytest.raises(ConnectionClosed):
            await one.watch(100)
        await one.connect()
        await one.watch(1)
        print(f"\nweb killed: a tick through the other one {time.monotonic() - lost:.1f} s after")
        await other.reach(max(one.shown))  # it was not read while the web was killed
        await watch_both(one, other)
        assert taken[3:] == [daphne]
        assert min(one.shown) > newest
        await asyncio.gather(one.close(), other.close())

    with balanced([daphne, uvicorn]) as balancer:
        asyncio.run(story(balancer.base, balancer.taken))
    check_ended(system, daphne, race_id)
