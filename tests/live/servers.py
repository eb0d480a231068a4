"""Daphne and uvicorn as they are really started, plain, encrypted and compressing, and a client that need not read."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from races.live.servers.frames import LONGEST

KINDS = ("daphne", "daphne-tls", "uvicorn", "uvicorn-tls", "uvicorn-compressed")


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "own.pem"
    path.write_bytes(private + signed.public_bytes(pem))
    return path


def command(kind: str, port: int, own: Path, app: str = "f1site.asgi:application") -> list[str]:
    server, _, how = kind.partition("-")
    if server == "daphne":
        tls = f"ssl:{port}:interface=127.0.0.1:privateKey={own}:certKey={own}"
        where = ["-e", tls] if how else ["-b", "127.0.0.1", "-p", str(port)]
        longest = str(LONGEST)
        limits = ["--websocket-max-message-size", longest, "--websocket-max-frame-size", longest]
        return ["-m", "daphne", *where, *limits, app]
    flags = {"": [], "tls": ["--ssl-keyfile", str(own), "--ssl-certfile", str(own)], "compressed": []}[how]
    compress = str(how == "compressed").lower()
    return ["-m", "uvicorn", "--port", str(port), "--ws-per-message-deflate", compress, *flags, app]


def _environ(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "F1_"))}
    return {**kept, "F1_VAR_DIR": str(folder), **more}


def manage(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR, env=_environ(folder), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def started(arguments: list[str], folder: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server as `command` names it, with its database and its log in that folder."""
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR, env=_environ(folder, **environ), stdin=subprocess.PIPE, stdout=log, stderr=log,
        ) as process,
    ):  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def connected(port: int, taking: int | None = None) -> socket.socket:
    wire = socket.socket()
    try:
        wire.settimeout(20)
        if taking is not None:  # it has to be known when the two sides meet
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, taking)
        wire.connect(("127.0.0.1", port))
    except OSError:
        wire.close()
        raise
    return wire


class Page:
    """A WebSocket client that reads only when it is told to."""

    def __init__(
        self,
        kind: str,
        port: int,
        path: str = "/ws/",
        own: Path | None = None,
        *,
        taking: int | None = None,
        cookie: str = "",
    ) -> None:
        """taking: bytes that its side of the connection takes unread, where the system shall not choose."""
        self.wire = connected(port, taking)
        if kind.endswith("tls"):
            self.wire = ssl.create_default_context(cafile=own).wrap_socket(
                self.wire, server_hostname="127.0.0.1"
            )
        deflate = [ClientPerMessageDeflateFactory()] if kind.endswith("compressed") else []
        uri = parse_uri(f"ws://127.0.0.1:{port}{path}")
        self.protocol = ClientProtocol(uri, extensions=deflate, max_size=None)
        request = self.protocol.connect()
        request.headers["Origin"] = f"http{'s' * kind.endswith('tls')}://127.0.0.1:{port}"
        if cookie:
            request.headers["Cookie"] = cookie
        self.protocol.send_request(request)
        self._flush()
        self._early: list[Frame] = []  # they may come together with the server's yes
        while self.protocol.state.name == "CONNECTING":
            self._early = self._received()
        assert self.protocol.handshake_exc is None, self.protocol.handshake_exc
        assert bool(self.protocol.extensions) == bool(deflate)

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()

    def say(self, text: str) -> None:
        self.protocol.send_text(text.encode())
        self._flush()

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.wire.sendall(data)

    def ended(self) -> int:
        """The code, 1006 where the server just goes; reads until then."""
        # who has told a code may be gone before it has the answer to it
        with suppress(ConnectionError, ssl.SSLError):
            while self.protocol.close_rcvd is None and self.protocol.state.name != "CLOSED":
                self.read()
        return self.protocol.close_rcvd.code if self.protocol.close_rcvd else 1006

    def read(self) -> list[bytes]:
        """The messages that come with the next bytes; [] at the end too, when protocol.eof_sent or closed is true."""
        return [bytes(frame.data) for frame in self.frames() if frame.opcode in (Opcode.TEXT, Opcode.BINARY)]

    def frames(self) -> list[Frame]:
        early, self._early = self._early, []
        return early or self._received()

    def _received(self) -> list[Frame]:
        data = self.wire.recv(1 << 20)
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
        self._flush()
        return [event for event in self.protocol.events_received() if isinstance(event, Frame)]

    def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.wire.sendall(data)
