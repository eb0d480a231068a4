"""A POST whose time limit holds for the whole answer.

requests limits the wait for each byte, and headers, chunk sizes and bodies may drip for ever; so the connection of a
call can be cut from another thread, whatever the call is reading then.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class NoAnswer(Exception):
    """The call gave nothing to use; the message is safe to log."""


class Wire:
    """The connection of one call, for whoever may have to cut it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        with self._lock:
            self._let_go()
            self._socket = connected.dup()  # of its own: TLS takes the first one over
            if self._is_cut:
                self._shut()

    def cut(self) -> None:
        """The call ends now, with an error of its own; also one that has yet to connect."""
        with self._lock:
            self._is_cut = True
            self._shut()

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _OfThisThread(threading.local):
    wire: Wire | None = None


_calling = _OfThisThread()


def _held(connected: socket.socket) -> socket.socket:
    if _calling.wire is not None:
        _calling.wire.hold(connected)
    return connected


class _Http(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _held(super()._new_conn())


class _Https(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _held(super()._new_conn())


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


def _watched(manager: PoolManager) -> PoolManager:
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return manager


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _watched(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        return _watched(super().proxy_manager_for(*args, **options))


def post(wire: Wire, url: str, body: object, headers: dict[str, str], timeout: float, longest: int) -> bytes:
    """The body of a 200. Raises NoAnswer for another status or more than `longest` bytes, and what requests raises.

    Redirects are not followed: the key belongs to the configured address.
    """
    _calling.wire = wire
    try:
        with requests.Session() as session:
            session.mount("http://", _Adapter())
            session.mount("https://", _Adapter())
            with session.post(
                url, json=body, headers=headers, timeout=timeout, stream=True, allow_redirects=False
            ) as response:
                return _body(response, longest)
    finally:
        _calling.wire = None
        wire.close()


def _body(response: requests.Response, longest: int) -> bytes:
    if response.status_code != 200:
        raise NoAnswer(f"HTTP {response.status_code}")
    body = b""
    for chunk in response.iter_content(4096):
        body += chunk
        if len(body) > longest:
            raise NoAnswer("answer too long")
    return body
