"""Kafka requests as bytes, true and malformed, without their length in front."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack, unpack_from

from races.streams.proxy.batches import HEAD


def framed(request: bytes) -> bytes:
    """A request as it is sent, with its length in front."""
    return pack(">i", len(request)) + request


def text(value: str | None) -> bytes:
    return pack(">h", -1) if value is None else pack(">h", len(value.encode())) + value.encode()


def varint(value: int) -> bytes:
    left, found = (value << 1) ^ (value >> 63), b""
    while left > 0x7F:
        found += bytes([left & 0x7F | 0x80])
        left >>= 7
    return found + bytes([left])


def header(key: int, version: int, correlation: int = 7) -> bytes:
    return pack(">hhi", key, version, correlation) + text("me")


def record(value: bytes, offset: int = 0, headers: int = 0) -> bytes:
    body = b"\0" + varint(0) + varint(offset) + varint(-1) + varint(len(value)) + value + varint(headers)
    return varint(len(body)) + body


def batch(
    values: list[bytes],
    compress: Callable[[bytes], bytes] = bytes,
    attributes: int = 0,
    count: int | None = None,
) -> bytes:
    """A batch of records. compress and attributes belong together; count: what the batch says instead of the truth."""
    return raw_batch(
        compress(b"".join(record(value, at) for at, value in enumerate(values))),
        len(values) if count is None else count,
        attributes,
    )


def raw_batch(records: bytes, count: int = 1, attributes: int = 0) -> bytes:
    since = b"\0" * 8
    length = HEAD.size - 12 + len(records)
    return HEAD.pack(0, length, -1, 2, 0, attributes, count - 1, since, since, -1, -1, -1, count) + records


BAD_BATCHES = {
    "key beyond the record": raw_batch(b"\x14\0\0\0\x7e" + b"x" * 6),
    "headers beyond the record": raw_batch(record(b"x", headers=60)),
    "garbage": raw_batch(b"\xff" * 20),
    "no gzip": raw_batch(b"no gzip at all", attributes=1),
    "snappy": raw_batch(b"whatever it is", attributes=2),
    "more records than said": batch([b"a", b"b"], count=1),
    "fewer records than said": batch([b"a" * 30, b"b" * 30], count=3),
    "a marker of a transaction": batch([b"a"], attributes=0b11_0000),
    "nothing": b"",
    "a head alone": raw_batch(b"", 0),
}


def produce(topic: str, *batches: bytes, acks: int = 1, version: int = 7) -> bytes:
    """A batch for each partition, from the first one on."""
    partitions = (pack(">ii", at, len(records)) + records for at, records in enumerate(batches))
    rows = pack(">i", 1) + text(topic) + pack(">i", len(batches)) + b"".join(partitions)
    return header(0, version) + text(None) + pack(">hi", acks, 1000) + rows


def produce_error(answer: bytes, topic: str) -> int:
    """The error code of the only partition."""
    return int(unpack_from(">h", answer, 4 + 4 + 2 + len(topic) + 4 + 4)[0])


def fetch(topic: str, version: int = 11, most: int = 2**31 - 1) -> bytes:
    head = pack(">iiiib", -1, 100, 1, most, 0) + (pack(">ii", 0, -1) if version >= 7 else b"")
    epoch, start = pack(">i", -1) if version >= 9 else b"", pack(">q", -1) if version >= 5 else b""
    partition = pack(">i", 0) + epoch + pack(">q", 0) + start + pack(">i", most)
    rows = pack(">i", 1) + text(topic) + pack(">i", 1) + partition
    return (
        header(1, version)
        + head
        + rows
        + (pack(">i", 0) if version >= 7 else b"")
        + text("")[: 2 * (version >= 11)]
    )


def metadata(*topics: str, create: bool = True, version: int = 8) -> bytes:
    names = pack(">i", len(topics)) + b"".join(map(text, topics)) if topics else pack(">i", -1)
    return header(3, version) + names + pack(">bbb", create, 0, 0)[: (version >= 4) + 2 * (version >= 8)]


def join_group(
    version: int = 5,
    count: int | None = None,
    session_ms: int = 6000,
    repeat: int = 1,
    about: bytes = b"meta",
) -> bytes:
    """count: what it says of its protocols' number instead of the truth."""
    rebalance = pack(">i", 1000) if version >= 1 else b""
    static = text(None) if version >= 5 else b""
    one = text("range") + pack(">i", len(about)) + about
    protocols = pack(">i", repeat if count is None else count) + one * repeat
    group = text("group") + pack(">i", session_ms) + rebalance + text("") + static + text("consumer")
    return header(11, version) + group + protocols


def list_offsets(topic: str, version: int = 5) -> bytes:
    epoch = pack(">i", -1) if version >= 4 else b""
    head = pack(">i", -1) + (b"\0" if version >= 2 else b"")
    return (
        header(2, version) + head + pack(">i", 1) + text(topic) + pack(">ii", 1, 0) + epoch + pack(">q", -1)
    )


def producer(version: int = 1) -> bytes:
    return header(22, version) + text(None) + pack(">i", 1000)


def commit(topic: str, version: int = 7, group: str = "group") -> bytes:
    member = text(group) + pack(">i", -1) + text("") + (text(None) if version >= 7 else b"")
    kept = pack(">q", -1) if version <= 4 else b""
    epoch = pack(">i", -1) if version >= 6 else b""
    row = pack(">iq", 0, 5) + epoch + text("note")
    return header(8, version) + member + kept + pack(">i", 1) + text(topic) + pack(">i", 1) + row


def true_requests(topic: str) -> list[bytes]:
    """One or more of each kind that the proxy lets through, in every version."""
    topics = pack(">i", 1) + text(topic) + pack(">ii", 1, 0)
    member = text("group") + pack(">i", 1) + text("member")
    transaction = text("transaction") + pack(">qh", 1, 0)
    return [
        *(produce(topic, batch([b"value"]), version=version) for version in range(3, 9)),
        *(fetch(topic, version) for version in range(4, 12)),
        *(list_offsets(topic, version) for version in range(1, 6)),
        *(metadata(topic, version=version) for version in range(9)),
        *(commit(topic, version) for version in range(2, 8)),
        *(header(9, version) + text("group") + topics for version in range(1, 6)),
        *(header(10, version) + text("group") + b"\0"[: int(version >= 1)] for version in range(3)),
        *(join_group(version) for version in range(6)),
        *(header(12, version) + member + (text(None) if version >= 3 else b"") for version in range(4)),
        *(header(13, version) + text("group") + text("member") for version in range(3)),
        *(
            header(14, version) + member + (text(None) if version >= 3 else b"") + pack(">i", 0)
            for version in range(4)
        ),
        *(header(18, version) for version in range(4)),
        *(producer(version) for version in range(2)),
        header(23, 2) + topics + pack(">ii", 0, 0),
        *(header(24, version) + transaction + topics for version in range(2)),
        *(header(25, version) + transaction + text("group") for version in range(2)),
        *(header(26, version) + transaction + b"\1" for version in range(2)),
        *(
            header(28, version)
            + text("transaction")
            + text("group")
            + pack(">qh", 1, 0)
            + topics
            + pack(">q", 1)
            + (pack(">i", 0) if version >= 2 else b"")
            + text(None)
            for version in range(3)
        ),
    ]
