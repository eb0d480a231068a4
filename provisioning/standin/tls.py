"""TLS and keys in front of the stand-in, as the real service has them: a certificate, and a Kafka behind SASL_SSL.

The embedded Kafka speaks plain text and asks for no key. A listener before it does both: it takes TLS connections,
checks the key (SASL PLAIN), passes everything on, and gives its own port wherever the broker names its own.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
METADATA, FIND_COORDINATOR, HANDSHAKE, API_VERSIONS, AUTHENTICATE = 3, 10, 17, 18, 36
SASL = (HANDSHAKE, AUTHENTICATE)
LONGEST_FRAME = 100 * 1024 * 1024


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Makes (file to trust, the server's context): one certificate for 127.0.0.1, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()  # in the name too: OpenSSL looks for an issuer by its name
    called = f"F1 lab's stand-in {serial % 10**9}"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName("localhost")]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / "stand-in-ca.pem", folder / "stand-in-key.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    private.unlink()
    return trusted, context


class KafkaListener:
    """accepts: whether a key and its secret open this Kafka. upstream: host:port of the plain one."""

    def __init__(self, upstream: str, context: ssl.SSLContext, accepts: Callable[[str, str], bool]) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream, self._context, self._accepts = (host, int(port)), context, accepts
        self._listening = socket.create_server((HOST, 0))
        self._port = int(self._listening.getsockname()[1])
        self.bootstrap = f"{HOST}:{self._port}"
        self._theirs = HOST.encode() + struct.pack(">i", int(port))
        self._ours = HOST.encode() + struct.pack(">i", self._port)
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _listen(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        """Serves one connection: until a key was accepted, only versions and the handshake pass."""
        with (
            suppress(OSError, ValueError, struct.error),
            self._context.wrap_socket(plain, server_side=True) as client,
            socket.create_connection(self._upstream) as broker,
        ):
            asked: dict[int, tuple[int, int]] = {}
            lock = threading.Lock()
            threading.Thread(target=self._answers, args=(broker, client, asked, lock), daemon=True).start()
            self._authenticate(client, broker, asked, lock)
            while True:
                frame = _frame(client)
                kind, version, correlation = struct.unpack(">hhi", frame[:8])
                if kind in (METADATA, FIND_COORDINATOR, API_VERSIONS):
                    asked[correlation] = (kind, version)
                _send(broker, frame)

    def _answers(
        self,
        broker: socket.socket,
        client: ssl.SSLSocket,
        asked: dict[int, tuple[int, int]],
        lock: threading.Lock,
    ) -> None:
        with suppress(OSError, ValueError, struct.error):
            while True:
                frame = _frame(broker)
                correlation = struct.unpack(">i", frame[:4])[0]
                kind, version = asked.pop(correlation, (-1, 0))
                if kind == API_VERSIONS:
                    frame = _with_authentication(frame, version)
                elif kind >= 0:
                    frame = frame.replace(self._theirs, self._ours)
                with lock:
                    _send(client, frame)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _authenticate(
        self,
        client: ssl.SSLSocket,
        broker: socket.socket,
        asked: dict[int, tuple[int, int]],
        lock: threading.Lock,
    ) -> None:
        """Raises ValueError for a key that does not open it; the connection then ends, as on the service."""
        while True:
            frame = _frame(client)
            kind, version, correlation = struct.unpack(">hhi", frame[:8])
            if kind == API_VERSIONS:
                asked[correlation] = (kind, version)
                _send(broker, frame)
            elif kind == HANDSHAKE:
                with lock:
                    _send(client, struct.pack(">ihi", correlation, 0, 1) + struct.pack(">h", 5) + b"PLAIN")
            elif kind == AUTHENTICATE:
                opens = self._opens(_token(frame))
                said = b"" if opens else b"Invalid username or password"
                body = struct.pack(">ihh", correlation, 0 if opens else 58, len(said)) + said
                body += struct.pack(">i", 0) + (struct.pack(">q", 0) if version >= 1 else b"")
                with lock:
                    _send(client, body)
                if opens:
                    return
                raise ValueError
            else:  # an older client sends its token bare
                if not self._opens(frame):
                    raise ValueError
                with lock:
                    _send(client, b"")
                return

    def _opens(self, token: bytes) -> bool:
        _, user, password = [*token.split(b"\0"), b"", b""][:3]
        return self._accepts(user.decode("utf-8", "replace"), password.decode("utf-8", "replace"))


def _with_authentication(frame: bytes, version: int) -> bytes:
    """Adds the two calls of SASL to the broker's list. From version 3 on the list is in Kafka's compact form."""
    if struct.unpack(">h", frame[4:6])[0] != 0:  # it takes an older version only
        return frame
    if version >= 3:
        count, added = frame[6], b"".join(struct.pack(">hhhB", kind, 0, 1, 0) for kind in SASL)
        return frame[:6] + bytes([count + len(SASL)]) + added + frame[7:]
    (number,) = struct.unpack(">i", frame[6:10])
    added = b"".join(struct.pack(">hhh", kind, 0, 1) for kind in SASL)
    return frame[:6] + struct.pack(">i", number + len(SASL)) + added + frame[10:]


def _token(frame: bytes) -> bytes:
    """The token of a SaslAuthenticate request, version 0 or 1. It stands behind the header's client id."""
    (length,) = struct.unpack(">h", frame[8:10])
    start = 10 + max(0, length)
    (size,) = struct.unpack(">i", frame[start : start + 4])
    return frame[start + 4 : start + 4 + size]


def _frame(connection: socket.socket) -> bytes:
    (size,) = struct.unpack(">i", _exactly(connection, 4))
    if not 0 <= size <= LONGEST_FRAME:
        raise ValueError(size)
    return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = connection.recv(min(65_536, size - len(found)))
        if not part:
            raise ValueError("closed")
        found += part
    return bytes(found)


def _send(connection: socket.socket, frame: bytes) -> None:
    connection.sendall(struct.pack(">i", len(frame)) + frame)
