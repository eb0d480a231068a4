"""An HTTP POST with a deadline for the whole response.

requests limits the wait for each byte only. A server may send a byte at a time for ever, in headers, chunk sizes or
the body. So another thread can abort the connection of a call, whatever the call is reading then.
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

from races.lib.http import OwnSession


class NoAnswer(Exception):
    """The call gave nothing to use. The message is safe to log."""


class AbortableConnection:
    """The connection of one call, which another thread may abort."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._aborted = False

    def hold(self, connected: socket.socket) -> None:
        with self._lock:
            self._close()
            self._socket = connected.dup()  # of its own: TLS takes the first one over
            if self._aborted:
                self._shutdown()

    def abort(self) -> None:
        """Ends the call now, with an error. A call that has not connected yet ends when it connects."""
        with self._lock:
            self._aborted = True
            self._shutdown()

    def close(self) -> None:
        with self._lock:
            self._close()

    def _shutdown(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                self._socket.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _ThreadState(threading.local):
    connection: AbortableConnection | None = None


_current = _ThreadState()


def _hold(connected: socket.socket) -> socket.socket:
    if _current.connection is not None:
        _current.connection.hold(connected)
    return connected


class _Http(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _hold(super()._new_conn())


class _Https(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _hold(super()._new_conn())


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


def post(
    connection: AbortableConnection,
    url: str,
    body: object,
    headers: dict[str, str],
    timeout: float,
    longest: int,
) -> bytes:
    """Returns the body of a response with status 200.

    Raises NoAnswer for another status or more than `longest` bytes, and what requests raises. Redirects are not
    followed, because the key in the headers belongs to the configured address.
    """
    _current.connection = connection
    try:
        with OwnSession() as session:
            session.mount("http://", _Adapter())
            session.mount("https://", _Adapter())
            with session.post(
                url, json=body, headers=headers, timeout=timeout, stream=True, allow_redirects=False
            ) as response:
                return _body(response, longest)
    finally:
        _current.connection = None
        connection.close()


def _body(response: requests.Response, longest: int) -> bytes:
    if response.status_code != 200:
        raise NoAnswer(f"HTTP {response.status_code}")
    body = b""
    for chunk in response.iter_content(4096):
        body += chunk
        if len(body) > longest:
            raise NoAnswer("answer too long")
    return body
