"""WebSocket frames that no page sends, as bytes; and what has to become of whoever sends them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from hypothesis import strategies as st

from races.live.servers.frames import LONGEST
from tests.fakes.fuzzing import MARKUP

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, MASKED = 0x80, 0x80
MASK = b"mask"
ACK = re.compile(rb"ack [0-9]{1,12}")
AT_ONCE, TOO_MANY = 10, 40  # acknowledgements: so many are always taken, so many never


class End(Enum):
    OPEN = auto()
    CLOSED = auto()
    EITHER = auto()  # the server may wait for the rest, or see already that it won't be good


@dataclass(frozen=True, slots=True)
class Frame:
    first: int  # FIN, three reserved bits, opcode
    masked: bool
    shortest: bool  # its length is in the shortest form
    length: int
    payload: bytes  # shorter where the rest has not come

    @property
    def opcode(self) -> int:
        return self.first & 0x0F

    @property
    def final(self) -> bool:
        return bool(self.first & FIN)

    @property
    def complete(self) -> bool:
        return len(self.payload) == self.length

    @property
    def legal(self) -> bool:
        control = self.opcode >= CLOSE
        known = self.opcode in (CONT, TEXT, BINARY, CLOSE, PING, PONG)
        fits = self.length <= 125 and self.final if control else self.length <= LONGEST
        return known and fits and self.masked and not self.first & 0x70


def masked(payload: bytes) -> bytes:
    return bytes(byte ^ MASK[n % 4] for n, byte in enumerate(payload))


def packed(first: int, payload: bytes, *, mask: bool = True, form: int = 0, told: int | None = None) -> bytes:
    """form: 126 or 127 for a longer form than the length needs. told: another length than the payload's."""
    length = len(payload) if told is None else told
    form = max(form, 127 if length > 0xFFFF else 126 if length > 125 else 0)
    size = {0: length, 126: 126, 127: 127}[form]
    longer = {0: b"", 126: length.to_bytes(8, "big")[-2:], 127: length.to_bytes(8, "big")}[form]
    head = bytes((first, MASKED * mask | size)) + longer
    return head + (MASK + masked(payload) if mask else payload)


def frames(said: bytes) -> Iterator[Frame | None]:
    """None for a head that has not come as a whole."""
    while said:
        wide = {126: 2, 127: 8}.get(said[1] & 0x7F, 0) if len(said) > 1 else 0
        mask = 4 if len(said) > 1 and said[1] & MASKED else 0
        begin = 2 + wide + mask
        if len(said) < begin:
            yield None
            return
        length = int.from_bytes(said[2 : 2 + wide], "big") if wide else said[1] & 0x7F
        payload = said[begin : begin + length]
        shortest = length > {0: -1, 2: 125, 8: 0xFFFF}[wide]
        yield Frame(said[0], bool(mask), shortest, length, unmasked(payload, said[begin - mask : begin]))
        said = said[begin + length :]


def unmasked(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload)) if mask else payload


def end_of(said: bytes) -> End:
    """By RFC 6455, sections 5 and 7, and by our own rule: acknowledgements only."""
    begun, opcode, acks = b"", CONT, 0
    for frame in frames(said):
        if frame is None or not frame.complete:
            huge = frame is not None and frame.opcode in (TEXT, BINARY) and frame.length > LONGEST
            return End.CLOSED if huge and frame is not None and frame.masked else End.EITHER
        if not frame.legal or frame.opcode == CLOSE or not _follows(frame, opcode):
            return End.CLOSED
        if not frame.shortest:
            return End.EITHER
        if frame.opcode in (PING, PONG):
            continue
        begun, opcode = begun + frame.payload, frame.opcode or opcode
        if len(begun) > LONGEST:
            return End.CLOSED
        if frame.final:
            if opcode == BINARY or not ACK.fullmatch(begun):
                return End.CLOSED
            begun, opcode, acks = b"", CONT, acks + 1
    return _of_whole(acks) if opcode == CONT else End.EITHER


def _follows(frame: Frame, opcode: int) -> bool:
    """Whether it may come now. opcode: of the message that has begun, CONT where none has."""
    return frame.opcode > BINARY or (frame.opcode == CONT) == (opcode != CONT)


def _of_whole(acks: int) -> End:
    if acks >= TOO_MANY:
        return End.CLOSED
    return End.OPEN if acks <= AT_ONCE else End.EITHER


@dataclass(frozen=True, slots=True)
class Said:
    """What one client sends: in two pieces where cut is inside of it; eager: before the server has said yes;
    leaves: without waiting for what becomes of it.
    """

    data: bytes
    cut: int
    eager: bool
    leaves: bool

    @property
    def end(self) -> End:
        return End.EITHER if self.eager or self.leaves else end_of(self.data)


ACKS = st.integers(0, 10**12 - 1).map(lambda tick: b"ack %d" % tick)
ALMOST = st.sampled_from(
    (b"", b"ack", b"ack ", b"ack x", b"ack -1", b" ack 1", b"ack 1 ", b"ack 1\n", b"ack 1\0", b"Ack 1", b"ack 1.0",
     "ack \u0661".encode(), b"ack 1e3", b"ack " + b"9" * 13, b"ack " + b"9" * 5000, b"\xef\xbb\xbfack 1")
)  # fmt: skip
BAD_TEXT = st.sampled_from(
    (b"\xff", b"ack \xc0\xb1", b"\xed\xa0\x80", b"ack 1\xf0\x9f", b"\xf4\x90\x80\x80", b"\x80")
)
LONG = st.sampled_from((124, 125, 126, 127, 4000, LONGEST - 1, LONGEST, LONGEST + 1, 90_000)).map(
    lambda n: b"a" * n
)
CODES = st.sampled_from(
    (0, 999, 1000, 1001, 1004, 1005, 1006, 1012, 1015, 2999, 3000, 4400, 4999, 5000, 65535)
)
CLOSING = st.builds(
    lambda code, why: code.to_bytes(2, "big") + why, CODES, st.sampled_from((b"", b"bye", b"\xff"))
)
ANY_TEXT = st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass"))
HOSTILE_TEXT = st.sampled_from(MARKUP).map(str.encode)
PAYLOADS = st.one_of(ACKS, ALMOST, BAD_TEXT, CLOSING, LONG, st.binary(max_size=20), ANY_TEXT, HOSTILE_TEXT)
LENGTHS = st.sampled_from(
    (0, 1, 5, 125, 126, 0xFFFF, 0x10000, 0x10001, 2**31, 2**32 + 6, 2**63 - 1, 2**63, 2**64 - 1)
)
ANY = st.builds(
    packed, st.integers(0, 255), PAYLOADS,
    mask=st.booleans(), form=st.sampled_from((0, 0, 126, 127)), told=st.none() | LENGTHS,
)  # fmt: skip
USUAL = st.sampled_from(
    (FIN | TEXT, FIN | TEXT, FIN | TEXT, FIN | BINARY, TEXT, BINARY, CONT, FIN | CONT, FIN | CLOSE)
)
PROPER = st.builds(packed, USUAL, PAYLOADS)  # each in itself; not what it says, or where it stands
GOOD = st.builds(packed, st.just(FIN | TEXT), ACKS) | st.builds(
    packed, st.sampled_from((FIN | PING, FIN | PONG)), st.binary(max_size=125)
)
PIECES = ACKS.map(lambda ack: packed(TEXT, ack[:2]) + packed(FIN | PING, b"?") + packed(FIN | CONT, ack[2:]))
FLOOD = st.integers(TOO_MANY, 90).map(lambda n: packed(FIN | TEXT, b"ack 1") * n)
DATA = st.one_of(
    st.lists(st.one_of(ANY, PROPER, GOOD, PIECES), min_size=1, max_size=5).map(b"".join),
    st.builds(bytes.__add__, st.lists(GOOD, max_size=3).map(b"".join), PROPER),
    st.lists(GOOD | PIECES, min_size=1, max_size=5).map(b"".join),
    ANY, PROPER, FLOOD, st.binary(min_size=1, max_size=60),
)  # fmt: skip
RARELY = st.sampled_from((False, False, False, False, False, True))
SAID = st.builds(Said, DATA, st.integers(0, 60), RARELY, RARELY)
