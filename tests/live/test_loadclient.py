"""The load generator counts what a page would show: a tick left out or twice is a gap, two in one message are none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.server import ServerConnection, serve

from bench.loadclient import Audience


def message(*ticks: int) -> str:
    return "".join(f'<i id="dots" data-tick="{tick}">{"1,2;" * 400}</i>' for tick in ticks)


@contextmanager
def sending(*messages: str) -> Iterator[tuple[str, int]]:
    def tell(socket: ServerConnection) -> None:
        for text in messages:
            socket.send(text)
        socket.close()

    with serve(tell, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("sent", "gaps"),
    [
        ([(1,), (2,), (3,)], 0),
        ([(1,), (2, 3), (4,)], 0),
        ([(1,), (3,), (4,)], 1),
        ([(1,), (2,), (2,), (3,)], 1),
    ],
)
def test_every_tick_is_counted(sent: list[tuple[int, ...]], gaps: int) -> None:
    with sending(*(message(*ticks) for ticks in sent)) as address:
        audience = Audience(address, ["/"], lambda _, tick: float(tick))
        audience.measuring = True
        audience.join(1, 10)
        spectator = audience.spectators[0]
        for _ in range(100):
            audience.run(0.05)
            if spectator.ended:
                break
        assert (spectator.gaps, spectator.tick) == (gaps, sent[-1][-1])
        assert len(audience.arrivals.delays) == sum(map(len, sent))
        audience.close()
