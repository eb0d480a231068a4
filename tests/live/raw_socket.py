"""A WebSocket by hand, for what no library does: who never reads, or goes without a word."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


@contextmanager
def served(script: str, *arguments: int) -> Iterator[subprocess.Popen[str]]:
    """A server of its own, which prints `ready`."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "f1site.settings"}
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
            yield process
        finally:
            process.kill()


def opened(port: int) -> socket.socket:
    page = socket.create_connection(("127.0.0.1", port), 20)
    key = base64.b64encode(os.urandom(16)).decode()
    page.sendall(
        f"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += page.recv(1)
    return page


def acknowledge(page: socket.socket, tick: int) -> None:
    text = f"ack {tick}".encode()
    page.sendall(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)  # masked with zeros
