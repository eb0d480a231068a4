"""A service that answers every request with the bytes it was given, HTTP or not, and hangs up."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
SILENT_S = 10.0


@dataclass
class RawServer:
    url: str
    answer: bytes = b""
    asked: int = 0


@contextmanager
def raw_server() -> Iterator[RawServer]:
    listening = socket.create_server(("127.0.0.1", 0))
    found = RawServer(f"http://127.0.0.1:{listening.getsockname()[1]}")
    thread = threading.Thread(target=_serve, args=(listening, found))
    thread.start()
    try:
        yield found
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        listening.close()


def _serve(listening: socket.socket, found: RawServer) -> None:
    while True:
        try:
            caller, _ = listening.accept()
        except OSError:  # shut
            return
        with closing(caller), suppress(OSError):
            caller.settimeout(SILENT_S)
            if _asked(caller):
                found.asked += 1
                caller.sendall(found.answer)


def _asked(caller: socket.socket) -> bool:
    """Reads a whole request, so that hanging up resets nothing."""
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0):
            return True
        part = caller.recv(65_536)
        if not part:
            return False
        data += part
