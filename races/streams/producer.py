"""Records into Kafka: never dropped in silence, never out of sight.

The policy: a record that `send` took stays with the Publisher until Kafka has acknowledged it. librdkafka
retries without a time limit and in order; what it gives up all the same (a topic that is gone, a producer
whose session a wiped broker has forgotten) is sent again from here. Only a record that Kafka will never take
ends as an error. While Kafka is away, `state` says so, the local queue fills, and then `send` waits.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from races.streams.admin import cluster_id, ensure_topics
from races.streams.codec import Codec, Record
from races.streams.config import StreamSettings
from races.streams.errors import Closed, DeliveryFailed, StreamError
from races.streams.logs import QUIET, librdkafka_log

log = logging.getLogger(__name__)
OnDelivery = Callable[[Exception | None], None]
SLOW_AFTER_S = 2.0  # an acknowledgement takes milliseconds; after this the broker counts as away
RESEND_PAUSE_S = 0.2
RETRY_S = 1.0
LINGER_MS = 2
LOOK_S = 2.0
GONE = object()
QUEUE_RECORDS = 50_000
HOPELESS = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.INVALID_RECORD,
    }
)


@dataclass(frozen=True, slots=True)
class PublisherState:
    """text is for people. since: seconds on the monotonic clock's scale."""

    ok: bool
    text: str
    waiting: int
    since: float | None = None


class _Sent:
    """A record on its way."""

    __slots__ = ("at", "key", "on_delivery", "publisher", "timestamp_ms", "topic", "value")

    def __init__(
        self,
        publisher: Publisher,
        topic: str,
        key: bytes | None,
        value: bytes,
        timestamp_ms: int,
        on_delivery: OnDelivery | None,
    ) -> None:
        self.publisher, self.topic, self.key, self.value = publisher, topic, key, value
        self.timestamp_ms, self.on_delivery = timestamp_ms, on_delivery
        self.at = 0.0

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.publisher._delivered = True
            self.publisher.ends[self.topic, message.partition()] = (message.offset() or 0) + 1
            self.publisher._done(self, None)
        else:
            self.publisher._not_delivered(self, error)


class Publisher:
    """Thread-safe. on_delivery gets None or DeliveryFailed in the Publisher's own thread: be quick."""

    def __init__(
        self,
        settings: StreamSettings,
        codec: Codec,
        clock: Callable[[], float] = time.monotonic,
        linger_ms: int = LINGER_MS,
    ) -> None:
        """linger_ms: how long a record waits for others that can go with it."""
        self._settings, self._codec, self._clock, self._linger_ms = settings, codec, clock, linger_ms
        self._open: dict[_Sent, object] = {}  # in the order sent: the first one is the oldest
        self._again: deque[_Sent] = deque()
        self._lock, self._closed, self._full_since = Lock(), Event(), 0.0
        self._delivered, self._cluster, self._check_at = False, "", 0.0
        self._renew, self._last_error = False, ""
        self.ends: dict[tuple[str, int | None], int] = {}  # of each partition that was written to
        self._producer = self._make()
        self._thread = Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def send(
        self,
        role: str,
        key: str | Record | None,
        value: Record,
        timestamp_ms: int,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """Waits while the local queue is full. Raises BadRecord, RegistryUnavailable, RegistryRefused,
        Closed.
        """
        data, topic = self._codec.encode(role, value), self._settings.topics[role]
        sent = _Sent(self, topic, self._codec.encode_key(role, key), data, timestamp_ms, on_delivery)
        sent.at = self._clock()
        while len(self._open) >= QUEUE_RECORDS:
            self._wait_for_room()
        if self._closed.is_set():
            raise Closed("the publisher is closed")
        with self._lock:
            self._open[sent] = None
            first = not self._again and not self._renew
            if not first:  # what failed goes first, so that a partition keeps its order
                self._again.append(sent)
        if first:
            self._produce(sent)

    def writes(self, role: str) -> bool:
        """Whether this lab has a topic for it."""
        return role not in self._settings.unused

    @property
    def waiting(self) -> int:
        """Records that Kafka has not acknowledged."""
        return len(self._open)

    @property
    def state(self) -> PublisherState:
        waiting, oldest = len(self._open), self._oldest()
        if self._full_since:
            return PublisherState(False, "waiting: local queue full", waiting, self._full_since)
        if oldest is not None and self._clock() - oldest > SLOW_AFTER_S:
            seconds = self._clock() - oldest
            why = f" ({self._last_error})" if self._last_error else ""
            return PublisherState(False, f"waiting: broker away since {seconds:.0f} s{why}", waiting, oldest)
        return PublisherState(True, "ok", waiting)

    def flush(self, timeout: float) -> int:
        """Waits until everything is acknowledged; returns how many records are not."""
        end = time.monotonic() + timeout
        while self._open and time.monotonic() < end and not self._closed.is_set():
            self._ask(self._producer.flush, 0.05)
            self._closed.wait(0.002)  # what is to be sent again isn't in librdkafka's queue
        return len(self._open)

    def close(self, timeout: float = 1.0) -> int:
        """Returns how many records Kafka has not acknowledged; a `send` that waits raises Closed."""
        left = self.flush(timeout)
        self._closed.set()
        self._thread.join(timeout=2.0)
        return left

    def _make(self) -> Producer:
        options = producer_options(self._settings, self._linger_ms)
        return Producer({**options, "error_cb": self.on_error}, logger=librdkafka_log)

    def _produce(self, sent: _Sent) -> None:
        while True:
            try:
                self._producer.produce(
                    sent.topic, sent.value, sent.key, timestamp=sent.timestamp_ms, on_delivery=sent
                )
            except BufferError:
                self._wait_for_room()
                continue
            except KafkaException as error:
                self._not_delivered(sent, error.args[0])
            self._full_since = 0.0
            return

    def _wait_for_room(self) -> None:
        if not self._full_since:
            self._full_since = self._clock()
            log.warning("the local queue is full: waiting for Kafka to take records")
        if self._closed.wait(0.01):
            raise Closed("the publisher was closed while its queue was full")

    def _done(self, sent: _Sent, error: Exception | None) -> None:
        """Once for each record, whoever else still holds it."""
        if self._open.pop(sent, GONE) is not GONE and sent.on_delivery is not None:
            sent.on_delivery(error)

    def _not_delivered(self, sent: _Sent, error: KafkaError) -> None:
        self.on_error(error)
        if error.code() in HOPELESS:
            log.error("Kafka refuses a record of %s: %s", sent.topic, error.str())
            self._done(sent, DeliveryFailed(f"{sent.topic}: {error.str()}"))
        elif sent in self._open and not self._renew:
            self._again.append(sent)

    def _oldest(self) -> float | None:
        try:
            return next(iter(self._open)).at or None
        except (StopIteration, RuntimeError):  # empty, or changed by another thread meanwhile
            return None

    def on_error(self, error: KafkaError) -> None:
        self._last_error = self._settings.public(error.str())
        self._renew = self._renew or error.fatal() or error.code() == KafkaError._FATAL

    def _ask(self, producer: Callable[[float], int], seconds: float) -> None:
        """A fatal error is raised at whoever asks next: it ends that producer, and nobody's thread."""
        try:
            producer(seconds)
        except KafkaException as error:
            self.on_error(error.args[0])

    def _run(self) -> None:
        """Goes on whatever happens: without it no acknowledgement is heard, and every race stands still."""
        while not self._closed.is_set():
            try:
                self._serve()
            except Exception:
                log.exception("Serving the Kafka client failed once")
                self._closed.wait(RETRY_S)

    def _serve(self) -> None:
        self._ask(self._producer.poll, 0.1)
        oldest = self._oldest()
        stuck = oldest is not None and self._clock() - oldest > SLOW_AFTER_S
        if self._delivered and not self._cluster:
            with contextlib.suppress(KafkaException):
                self._cluster = str(self._producer.list_topics(timeout=LOOK_S).cluster_id)
        if self._renew or (stuck and self._clock() >= self._check_at and self._came_back_empty()):
            # the old one has given up, or believes in a cluster that is gone
            log.warning("a new Kafka producer takes over (%s)", self._last_error)
            self._renew = True
            old, self._producer = self._producer, self._make()
            old.purge()
            self._ask(old.flush, 1.0)  # its last acknowledgements count
            with self._lock:
                self._again = deque(self._open)  # in the order sent
                self._renew = False
        elif self._again:
            if self._closed.wait(RESEND_PAUSE_S):
                return
            for _ in range(len(self._again)):
                sent = self._again[0]
                if sent in self._open:
                    self._produce(sent)
                self._again.popleft()

    def _came_back_empty(self) -> bool:
        """Whether a cluster answers that is not the one we sent to. Makes the topics that it lacks.

        librdkafka waits for ever for a topic that it once knew, so it can't be left to find out.
        """
        try:
            made, cluster = ensure_topics(self._settings, LOOK_S), cluster_id(self._settings, LOOK_S)
        except StreamError as error:
            self._last_error, self._check_at = str(error), self._clock() + RETRY_S
            return False
        self._check_at = self._clock() + RETRY_S
        another, self._cluster = self._cluster not in ("", cluster), cluster
        return another or bool(made)


def producer_options(settings: StreamSettings, linger_ms: int = LINGER_MS) -> dict[str, Any]:
    """The settings' own librdkafka options win over ours."""
    return {
        "linger.ms": linger_ms,
        "acks": "all",
        "enable.idempotence": True,
        # librdkafka 2.16 otherwise forgets its brokers when all are down, and the idempotent producer with them its
        # sequence: of 17 kills of a broker, five doubled records and one lost three that it called delivered
        "metadata.recovery.strategy": "none",
        "message.timeout.ms": 0,
        "queue.buffering.max.messages": QUEUE_RECORDS,
        "queue.buffering.max.kbytes": 65_536,
        "compression.type": "none" if settings.embedded else "lz4",
        "topic.metadata.propagation.max.ms": 5_000,
        "topic.metadata.refresh.interval.ms": 30_000,
        "reconnect.backoff.max.ms": 1000,
        **QUIET,
        **settings.librdkafka,
    }
