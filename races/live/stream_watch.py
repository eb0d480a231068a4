"""Watches the topics while somebody looks at the page of the stream, and only then: a race without such a page has no
reader, no thread and no memory for it.

One thread reads all topics from their newest records on. It ends some seconds after the last look."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from races.streams import connection
from races.streams.codec import Codec
from races.streams.connection import Connection
from races.streams.consumer import Message
from races.streams.errors import BadRecord, RegistryUnavailable, StreamError
from races.streams.topics import ROLES

log = logging.getLogger(__name__)
IDLE_S = 15.0  # after the last look
SPAN_S = 60
KEPT, KEPT_BYTES = 3000, 4 * 1024 * 1024  # of each topic
SEED, ROWS, TEXT = 200, 200, 2000
POLL_S = 0.2
JOBS = (
    ("average speed", ("positions",), "avg_speed"),
    ("commentary", ("positions", "race_control"), "commentary"),
    ("anomalies", ("car_metrics",), "car_metrics_anomalies"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One record in the list; text is what it holds, or why it cannot be decoded. at: seconds since the race began."""

    partition: int
    offset: int
    key: str
    event_ms: int
    text: str
    bad: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A topic or a job with its records a second: now, and in each of the last 60 seconds that the watch has seen.

    event_ms: the newest event time; behind_s: how far that is behind the clock on the wall."""

    name: str
    role: str
    rate: float
    seconds: tuple[int, ...]
    into: float | None = None
    event_ms: int = 0
    behind_s: float | None = None

    @property
    def points(self) -> str:
        """The points of a line in a box of 60 by 20, which ends at its right edge."""
        most, first = max((1, *self.seconds)), SPAN_S - len(self.seconds)
        return " ".join(f"{first + x},{20 - 19 * count / most:.1f}" for x, count in enumerate(self.seconds))


@dataclass(frozen=True, slots=True)
class StreamNow:
    """What the page shows at this instant. kept: records of the race held here; state: how it reads."""

    topics: dict[str, Node]
    jobs: tuple[Node, ...]
    rows: tuple[Row, ...]
    kept: int
    state: str


@dataclass(slots=True)
class _Topic:
    """The newest records of a topic, and how many came in each second. since: the second in which the reading began."""

    since: int
    messages: deque[Message] = field(default_factory=deque)
    bytes: int = 0
    seen: set[tuple[int, int]] = field(default_factory=set)
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, message: Message) -> bool:
        place = message.partition, message.offset
        if place in self.seen:
            return False
        self.seen.add(place)
        self.messages.append(message)
        self.bytes += message.size
        while len(self.messages) > KEPT or self.bytes > KEPT_BYTES:
            old = self.messages.popleft()
            self.bytes -= old.size
            self.seen.discard((old.partition, old.offset))
        return True

    def count(self, second: int) -> None:
        self.counts[second] = self.counts.get(second, 0) + 1
        for old in [one for one in self.counts if one < second - SPAN_S]:
            del self.counts[old]

    def node(self, name: str, role: str, now: int, wall_ms: int) -> Node:
        first = max(now - SPAN_S, self.since + 1)
        seconds = tuple(self.counts.get(second, 0) for second in range(first, now))
        newest = max((message.timestamp_ms for message in self.messages), default=0)
        behind = round(max(wall_ms - newest, 0) / 1000, 1) if newest else None
        return Node(name, role, sum(seconds[-5:]) / max(len(seconds[-5:]), 1), seconds, None, newest, behind)


class StreamWatch:
    """kafka: the way to Kafka, asked for at each start. Thread-safe."""

    def __init__(
        self,
        kafka: Callable[[], Connection],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._kafka, self._clock, self._wall = kafka, clock, wall
        self._lock = threading.Lock()
        self._topics: dict[str, _Topic] = {}
        self._looked_at = 0.0
        self._thread: threading.Thread | None = None
        self._state = ""

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def look(self, race_id: str, role: str, find: str, engine: str) -> StreamNow:
        """Shows a race's newest records of a topic, newest first, and starts the reading. find: text in a record.

        Raises NoKafka, BrokerUnavailable.
        """
        kafka = self._kafka()
        with self._lock:
            self._looked_at = self._clock()
            if not self.running:
                self._topics = {role: _Topic(int(self._looked_at)) for role in ROLES}
                self._state = "Connecting to the topics."
                self._thread = threading.Thread(
                    target=self._read, args=(kafka,), name="stream watch", daemon=True
                )
                self._thread.start()
            now, names, wall_ms = int(self._clock()), kafka.settings.topic, round(self._wall() * 1000)
            topics = {one: topic.node(names(one), one, now, wall_ms) for one, topic in self._topics.items()}
            kept = [message for message in self._topics[role].messages if _is_of(race_id, message)]
            state = self._state
        jobs = tuple(
            Node(
                f"{name}, {engine}",
                out,
                topics[out].rate,
                topics[out].seconds,
                sum(topics[one].rate for one in read),
            )
            for name, read, out in JOBS
        )
        found = [message for message in reversed(kept) if _holds(message, find)][:ROWS]
        rows = tuple(_row(kafka.codec, message) for message in found)
        return StreamNow(topics, jobs, rows, len(kept), state)

    def _read(self, kafka: Connection) -> None:
        tail = kafka.tail(ROLES)
        try:
            while not tail.state.ok and self._wanted():  # at the ends first: nothing may fall between
                self._take(tail.poll(1, POLL_S), counted=True)
                self._state = tail.state.text
            for role in ROLES:
                if role not in kafka.settings.unused:
                    self._take((one.message for one in kafka.reader().newest(role, SEED)), counted=False)
            while self._wanted():
                self._take(tail.poll(1000, POLL_S), counted=True)
                self._state = "" if tail.state.ok else tail.state.text
        except StreamError as error:
            self._state = f"Reading stopped: {error}"
        except Exception:
            self._state = "Reading stopped; the log says why."
            log.exception("The watch of the stream ended")
        finally:
            tail.close()

    def _wanted(self) -> bool:
        return self._clock() - self._looked_at < IDLE_S

    def _take(self, messages: Iterable[Message], counted: bool) -> None:
        """Takes records as they are. counted: they came now, where those from before have no second of their own."""
        with self._lock:
            second = int(self._clock())
            for message in messages:
                topic = self._topics[message.role]
                if topic.add(message) and counted:
                    topic.count(second)


def _is_of(race_id: str, message: Message) -> bool:
    """Whether a record names the race in its key or its value; or, of what cannot be read, whether it could."""
    race = race_id.encode()
    named = race in (message.key or b"") or race in (message.value or b"")
    return named or (message.value or b"\0")[:1] != b"\0" or len(message.value or b"") < 20


def _holds(message: Message, find: str) -> bool:
    """Whether the bytes hold a text as it is, or in capital letters."""
    data = (message.key or b"") + b"\0" + (message.value or b"")
    return find.encode() in data or find.upper().encode() in data


def _row(codec: Codec, message: Message) -> Row:
    try:
        key = codec.decode_key(message.role, message.key)
        record = codec.decode(message.role, message.value)
        text, bad = json.dumps(record, ensure_ascii=False), False
    except (BadRecord, RegistryUnavailable) as error:
        key = None
        text, bad = f"cannot be decoded: {error} · {(message.value or b'')[:48].hex(' ')}", True
    shown = key if isinstance(key, str) else "" if key is None else json.dumps(key, ensure_ascii=False)
    if len(text) > TEXT:
        text = f"{text[:TEXT]}…"
    return Row(message.partition, message.offset, shown, message.timestamp_ms, text, bad)


_watch = StreamWatch(connection.current)


def stream_watch() -> StreamWatch:
    """Returns the watch of this process."""
    return _watch
