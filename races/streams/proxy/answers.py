"""The embedded broker's answers that name its address: rewritten for the client who asked."""

from __future__ import annotations

from struct import pack

from races.streams.proxy.requests import FIND_COORDINATOR, METADATA, Request

NAMING = frozenset({METADATA, FIND_COORDINATOR})  # requests whose answers name the broker's address
Address = tuple[str, int]


class _Answer:
    """Reads an answer of the broker, whose bytes can be trusted, and copies it with other addresses."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._copied = data, 0, b""

    def keep(self, size: int) -> bytes:
        kept = self._data[self._at : self._at + size]
        self._at += size
        self._copied += kept
        return kept

    def number(self, size: int) -> int:
        return int.from_bytes(self.keep(size), "big", signed=True)

    def text(self) -> None:
        self.keep(max(0, self.number(2)))

    def address(self, address: Address) -> None:
        """Puts an address in the place of the broker's own; where the broker names none, none is named."""
        size = int.from_bytes(self._data[self._at : self._at + 2], "big", signed=True)
        if size < 0:
            self.keep(6)
            return
        self._at += 2 + size + 4
        host = address[0].encode()
        self._copied += pack(">h", len(host)) + host + pack(">i", address[1])

    def end(self) -> bytes:
        return self._copied + self._data[self._at :]


def rewritten(request: Request, body: bytes, address: Address) -> bytes:
    """Returns the body of an answer, which follows the correlation id, with the address where the client reached
    the proxy.
    """
    if request.instead:
        return request.instead
    answer = _Answer(body)
    if request.key == FIND_COORDINATOR:
        answer.keep((4 if request.version >= 1 else 0) + 2)
        if request.version >= 1:
            answer.text()
        answer.keep(4)
        answer.address(address)
    else:
        answer.keep(4 if request.version >= 3 else 0)
        for _ in range(answer.number(4)):
            answer.keep(4)
            answer.address(address)
            if request.version >= 1:
                answer.text()
    return answer.end()
