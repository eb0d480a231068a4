"""One address in front of some webs, as a load balancer in a test's own threads. It knows nothing of HTTP."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread


class Balancer:
    """Each connection goes to the next web that takes it. taken: to whom they went."""

    def __init__(self, bases: Sequence[str]) -> None:
        self._bases, self.taken = deque(bases), list[str]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._threads.append(Thread(target=self._carry, args=(self._listener.accept()[0],)))
                self._threads[-1].start()

    def _carry(self, client: socket.socket) -> None:
        with client, self._next() as web:
            back = Thread(target=_pump, args=(web, client))
            back.start()
            _pump(client, web)
            back.join()

    def _next(self) -> socket.socket:
        """Raises OSError where no web is left."""
        for _ in range(len(self._bases) - 1):
            with suppress(OSError):
                return self._connected()
        return self._connected()

    def _connected(self) -> socket.socket:
        self._bases.rotate(-1)
        host, _, port = self._bases[-1].partition(":")
        found = socket.create_connection((host, int(port)))
        self.taken.append(self._bases[-1])
        return found


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Passes bytes on until either end is gone, and then closes both."""
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def balanced(bases: Sequence[str]) -> Iterator[Balancer]:
    balancer = Balancer(bases)
    try:
        yield balancer
    finally:
        balancer.close()
