"""Record batches that a client produces, checked to their last byte.

A real broker refuses a batch that is not what it says. The mock cluster keeps whatever comes, and a consumer that meets
a bad one stands there for ever and takes nothing behind it: no page and no recorder would get another record.
"""

from __future__ import annotations

import zlib
from struct import Struct

INVALID_RECORD, UNSUPPORTED_COMPRESSION, UNSUPPORTED_FORMAT, TOO_LARGE = 87, 76, 43, 10  # Kafka's error codes
HEAD = Struct(">qiibIHi8s8sqhii")  # offset, length, epoch, magic, checksum, attributes, last offset, …, count
COMPRESSION, GZIP, CONTROL = 0b111, 1, 0b10_0000
GZIP_WINDOW = 31  # zlib's word for a gzip header
RECORD_LEAST = 7  # bytes
RECORD_WEIGHT = 100  # looking at one takes as long as some bytes
WEIGHT_LIMIT = 4 * 1024 * 1024  # of what one request unpacks to


class BadBatch(Exception):
    """Its argument is Kafka's error code for the client."""


def check_batch(batch: bytes, room: int) -> int:
    """Returns what the batch weighs, which is at most the room. Raises BadBatch."""
    if len(batch) < HEAD.size:
        raise BadBatch(INVALID_RECORD)
    _, length, _, magic, _, attributes, last, *_, count = HEAD.unpack_from(batch)
    if magic != 2:
        raise BadBatch(UNSUPPORTED_FORMAT)
    records = _unpacked(batch[HEAD.size :], attributes & COMPRESSION, room)
    weight: int = len(records) + RECORD_WEIGHT * count
    fits = length == len(batch) - 12 and last == count - 1 and not attributes & CONTROL
    if not fits or not 1 <= count <= len(records) // RECORD_LEAST:
        raise BadBatch(INVALID_RECORD)
    if weight > room:
        raise BadBatch(TOO_LARGE)
    try:
        _check_records(records, count)
    except IndexError:
        raise BadBatch(INVALID_RECORD) from None
    return weight


def _unpacked(records: bytes, compression: int, room: int) -> bytes:
    if not compression:
        return records
    if compression != GZIP:
        raise BadBatch(UNSUPPORTED_COMPRESSION)
    unpacking = zlib.decompressobj(GZIP_WINDOW)
    try:
        found = unpacking.decompress(records, room + 1)  # 0 would be no limit
    except zlib.error:
        raise BadBatch(INVALID_RECORD) from None
    if len(found) > room:
        raise BadBatch(TOO_LARGE)
    if not unpacking.eof or unpacking.unused_data:
        raise BadBatch(INVALID_RECORD)
    return found


def _check_records(data: bytes, count: int) -> None:
    """Raises BadBatch, IndexError."""
    at = 0
    for offset in range(count):
        size, at = varint(data, at)
        end = at + size
        _, at = varint(data, at + 1)  # behind the attributes: the time since the first record's
        delta, at = varint(data, at)
        at = _text(data, _text(data, at))  # key and value
        headers, at = varint(data, at)
        if size < 0 or end > len(data) or delta != offset or not 0 <= headers <= size:
            raise BadBatch(INVALID_RECORD)
        for _ in range(headers):
            at = _text(data, _text(data, at, null=False))
        if at != end:
            raise BadBatch(INVALID_RECORD)
    if at != len(data):
        raise BadBatch(INVALID_RECORD)


def _text(data: bytes, at: int, null: bool = True) -> int:
    """Returns where a text with its length ends. Raises BadBatch, IndexError."""
    size, at = varint(data, at)
    if size < (-1 if null else 0) or size > len(data) - at:
        raise BadBatch(INVALID_RECORD)
    return at + max(0, size)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Reads a zigzag number of at most ten bytes, and where it ends. Raises BadBatch, IndexError."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
    raise BadBatch(INVALID_RECORD)
