"""The recorder writes history from the topics. One process records at a time, by lease.

Every row has an identity of its own, so a topic that is read twice changes nothing. Offsets are saved in the
transaction that saves what was read up to them. While the database refuses (locked, disk full) nothing more is read:
Kafka keeps what is not recorded yet.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections, connection
from django.db.models import Q

from races.board.board import Board
from races.board.frames import event_of
from races.board.race_info import RaceInfo
from races.board.storage import unpack_readings
from races.lib.clock import Clock
from races.lib.cooperative import yielder
from races.lib.database_errors import describe
from races.models import ACTIVE, Race
from races.models.leases import RecorderLease
from races.recorder import writer
from races.recorder.lost_endings import LostEndings
from races.recorder.race_recording import RaceRecording
from races.recorder.reader import last_frame, wall_ms
from races.streams.codec import Codec
from races.streams.consumer import Message, Tail
from races.streams.errors import BadRecord, RegistryUnavailable
from races.streams.lag import BEHIND_S, Ends, Lag, LagLog, behind
from races.streams.skipped import SkippedRecords

log = logging.getLogger(__name__)

FLUSH_S, RETRY_S, POLL_S = 1.0, 0.5, 0.1
SILENT_S = 3.0  # without a flush: a locked database keeps one waiting long before it refuses
BATCH = 500  # small enough that what is polled and not yet taken is no more than a moment
AFTERWARDS = timedelta(seconds=30)  # commentary on a race still comes after its flag
LATEST_MS = 32_503_680_000_000  # the year 3000
FINISH_AFTER_S = 0.6  # the last averages come a moment after the last tick
LOOK_S = 5.0


class _Unread(Exception):
    """Messages were polled and not taken. They must be read again."""


class Recorder:
    def __init__(
        self,
        make_tail: Callable[[Any, str | None], Tail],
        codec: Codec,
        clock: Clock = time.monotonic,
        wall: Callable[[], int] = wall_ms,
    ) -> None:
        """make_tail(start, incarnation) opens the topics; start is saved offsets or "beginning"."""
        self._make_tail, self._codec, self._clock = make_tail, codec, clock
        self._lease = RecorderLease(clock)
        self._stopping = threading.Event()
        self._races: dict[str, RaceRecording | None] = {}
        self._pending = writer.PendingRows()
        self._wall, self._endings = wall, LostEndings(clock)
        self._skipped, self._lag_log = SkippedRecords(codec.topic, log), LagLog("the history", log)
        self.error = ""
        self.active = False
        self._tail: Tail | None = None
        self.flushed_at = clock()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                close_old_connections()
                if self._lease.hold():
                    self.record()
                self.error = ""
            except _Unread:
                log.warning("History goes on later from where it stands: %s", self.error)
            except AnyDatabaseError as error:
                self.error = f"the database does not take history: it {describe(error)}"
                log.warning("The database does not take history: %s", error)
            self.active = False
            self._stopping.wait(RETRY_S)
        try:
            self._lease.release()
        except AnyDatabaseError as error:
            log.warning("The recorder's lease runs out by itself: %s", error)
        connection.close()

    @property
    def bad(self) -> Counter[str]:
        """How many records could not be used, by role."""
        return self._skipped.counts

    def stop(self) -> None:
        self._stopping.set()

    def lag(self, ends: Ends | None = None) -> Lag:
        """How far the history is behind; nothing where another process records. ends: as a writer here knows them."""
        tail = self._tail
        return tail.lag(ends=ends) if tail is not None else Lag()

    @property
    def stalled(self) -> bool:
        """Whether it waits for the database or the registry."""
        return bool(self.error) or self._clock() - self.flushed_at >= SILENT_S

    @property
    def trouble(self) -> str:
        """Why no history is written just now; empty while it is written in time."""
        silent, lag = self._clock() - self.flushed_at, self.lag()
        if self.error or not self.active:
            return self.error
        if self.stalled:
            return f"the database has taken no history for {silent:.0f} s"
        return behind("the history", lag) if lag.seconds > BEHIND_S else ""

    def record(self) -> None:
        incarnation, offsets = writer.saved_offsets()
        tail = self._tail = self._make_tail(offsets or "beginning", incarnation)
        self._races, self._pending, self.flushed_at = {}, writer.PendingRows(), self._clock()
        self.active = True
        try:
            # races whose last tick is recorded and whose end is not: no record will come for them
            for race in Race.objects.active().filter(recorded_tick__gte=0):
                frame = last_frame(race)
                if frame is not None and frame["phase"] == "over":
                    self._recording(str(race.pk))
            next_flush = next_look = self._clock() + FLUSH_S
            while not self._stopping.is_set() and self._lease.fresh():
                self.take_all(tail)
                if self._clock() >= next_flush:
                    self._lag_log.check(tail.lag())
                    self._flush_until_it_works(tail)
                    next_flush = self._clock() + FLUSH_S
                if self._clock() >= next_look:
                    known = [recording for recording in self._races.values() if recording is not None]
                    heard = {recording.race.pk: recording.heard_at for recording in known}
                    self._endings.check(tail.state.ok and not tail.lag().records, heard)
                    next_look = self._clock() + LOOK_S
            self.take_all(tail)
            self._flush(tail)
        finally:
            self._tail = None
            tail.close()

    def take_all(self, tail: Tail) -> None:
        """Takes a batch, and waits where the registry does not answer for a schema. Raises _Unread.

        Saved offsets count what was polled, so nothing is flushed before every polled message was taken.
        """
        for message in yielder.between(tail.poll(BATCH, POLL_S)):
            taken = False
            while not taken:
                try:
                    self._take(message)
                    taken = True
                except RegistryUnavailable as error:
                    if not self.error:
                        log.warning("History waits for the schema registry: %s", error)
                    self.error = f"waiting for the schema registry: {error}"
                    self._stopping.wait(RETRY_S)
                    if self._stopping.is_set() or not self._lease.hold():
                        raise _Unread from error
                except (BadRecord, KeyError, TypeError, ValueError) as error:
                    self._skipped.add(message, error)
                    taken = True

    def _flush_until_it_works(self, tail: Tail) -> None:
        while not self._stopping.is_set():
            try:
                self._flush(tail)
                self.error = ""
                return
            except AnyDatabaseError as error:
                if not self.error:
                    log.warning("History waits: %s", error)
                self.error = f"the database does not take history: it {describe(error)}"
                self._stopping.wait(RETRY_S)
                close_old_connections()

    def _flush(self, tail: Tail) -> None:
        # what belongs to races that were deleted meanwhile cannot be written
        rows = (self._pending.control, self._pending.commentary)
        known = {recording.race.pk for recording in self._races.values() if recording is not None}
        known |= {race_id for kept in rows for race_id, _ in kept}
        gone = known - set(Race.objects.filter(pk__in=known).values_list("pk", flat=True))
        self._races |= dict.fromkeys(map(str, gone))
        for kept in rows if gone else ():
            for identity in [identity for identity in kept if identity[0] in gone]:
                del kept[identity]
        now = self._clock()
        recordings = [recording for recording in self._races.values() if recording is not None]
        for one in recordings:
            one.store_in_order(now)
        before = now - FINISH_AFTER_S
        # reading goes on at these offsets: the next recorder needs the first half of a tick that is half here
        offsets = tail.offsets()
        positions = offsets.get("positions", {})
        for partition, offset in (place for one in recordings for place in one.begun.values()):
            positions[partition] = min(positions.get(partition, offset), offset)
        place = (tail.incarnation or "", offsets)
        writer.flush(recordings, self._pending, *place, before, self._lease.confirm)
        self._pending, self.flushed_at = writer.PendingRows(), now
        for race_id, recording in list(self._races.items()):
            if recording is None or recording.forgettable(now):
                del self._races[race_id]

    def _take(self, message: Message) -> None:
        record = self._codec.decode(message.role, message.value)
        key = self._codec.decode_key(message.role, message.key)
        if message.role == "commentary":
            self._commentary(record)
            return
        if message.role == "car_metrics_anomalies" and isinstance(key, dict):
            race_id, colon, _ = str(key["key"]).rpartition(":")
            for recording in [self._recording(race_id)] if colon else self._at(key["ts"]):
                if recording is not None:
                    recording.reading(record, key)
            return
        if message.role in ("positions", "race_control"):
            race_id = str(record["race_id"])
        else:
            race_id = str(key["race_id"]) if isinstance(key, dict) else ""
        recording = self._recording(race_id)
        if recording is None:
            return
        if message.role == "positions":
            recording.position(record, self._clock(), (message.partition, message.offset))
        elif message.role == "race_control":
            if recording.board.plausible(message.role, record):
                identity = record["tick"], event_of(record)
                self._pending.control.setdefault((recording.race.pk, identity), (recording.race, record))
        elif isinstance(key, dict):
            recording.average(record, key)

    def _commentary(self, record: dict[str, Any]) -> None:
        race_id = record.get("race_id")
        if race_id is not None:
            recording = self._recording(str(race_id))
            mine = recording is not None and recording.board.plausible("commentary", record)
            targets = [recording.race] if recording is not None and mine else []
        else:
            found = (recording for recording in self._at(record["timestamp"]) if recording is not None)
            targets = [r.race for r in found if r.board.plausible("commentary", record)]
        for race in targets:
            self._pending.commentary.setdefault((race.pk, str(record["id"])), (race, record))

    def _at(self, instant: int) -> list[RaceRecording | None]:
        """The races that ran at this instant. The original lab's records name no race, so they belong to each of
        them.
        """
        at = min(max(int(instant), 0), LATEST_MS)
        until = datetime.fromtimestamp(at / 1000, UTC) - AFTERWARDS
        ran = Race.objects.filter(started_ms__lte=at)
        ran = ran.filter(Q(status__in=ACTIVE) | Q(ended_at__gte=until))
        return [self._recording(str(pk)) for pk in ran.values_list("pk", flat=True)]

    def _recording(self, race_id: str) -> RaceRecording | None:
        if race_id not in self._races:
            self._races[race_id] = self.load_race(race_id)
        recording = self._races[race_id]
        if recording is not None:
            recording.heard_at = self._clock()
        return recording

    def load_race(self, race_id: str) -> RaceRecording | None:
        try:
            race = Race.objects.filter(pk=uuid.UUID(race_id)).first()
        except ValueError:
            return None
        if race is None or not race.frozen:
            return None
        frame = last_frame(race)
        recording = RaceRecording(race, Board(RaceInfo.from_json(race.frozen), frame, race.started_ms), frame)
        for chunk in race.reading_chunks.all():
            for engine, ts, reading in unpack_readings(bytes(chunk.data)):
                recording.engine_reading(engine, ts, reading)
        if frame is not None:  # otherwise a late row would reopen an alarm that has ended
            recording.rule.reached(frame["timestamp"], frame["phase"] == "over")
        recording.board.reject_after(self._wall)
        recording.readings.clear()
        recording.alarms.clear()
        if frame is not None and frame["phase"] == "over":
            recording.over_at = self._clock()
        return recording
