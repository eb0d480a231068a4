"""Records out of Kafka: every partition of some topics, from a place of the caller's choice, in one thread.

The policy: no group and no commits (a web process reads everything; the recorder keeps offsets in its
database). A broker that is away, a topic that is missing and records that retention took are states and
counts, not exceptions. A cluster that came back empty is read from its beginning: identity, not the offset,
decides what is a repeat.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from races.streams.config import StreamSettings
from races.streams.framing import key_and_value
from races.streams.lag import Ends, Lag, PartitionLag
from races.streams.logs import QUIET, librdkafka_log

log = logging.getLogger(__name__)
Offsets = dict[str, dict[int, int]]  # role -> partition -> the next offset to read
Start = str | Mapping[str, Mapping[Any, int]]  # beginning, end, or offsets (JSON's text keys will do)
Place = tuple[str, int]  # topic, partition
RETRY_S = 1.0
LOOK_AGAIN_S = 30.0  # for new partitions and another cluster
ASK_S = 1.0
MEASURE_S = 0.5
RECORD_OVERHEAD = 16  # bytes of Kafka's own around a record
PROMPT_MS = 5
STAMPED = (
    "Kafka writes its own time over that of the records in %s (message.timestamp.type is LogAppendTime there). "
    "Event times are lost; set it to CreateTime"
)
RESET_CODES = frozenset(
    {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION}
)
NAMING_CODES = frozenset({KafkaError._TRANSPORT, KafkaError._RESOLVE})  # they name the broker
AWAY_CODES = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})


class Message(NamedTuple):
    """A record as bytes. A reader that needs the value decodes it."""

    role: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int

    @property
    def size(self) -> int:
        return len(self.key or b"") + len(self.value or b"")


@dataclass(frozen=True, slots=True)
class TailState:
    """gaps: records that were gone before they were read. restarts: times that a cluster came back as
    another.
    """

    ok: bool
    text: str
    gaps: int
    restarts: int
    errors: int


class Tail:
    """Not thread-safe, except `state`, `lag`, `lags` and `offsets`. Making one never waits for a broker."""

    def __init__(
        self,
        settings: StreamSettings,
        roles: Sequence[str],
        start: Start = "beginning",
        incarnation: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        patience_ms: int = PROMPT_MS,
    ) -> None:
        """start: beginning, end, or offsets as `offsets` gave them (a partition that they lack: its
        beginning).

        incarnation: the cluster that those offsets belong to; on another they mean nothing.

        patience_ms: how late a record may come from the embedded cluster, which doesn't wake a waiting fetch; so
        each reader asks it again and again, and with forty races those questions cost as much as the records.
        """
        self._roles = {settings.topic(role): role for role in roles if role not in settings.unused}
        self._start, self._clock, self._cluster = start, clock, incarnation
        self._next: dict[Place, int] = {}
        self._doubted: set[Place] = set()  # may not be where we believe: their marks are asked again
        self._stopped = False  # librdkafka reads on there only from a place that is given to it
        self._away: str | None = "waiting: not connected yet"  # cleared by the next message
        self._heard = ""  # of a broker that cannot be reached, with its name
        self._lacking: str | None = None  # cleared by the next look
        self._gaps = self._restarts = self._errors = 0
        self._stamped: set[str] = set()  # topics that were warned of
        self._check_at = self._measure_at = 0.0
        self._partition_lags: dict[Place, PartitionLag] = {}
        self._record_bytes: dict[str, float] = {}  # of a role's records, on the average
        self._settings, self._patience_ms = settings, patience_ms
        self._consumer = self._make()

    def _make(self) -> Consumer:
        options = {**consumer_options(self._settings, self._patience_ms), "error_cb": self.on_error}
        return Consumer(options, logger=librdkafka_log)

    def poll(self, max_messages: int = 1000, timeout: float = 0.1) -> list[Message]:
        """Returns what has arrived, at once; where nothing has, an empty list after about `timeout` seconds."""
        if self._clock() >= self._check_at:
            self._check_cluster()
        if self._clock() >= self._measure_at:
            # how far each partition reaches: in another thread each question would wait for a poll to end
            now = self._clock()
            for place, offset in list(self._next.items()):
                try:
                    marks = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
                except (KafkaException, RuntimeError):  # not fetched yet, or closed
                    continue
                if marks is not None and marks[1] >= 0:
                    self._partition_lags.setdefault(place, PartitionLag()).measured(marks[1], offset, now)
            self._measure_at = self._clock() + MEASURE_S
        end = self._clock() + timeout
        first = self._consumer.poll(timeout)
        while first is not None and self._is_end(first):
            first = self._consumer.poll(max(0.0, end - self._clock()))
        if first is None:
            return []
        raw = [first, *self._consumer.consume(max_messages - 1, 0)] if max_messages > 1 else [first]
        return self._taken(raw)

    @property
    def state(self) -> TailState:
        text = self._away or self._lacking
        return TailState(text is None, text or "ok", self._gaps, self._restarts, self._errors)

    @property
    def incarnation(self) -> str | None:
        """The cluster's id: saved offsets belong to it."""
        return self._cluster

    def offsets(self) -> Offsets:
        """The next offset of each partition, to be remembered and given as `start` another time."""
        found: Offsets = {}
        for (topic, partition), offset in list(self._next.items()):
            found.setdefault(self._roles[topic], {})[partition] = offset
        return found

    def lags(self) -> dict[str, int]:
        """Offsets that are in Kafka and not read yet, for each role, as of about a second ago."""
        found = dict.fromkeys(self._roles.values(), 0)
        for place, offset, measured in self._measured():
            found[self._roles[place[0]]] += measured.records(offset)
        return found

    def lag(self, role: str | None = None, ends: Ends | None = None) -> Lag:
        """How far this reader is behind, in all of its topics or in one.

        ends: the partitions' ends as a writer in this process knows them. A reader that is stuck measures none itself.
        """
        now, found = self._clock(), Lag()
        for place, offset, measured in self._measured():
            name = self._roles[place[0]]
            if role in (None, name):
                records = max(measured.records(offset), (ends or {}).get(place, 0) - offset)
                found = Lag(
                    found.records + records,
                    max(found.seconds, measured.seconds(offset, now)),
                    max(found.unread_bytes, round(records * self._record_bytes.get(name, 0.0))),
                )
        return found

    def _measured(self) -> list[tuple[Place, int, PartitionLag]]:
        lags = self._partition_lags
        return [(place, offset, lags[place]) for place, offset in list(self._next.items()) if place in lags]

    def close(self) -> None:
        self._consumer.close()

    def _taken(self, raw: list[KafkaMessage]) -> list[Message]:
        messages: list[Message] = []
        for message in raw:
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            if self._is_end(message):
                continue
            if message.error() is not None or topic is None or partition is None or offset is None:
                self._on_partition_error(message)
                continue
            self._next[topic, partition] = offset + 1
            kind, timestamp_ms = message.timestamp()
            if kind == TIMESTAMP_LOG_APPEND_TIME and topic not in self._stamped:
                self._stamped.add(topic)
                log.warning(STAMPED, topic)
            record = Message(self._roles[topic], partition, offset, *key_and_value(message), timestamp_ms)
            messages.append(record)
        if messages:
            self._away = None
            newest = messages[-1]  # one of them says enough of an average
            before = self._record_bytes.get(newest.role, float(newest.size))
            self._record_bytes[newest.role] = before + (newest.size + RECORD_OVERHEAD - before) / 100
        return messages

    def _is_end(self, message: KafkaMessage) -> bool:
        """Whether this is no record but the news that a partition's end is reached; then reading goes on from there.

        The end may lie beyond the last record: markers of transactions, and what compaction took, have offsets too.
        """
        error = message.error()
        if error is None or error.code() != KafkaError._PARTITION_EOF:
            return False
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if topic is not None and partition is not None and offset is not None:
            known = self._next.get((topic, partition))
            if known is not None and offset > known:
                self._next[topic, partition] = offset
        return True

    def on_error(self, error: KafkaError) -> None:
        self._errors += 1
        if error.code() in NAMING_CODES:
            self._heard = error.str()
        if error.code() in AWAY_CODES and self._away is None:
            self._wait(self._away_words(error))

    def _on_partition_error(self, message: KafkaMessage) -> None:
        error = message.error()
        self._errors += 1
        if error is None:
            return
        if error.code() in RESET_CODES:
            self._stopped = True
            self._wait("waiting: looking for the oldest record that is left")
            self._check_at = 0.0
        else:
            self._wait(self._settings.public(f"waiting: {message.topic()}: {error.str()}"))

    def _away_words(self, error: KafkaError) -> str:
        """The words for a broker that is away: what librdkafka said last of a name or a connection says most."""
        why = error.str() if error.code() in NAMING_CODES else self._heard or error.str()
        return self._settings.public(f"waiting: broker away ({why})")

    def _wait(self, text: str) -> None:
        self._away = text
        self._doubted = set(self._next)
        self._check_at = min(self._check_at, self._clock() + RETRY_S)
        log.warning("%s", text)

    def _check_cluster(self) -> None:
        """Asks for the cluster and its partitions, and puts right what has changed. The first time starts the reading.

        While all is well this is one request. The marks need one for each partition, which would keep records waiting;
        librdkafka reports a partition that is read from an offset where nothing is.
        """
        try:
            found = self._consumer.list_topics(timeout=ASK_S)
            places = {
                (topic, partition)
                for topic in self._roles
                if topic in found.topics and found.topics[topic].error is None
                for partition in found.topics[topic].partitions
            }
            missing = set(self._roles) - {topic for topic, _ in places}
            self._put_right(str(found.cluster_id), places)
        except KafkaException as error:
            self._check_at = self._clock() + RETRY_S
            self._away, self._doubted = self._away_words(error.args[0]), set(self._next)
            return
        self._away = None
        hidden = ", or none that this key may see" if "sasl.username" in self._settings.librdkafka else ""
        self._lacking = f"waiting: no topic {', '.join(sorted(missing))}{hidden}" if missing else None
        self._check_at = self._clock() + (RETRY_S if missing else LOOK_AGAIN_S)

    def marks(self, place: Place) -> tuple[int, int]:
        marks = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=ASK_S)
        if marks is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return marks

    def _put_right(self, cluster: str, places: set[Place]) -> None:
        another = self._cluster is not None and self._cluster != cluster
        sure = set() if another else self._next.keys() - self._doubted
        marks = {place: self.marks(place) for place in sorted(places - sure)}  # all, before anything changes
        self._cluster = cluster
        gone = [place for place in self._next if place not in places]
        if another or gone:
            # another consumer: the old one may wait for ever for topics that were deleted and made again
            self._restarts += 1
            self._start = "beginning"
            for place in list(self._next) if another else gone:
                del self._next[place]
            self._consumer.close()
            self._consumer = self._make()
        before = self._next
        # Made at once: a first look is one for every partition, not only for the first of them.
        self._next = {
            place: self._place(place, *marks[place]) if place in marks else before[place]
            for place in sorted(places)
        }
        if self._next != before or another or gone or self._stopped:
            self._consumer.assign([TopicPartition(*place, offset) for place, offset in self._next.items()])
            self._partition_lags = {}
        self._doubted, self._stopped = set(), False

    def _place(self, place: Place, low: int, high: int) -> int:
        """Returns where to read on: the known next offset, as long as it lies between the marks."""
        wanted = self._next.get(place)
        if wanted is None:
            if self._start == "end" and not self._next:
                return high
            if isinstance(self._start, str):
                return low  # a partition that is new since the start is read from its beginning
            topic, partition = place
            offsets = self._start.get(self._roles[topic], {})
            wanted = int(offsets.get(partition, offsets.get(str(partition), low)))
        if wanted > high:
            self._restarts += 1
            return low
        if wanted < low:
            self._gaps += low - wanted
            return low
        return wanted


def consumer_options(settings: StreamSettings, patience_ms: int = PROMPT_MS) -> dict[str, Any]:
    """The settings' own librdkafka options win over ours, but for what this module's policy rests on."""
    wait = {"fetch.wait.max.ms": patience_ms} if settings.embedded else {}
    return {
        "group.id": settings.group,
        **wait,
        "fetch.queue.backoff.ms": 20,
        "queued.max.messages.kbytes": 16_384,
        "topic.metadata.refresh.interval.ms": 30_000,
        "reconnect.backoff.max.ms": 1000,
        **QUIET,
        **settings.librdkafka,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,  # else a reader never knows that only markers are left
        "isolation.level": "read_uncommitted",  # Flink commits about once a minute
        "auto.offset.reset": "error",  # so that what retention took is counted; _check_cluster then finds the oldest
        "allow.auto.create.topics": False,
    }
