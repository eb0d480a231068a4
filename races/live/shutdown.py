"""A stopping Daphne drops its sockets without a word; here it first says 1012 to each, so that pages come back.

uvicorn says 1012 by itself. Daphne's own shutdown hooks run too late for a last frame, so the signal is taken first.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from races.live.service import service

FLUSH_S = 0.05
_installed = False


def daphne_reactor() -> Any | None:
    """Daphne's running reactor; None under another server, even where Daphne is imported."""
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    return reactor if reactor is not None and getattr(reactor, "running", False) else None


def close_with_daphne() -> None:
    """Once a process, with its first connection: takes the stop signals of a Daphne that nobody took before."""
    global _installed
    if _installed:
        return
    _installed = True
    if daphne_reactor() is not None and threading.current_thread() is threading.main_thread():
        take_signals(lambda: None)


def take_signals(also: Callable[[], None]) -> None:
    """SIGINT and SIGTERM: close every socket with 1012, then stop the reactor. `also` runs first and at once."""
    global _installed
    _installed = True
    loop = asyncio.get_running_loop()

    def on_signal(number: int, frame: Any) -> None:
        also()
        loop.call_soon_threadsafe(lambda: loop.create_task(_close_then_stop()))

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


async def _close_then_stop() -> None:
    await service().close()
    await asyncio.sleep(FLUSH_S)
    reactor = daphne_reactor()
    if reactor is not None:
        reactor.stop()
