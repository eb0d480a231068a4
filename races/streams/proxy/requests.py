"""Kafka requests that may reach the embedded broker: parsed whole, and refused where they are malformed.

librdkafka's mock cluster trusts its clients. A negative count, a stack of long topic names or a fetch without a limit
ends its process. So each request is held against its layout here, with bounds on what it asks for. Only versions
without tagged fields are offered (Kafka's protocol guide calls the others flexible): clients choose the newest version
that both sides know, and Kafka's own clients of 4.x still know these.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from struct import pack, unpack_from

from races.streams.proxy.batches import WEIGHT_LIMIT, BadBatch, check_batch
from races.streams.proxy.groups import GroupRequest, Heartbeat, Join, Leave, Sync

PRODUCE, FETCH, METADATA, FIND_COORDINATOR, API_VERSIONS = 0, 1, 3, 10, 18
UNSUPPORTED_VERSION = 35
FRAME_LIMIT = 2 * 1024 * 1024  # Kafka takes batches of 1 MiB
SMALL_LIMIT = 256 * 1024  # of every request but Produce; topic names are copied to a stack of 8 MiB
FETCH_BYTES = 1024 * 1024  # of an answer, and one batch beyond it
FETCH_WAIT_MS = 30_000
PARTITIONS = 2000  # in one request
TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
ASSIGNORS, METADATA_BYTES = 20, 64 * 1024  # of one member of a group
SESSION_MS = range(1, 30 * 60 * 1000 + 1)


class Refused(Exception):
    """The request is malformed or asks for too much. The message is for the log."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may pass. frame: what the broker gets, without its length. key and version are the client's own.
    keeps: what the cluster would keep of it for ever, by kind and name. answered: whether the client expects an
    answer. instead: the answer's body where it is known without the broker, who is asked for something harmless then,
    so that answers keep their order. group: what the proxy itself answers.
    """

    key: int
    version: int
    frame: bytes
    keeps: frozenset[tuple[str, str]] = frozenset()
    answered: bool = True
    instead: bytes = b""
    group: GroupRequest | None = None


class Body:
    """Reads a request from its beginning. Every method raises Refused where the bytes do not fit."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.partitions = data, 0, 0
        self.name = ""  # of the topic whose partitions are read
        self.keeps: set[tuple[str, str]] = set()
        self.answered, self.instead = True, b""
        self.group: GroupRequest | None = None

    def _take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.data) - self.at:
            raise Refused(f"a length of {size} where {len(self.data) - self.at} bytes are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int, allowed: range | None = None) -> int:
        """Reads a signed number of so many bytes, within the range where there is one."""
        value = int.from_bytes(self._take(size), "big", signed=True)
        if allowed is not None and value not in allowed:
            raise Refused(f"{value} where {allowed.start} to {allowed.stop - 1} is allowed")
        return value

    def text(self, null: bool = False) -> str | None:
        size = self.number(2)
        if size == -1 and null:
            return None
        try:
            return self._take(size).decode()
        except UnicodeDecodeError:
            raise Refused("a text that is not UTF-8") from None

    def topic(self) -> str:
        name = self.text() or ""
        if TOPIC.fullmatch(name) is None:
            raise Refused(f"{name[:40]!r} as a topic's name")
        return name

    def packed(self) -> bytes:
        return self._take(self.number(4))

    def each(self, item: Callable[[], object], null: bool = False) -> None:
        """Reads an array. No item is smaller than a byte, so that the bytes that are left bound it."""
        count = self.number(4)
        if count == -1 and null:
            return
        if not 0 <= count <= len(self.data) - self.at:
            raise Refused(f"an array of {count} items in {len(self.data) - self.at} bytes")
        for _ in range(count):
            item()

    def topics(self, partition: Callable[[], object]) -> None:
        """Reads topics with their partitions, of which one request may name so many."""

        def one() -> None:
            self.partitions += 1
            if self.partitions > PARTITIONS:
                raise Refused(f"more than {PARTITIONS} partitions in one request")
            partition()

        def topic() -> None:
            self.name = self.topic()
            self.each(one)

        self.each(topic)

    def pairs(self) -> list[tuple[str, bytes]]:
        """Reads names with bytes: the assignors of a member, or the members' assignments."""
        found: list[tuple[str, bytes]] = []
        self.each(lambda: found.append((self.text() or "", self.packed())))
        return found


def _produce(body: Body, version: int) -> None:
    """Checks the batches as well. Where one is bad, none is written, and the client gets its error for all of them."""
    errors, partitions, weight = [0], [], 0

    def partition() -> None:
        nonlocal weight
        partitions.append((body.name, body.number(4)))
        try:
            weight += check_batch(body.packed(), WEIGHT_LIMIT - weight)
        except BadBatch as bad:
            errors.append(bad.args[0])

    body.text(null=True)
    body.answered = body.number(2, range(-1, 2)) != 0
    body.number(4)
    body.topics(partition)
    if max(errors):
        body.instead = _produce_answer(partitions, max(errors), version)


def _produce_answer(partitions: list[tuple[str, int]], error: int, version: int) -> bytes:
    """Says the same error for every partition, each under its topic."""
    rows = []
    for topic, partition in partitions:
        name = topic.encode()
        logged = pack(">q", -1) if version >= 5 else b""
        details = pack(">ih", 0, -1) if version >= 8 else b""
        row = pack(">iihqq", 1, partition, error, -1, -1) + logged + details
        rows.append(pack(">h", len(name)) + name + row)
    return pack(">i", len(rows)) + b"".join(rows) + pack(">i", 0)


def _fetch(body: Body, version: int) -> None:
    body.number(4)
    _clamp(body, FETCH_WAIT_MS)
    body.number(4)
    _clamp(body, FETCH_BYTES)
    body.number(1)
    if version >= 7:
        body.number(8)
    size = 4 + (4 if version >= 9 else 0) + 8 + (8 if version >= 5 else 0) + 4
    body.topics(lambda: body.number(size))
    if version >= 7:
        body.topics(lambda: body.number(4))
    if version >= 11:
        body.text(null=True)


def _clamp(body: Body, most: int) -> None:
    """Writes the limit over a number that is beyond it: some clients ask for 2 GB and mean no more than no limit."""
    value = body.number(4)
    if not 0 <= value <= most:
        body.data = body.data[: body.at - 4] + most.to_bytes(4, "big") + body.data[body.at :]


def _list_offsets(body: Body, version: int) -> None:
    body.number(4)
    if version >= 2:
        body.number(1)
    body.topics(lambda: body.number(16 if version >= 4 else 12))


def _metadata(body: Body, version: int) -> None:
    body.each(lambda: body.keeps.add(("topics", body.topic())), null=version >= 1)
    if version >= 4 and not body.number(1):
        body.keeps.clear()
    if version >= 8:
        body.number(2)


def _offset_commit(body: Body, version: int) -> None:
    body.keeps.add(("groups", body.text() or ""))
    body.number(4)
    body.text()
    if version >= 7:
        body.text(null=True)
    if version <= 4:
        body.number(8)
    body.topics(lambda: (body.number(16 if version >= 6 else 12), body.text(null=True)))


def _offset_fetch(body: Body, version: int) -> None:
    body.text()
    body.topics(lambda: body.number(4))


def _find_coordinator(body: Body, version: int) -> None:
    body.text()
    if version >= 1:
        body.number(1, range(2))


def _join_group(body: Body, version: int) -> None:
    group, session_ms = body.text() or "", body.number(4, SESSION_MS)
    rebalance_ms = body.number(4, SESSION_MS) if version >= 1 else session_ms
    member = body.text() or ""
    instance = body.text(null=True) if version >= 5 else None
    body.text()
    protocols = body.pairs()
    if len(protocols) > ASSIGNORS or sum(len(data) for _, data in protocols) > METADATA_BYTES:
        raise Refused(f"a member of a group with {len(protocols)} assignors or too much about itself")
    body.group = Join(group, member, session_ms / 1000, rebalance_ms / 1000, instance, protocols)


def _sync_group(body: Body, version: int) -> None:
    group, generation, member = body.text() or "", body.number(4), body.text() or ""
    if version >= 3:
        body.text(null=True)
    body.group = Sync(group, generation, member, body.pairs())


def _heartbeat(body: Body, version: int) -> None:
    body.group = Heartbeat(body.text() or "", body.number(4), body.text() or "")
    if version >= 3:
        body.text(null=True)


def _leave_group(body: Body, version: int) -> None:
    body.group = Leave(body.text() or "", body.text() or "")


def _new_producer(body: Body, version: int) -> None:
    body.keeps.add(("producers", body.text(null=True) or uuid.uuid4().hex))
    body.number(4)


def _transactional_offsets(body: Body, version: int) -> None:
    body.text()
    body.keeps.add(("groups", body.text() or ""))
    body.number(10)
    body.topics(lambda: (body.number(16 if version >= 2 else 12), body.text(null=True)))


def _leader_epochs(body: Body, version: int) -> None:
    body.topics(lambda: body.number(12))


def _added_partitions(body: Body, version: int) -> None:
    body.text()
    body.number(10)
    body.topics(lambda: body.number(4))


LAYOUTS: dict[int, tuple[range, Callable[[Body, int], object]]] = {
    PRODUCE: (range(3, 9), _produce),
    FETCH: (range(4, 12), _fetch),
    2: (range(1, 6), _list_offsets),
    METADATA: (range(9), _metadata),
    8: (range(2, 8), _offset_commit),
    9: (range(1, 6), _offset_fetch),
    FIND_COORDINATOR: (range(3), _find_coordinator),
    11: (range(6), _join_group),
    12: (range(4), _heartbeat),
    13: (range(3), _leave_group),
    14: (range(4), _sync_group),
    API_VERSIONS: (range(3), lambda body, version: None),
    22: (range(2), _new_producer),
    23: (range(2, 3), _leader_epochs),
    24: (range(2), _added_partitions),
    25: (range(2), lambda body, version: (body.text(), body.number(10), body.text())),
    26: (range(2), lambda body, version: (body.text(), body.number(10), body.number(1))),
    28: (range(3), _transactional_offsets),
}
"""By API key: the versions that are offered, and what reads their body. Groups by Kafka's newer protocol, share groups
and telemetry are not offered: the mock cluster asserts what their clients send.
"""


def inspect(frame: bytes) -> Request:
    """Checks a request as it came, without its length. Raises Refused."""
    if len(frame) < 10:
        raise Refused(f"a request of {len(frame)} bytes")
    key, version, correlation = unpack_from(">hhi", frame)
    harmless = pack(">hhih", API_VERSIONS, 0, correlation, -1)
    if key not in LAYOUTS:
        raise Refused(f"API key {key}, which is not offered")
    versions, layout = LAYOUTS[key]
    if key == API_VERSIONS:
        return Request(key, version, harmless, instead=_versions(version))
    if version not in versions:
        raise Refused(f"API key {key} in version {version}; {versions[0]} to {versions[-1]} are offered")
    if key != PRODUCE and len(frame) > SMALL_LIMIT:
        raise Refused(f"a request of {len(frame)} bytes with API key {key}")
    body = Body(frame)
    body.at = 8
    body.text(null=True)  # the client's id
    layout(body, version)
    if body.at != len(body.data):
        raise Refused(f"{len(body.data) - body.at} bytes after a request with API key {key}")
    sent = harmless if body.instead or body.group else body.data
    return Request(key, version, sent, frozenset(body.keeps), body.answered, body.instead, body.group)


def _versions(version: int) -> bytes:
    """Returns what the proxy offers. A client that asks in a newer way gets the oldest answer and error 35, as from a
    broker of before, and asks again.
    """
    known = version in LAYOUTS[API_VERSIONS][0]
    rows = b"".join(
        pack(">hhh", key, offered[0], offered[-1]) for key, (offered, _) in sorted(LAYOUTS.items())
    )
    body = pack(">hi", 0 if known else UNSUPPORTED_VERSION, len(LAYOUTS)) + rows
    return body + (pack(">i", 0) if known and version >= 1 else b"")
