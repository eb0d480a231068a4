"""From the topics to the boards of the races that somebody watches, in every web process for itself.

One thread reads, at positions of its own and in no group. Of a race that nobody watches it keeps the newest tick's
records as bytes, undecoded; of a race that is watched it keeps a board, and hands each new frame to the event loop as
one rendered string.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from races.board.board import Board
from races.board.frames import Frame
from races.lib.fair_lock import FairLock
from races.lib.throughput import Throughput, ThroughputMeter
from races.lib.tracing import tracer
from races.live.record_cache import LatestTicks, RecentRecords
from races.live.rendering.header import RaceStatus
from races.live.rendering.panels import Pipeline
from races.live.rendering.screen import screen_of
from races.live.watched_race import Page, Snapshot, WatchedRace
from races.streams.codec import Codec
from races.streams.consumer import Message, Tail, TailState
from races.streams.errors import BadRecord, RegistryUnavailable
from races.streams.lag import Ends, Lag
from races.streams.skipped import SkippedRecords

log = logging.getLogger(__name__)

BATCH = 500  # small enough that what is polled and not yet taken is no more than a moment
POLL_S, REGISTRY_RETRY_S = 0.2, 0.5
Publish = Callable[[str, int, str, int | None], None]


class Feed:
    """Reads the topics and keeps the races that are watched.

    publish(race id, number, message, tick) runs in the thread that had something to say, one at a time.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._tail: Tail | None = None
        self._codec: Codec | None = None
        self._watched: dict[str, WatchedRace] = {}
        self._newest = LatestTicks()
        self._recent = RecentRecords()
        self._lock = FairLock()
        self._stopping = threading.Event()
        self.rates = ThroughputMeter()
        self._skipped = SkippedRecords(lambda role: self._codec.topic(role) if self._codec else role, log)
        self.waiting_for = ""  # the schema registry, in words
        self.polled_at = time.monotonic()

    def run(self, tail: Tail, codec: Codec) -> None:
        """Reads until stop() or an error; the boards outlive both."""
        self._tail, self._codec = tail, codec
        try:
            while not self._stopping.is_set():
                messages = tail.poll(BATCH, POLL_S)
                self.polled_at = time.monotonic()
                self.take_all(messages)
        finally:
            self._tail = None
            tail.close()

    def take_all(self, messages: list[Message]) -> None:
        """Takes a batch piece by piece. While the registry does not give a schema it waits, with the lock free."""
        for piece in self._lock.pieces(messages):
            waiting = deque(piece)
            while waiting:
                try:
                    self._take_piece(waiting)
                    self.waiting_for = ""
                except RegistryUnavailable:
                    if not self._learn_patiently(waiting[0]):
                        return

    def _take_piece(self, waiting: deque[Message]) -> None:
        """Raises RegistryUnavailable; the record that needs the schema then stands first in `waiting`."""
        with self._lock:
            while waiting:
                message = waiting[0]
                if message.role == "positions":
                    self._position(message)
                elif message.role == "car_metrics":
                    # counted only: the page shows readings by way of their forecasts
                    race_id = (message.key or b"").decode("utf-8", "replace").rpartition(":")[0]
                    if (watched := self._watched.get(race_id)) is not None:
                        watched.rates.count(message.role, self.polled_at, message.timestamp_ms)
                else:
                    if self._watched:
                        self._other(message)
                    self._recent.add(message, self.polled_at)
                self.rates.count(message.role, self.polled_at)
                waiting.popleft()

    def _learn_patiently(self, message: Message) -> bool:
        """Asks the registry, or waits for it; returns False once the feed is stopping."""
        try:
            self._learn(message)
        except RegistryUnavailable as error:
            if not self.waiting_for:
                log.warning("The feed waits for the schema registry: %s", error)
            self.waiting_for = f"waiting for the schema registry: {error}"
            return not self._stopping.wait(REGISTRY_RETRY_S)
        return True

    def _learn(self, message: Message) -> None:
        """Asks the registry for what it takes to read a record; never under the lock. Raises RegistryUnavailable."""
        if self._codec is None:
            raise RegistryUnavailable("the feed does not read")
        self._codec.learn(message.role, message.key, message.value)

    def stop(self) -> None:
        self._stopping.set()

    def throughput(self, now: float) -> Mapping[str, Throughput]:
        """Throughput by role over all races, whoever watches."""
        with self._lock:
            return self.rates.throughput(now)

    @property
    def bad(self) -> Counter[str]:
        """Records that could not be read, by role."""
        return self._skipped.counts

    def lag(self, ends: Ends | None = None) -> Lag:
        """How far the pages are behind Kafka. ends: as a writer in this process knows them."""
        tail = self._tail
        return tail.lag(ends=ends) if tail is not None else Lag()

    def lags(self) -> Mapping[str, int]:
        return self._tail.lags() if self._tail else {}

    @property
    def state(self) -> TailState | None:
        """The state of the consumer; None while the feed does not read."""
        return self._tail.state if self._tail else None

    def watch(self, race_id: str, board: Board, status: RaceStatus, anomaly_on: bool) -> None:
        """Starts a board, brought up with what was seen of the race just now. May ask the registry."""
        self._learn_remembered(race_id)
        with self._lock:
            if race_id in self._watched:
                return
            for message in self._recent:
                with contextlib.suppress(RegistryUnavailable):
                    # keys hold the race's id as it is, whatever their format; where they name no race, the board knows
                    may_be = race_id.encode() in (message.key or b"") or self._race_of(message) is None
                    if may_be and (record := self._decode(message)) is not None:
                        board.apply(message.role, record, self._key(message))
            raw = self._newest.of(race_id)
            for values in (raw.before, raw.values):
                for record in self._decoded(values):
                    board.apply("positions", record)
            screen = screen_of(board.info, board.current(), status=status, anomaly_on=anomaly_on)
            self._watched[race_id] = WatchedRace(board, screen)

    def set_status(self, race_id: str, status: RaceStatus) -> None:
        """Shows a changed status on every page of the race. The lock is for changes: it holds the reader up."""
        watched = self._watched.get(race_id)
        if watched is None or watched.screen.status == status:
            return
        with self._lock:
            if message := watched.set_status(status):
                self._publish(race_id, watched.number, message, None)

    def set_pipeline(self, pipeline: Pipeline, now: float) -> None:
        """Shows how the stream does on every race's pages. The clock calls this, not the ticks: their absence is what
        has to be shown. The lock is taken once for all races, since the reader gives way each time.
        """
        with self._lock:
            for race_id, watched in self._watched.items():
                if message := watched.set_pipeline(pipeline, now):
                    self._publish(race_id, watched.number, message, None)

    def races(self) -> set[str]:
        return set(self._watched)

    def watched(self, race_id: str) -> bool:
        return race_id in self._watched

    def unwatch(self, gone: set[str]) -> None:
        with self._lock:
            for race_id in gone:
                self._watched.pop(race_id, None)

    def snapshot(self, race_id: str) -> Snapshot:
        with self._lock:
            return self._watched[race_id].snapshot()

    def page(self, race_id: str) -> Page | None:
        """Returns what a first page needs; None for a race that nobody watches."""
        with self._lock:
            watched = self._watched.get(race_id)
            return Page(watched.board.info, watched.board.frame, watched.parts()) if watched else None

    def newest(self, race_id: str) -> list[Mapping[str, Any]]:
        """Returns the records of the newest whole tick of any race that publishes now. May ask the registry."""
        self._learn_remembered(race_id)
        with self._lock:
            raw = self._newest.of(race_id)
            for values in (raw.values, raw.before):
                records = self._decoded(values)
                if records and len(records) >= records[0]["field_size"]:
                    return records
        return []

    def partition_of(self, race_id: str) -> int | None:
        """Returns the partition of a race's positions; None for a race that does not publish now."""
        with self._lock:
            return next((message.partition for message in self._newest.of(race_id).values.values()), None)

    def frame(self, race_id: str) -> Frame | None:
        with self._lock:
            watched = self._watched.get(race_id)
            return watched.board.frame if watched else None

    def _learn_remembered(self, race_id: str) -> None:
        """Asks the registry once for each schema of the remembered records."""
        with self._lock:
            raw = self._newest.of(race_id)
            kept = [*raw.before.values(), *raw.values.values(), *self._recent]
        schemas = {(m.role, (m.key or b"")[:5], (m.value or b"")[:5]): m for m in kept}
        with contextlib.suppress(RegistryUnavailable):
            for message in schemas.values():
                self._learn(message)

    def _position(self, message: Message) -> None:
        race_id = (message.key or b"").decode("utf-8", "replace")
        self._newest.add(race_id, message)
        watched, codec = self._watched.get(race_id), self._codec
        if watched is not None and codec is not None:
            try:
                record = codec.decode("positions", message.value, ask=False)
            except BadRecord as error:
                self._skipped.add(message, error)
                self._newest.of(race_id).values.pop(message.value or b"", None)
            else:
                self._apply(race_id, watched, message, record, None)

    def _other(self, message: Message) -> None:
        race_id = self._race_of(message)
        if race_id is not None and race_id not in self._watched:
            return
        record = self._decode(message)
        if record is None:
            return
        race_id = race_id or record.get("race_id")
        key = self._key(message)
        for name, watched in list(self._watched.items()):
            if race_id in (None, name):
                self._apply(name, watched, message, record, key)

    def _race_of(self, message: Message) -> str | None:
        """Returns the race that the key names; None where only the value can tell."""
        if message.role == "race_control":
            return (message.key or b"").decode("utf-8", "replace")
        key = self._key(message)
        if not isinstance(key, dict):
            return None
        return (
            str(key["race_id"]) if message.role == "avg_speed" else str(key["key"]).rpartition(":")[0] or None
        )

    def _key(self, message: Message) -> Any:
        if self._codec is None:
            return None
        try:
            return self._codec.decode_key(message.role, message.key, ask=False)
        except BadRecord as error:
            self._skipped.add(message, error)
            return None

    def _apply(
        self, race_id: str, watched: WatchedRace, message: Message, record: Mapping[str, Any], key: Any
    ) -> None:
        watched.rates.count(message.role, self.polled_at, message.timestamp_ms)
        frame = watched.board.apply(message.role, record, key)
        if frame is None:
            return
        tracer.record(race_id, frame["tick"], "read", self.polled_at)
        shown = watched.show(frame)
        tracer.record(race_id, frame["tick"], "shown")
        self._publish(race_id, watched.number, shown, frame["tick"])

    def _decoded(self, values: dict[bytes, Message]) -> list[Mapping[str, Any]]:
        """Returns the records that can be read and drops the others, so that each is counted only once."""
        records: list[Mapping[str, Any]] = []
        for value, message in list(values.items()):
            with contextlib.suppress(RegistryUnavailable):
                record = self._decode(message)
                if record is None:
                    del values[value]
                else:
                    records.append(record)
        return records

    def _decode(self, message: Message) -> Mapping[str, Any] | None:
        """Decodes without asking the registry, since the lock is held. Raises RegistryUnavailable."""
        if self._codec is None:
            raise RegistryUnavailable("the feed does not read")
        try:
            return self._codec.decode(message.role, message.value, ask=False)
        except BadRecord as error:
            self._skipped.add(message, error)
            return None
