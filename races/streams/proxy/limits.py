"""What all clients of one proxy may take together, so that the lab beside it keeps its memory and its processor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from races.streams.proxy.requests import Refused

MOST = {"topics": 80, "groups": 500, "producers": 20_000}
"""Names that the cluster never forgets. A topic holds up to 20 MiB."""
SHARE = 0.25  # of one core
BURST_S = 0.1
REQUEST_S, BYTE_S = 100e-6, 5e-9  # what passing a request and each of its bytes costs besides reading it


class Kept:
    """Counts what the cluster keeps for ever."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {kind: set() for kind in MOST}

    def add(self, named: Iterable[tuple[str, str]]) -> None:
        """Raises Refused where one of them is too many."""
        for kind, name in named:
            names = self._names[kind]
            if name not in names and len(names) >= MOST[kind]:
                raise Refused(
                    f"a request for more than {MOST[kind]} {kind}; a restart of the lab forgets them"
                )
            names.add(name)


class Share:
    """A share of one core: who comes while it is used up waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._free_at = loop, 0.0

    async def turn(self) -> None:
        while (wait_s := self._free_at - self._loop.time()) > BURST_S:
            await asyncio.sleep(wait_s - BURST_S / 2)

    def spend(self, seconds: float) -> None:
        self._free_at = max(self._free_at, self._loop.time()) + seconds / SHARE

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Spends what the body costs this thread."""
        begun = time.thread_time()
        try:
            yield
        finally:
            self.spend(time.thread_time() - begun)
