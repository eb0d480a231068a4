"""One race that a worker runs: its simulation, its clock, and which of its ticks Kafka has."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from dataclasses import dataclass

from races.lib.tracing import tracer
from races.models.race import event_ms
from races.sim import TICK_S, Race, Tick
from races.worker.records import LAST_PHASE, EntryList, KeyedRecord, red_flagged, tick_records

LATE_S = 1.0  # a race makes up for lateness up to this; beyond it a wait is recorded


@dataclass(frozen=True, slots=True)
class TickToSend:
    """due is on the monotonic clock, event_ms in epoch milliseconds."""

    number: int
    due: float
    event_ms: int
    records: list[KeyedRecord]


@dataclass(slots=True)
class RunningRace:
    """The scheduler's thread takes ticks, the worker's thread saves progress, and Kafka's thread acknowledges.

    due is when the next tick is to be sent, on the monotonic clock. Ticks up to replay_until may have been published
    before, by the race's former worker: they are sent again with the same event times, so no wait comes before them.
    """

    race_id: uuid.UUID
    sim: Race
    entries: EntryList
    started_ms: int
    waits: list[list[int]]
    metrics: bool
    published: int
    replay_until: int
    reserved: int
    due: float
    stop_tick: int | None = None
    hold_at: int | None = None  # no tick from here on is sent before the database has the stop
    next_tick: int = 0
    over_sent: bool = False
    analysed: bool = False
    lost: bool = False
    waiting_for: str = ""
    saved_waiting_for: str | None = None  # as the database has it
    lap: int = 0
    _simulated: Tick | None = None
    _pending: dict[int, int] = dataclasses.field(default_factory=dict)  # records to be acknowledged, by tick
    _failed: set[int] = dataclasses.field(default_factory=set)
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def event_ms(self, tick: int) -> int:
        return event_ms(self.started_ms, self.waits, tick)

    @property
    def inflight(self) -> int:
        """Ticks that are sent and not acknowledged as a whole."""
        return self.next_tick - 1 - self.published

    def lateness(self, now: float) -> float:
        return now - self.due

    def wants_wait(self, now: float) -> bool:
        return self.next_tick > self.replay_until and self.lateness(now) > LATE_S

    @property
    def ready(self) -> bool:
        """Whether the next tick is simulated."""
        return self._simulated is not None

    def simulate(self) -> None:
        """Simulates the next tick before it is due. Raises whatever the simulation raises."""
        if self._simulated is None:
            self._simulated = self.sim.advance()

    def take(self) -> TickToSend:
        """The next tick with its records. It counts as sent from now on; the caller sends it."""
        self.simulate()
        tick = self.as_published(self._simulated)  # type: ignore[arg-type]  # simulate has set it
        at, due = self.event_ms(tick.tick), self.due
        records = list(tick_records(self.entries, tick, at, self.metrics))
        with self._lock:
            self._pending[tick.tick] = self._pending.get(tick.tick, 0) + len(records)
        self.over_sent, self.lap = tick.phase == LAST_PHASE, leaders_lap(tick)
        self.next_tick, self._simulated = tick.tick + 1, None
        self.due += TICK_S
        return TickToSend(tick.tick, due, at, records)

    def as_published(self, tick: Tick) -> Tick:
        """The tick, with the red flag where the race was stopped."""
        stopped = self.stop_tick is not None and tick.tick >= self.stop_tick
        return red_flagged(tick) if stopped and tick.phase != LAST_PHASE else tick

    def choose_stop_tick(self) -> int:
        """Chooses a tick for the red flag that nobody can have published yet, and holds the race before it.

        It is checked again and again because a race that catches up sends ticks meanwhile.
        """
        while True:
            self.hold_at = max(self.next_tick + 2, self.replay_until + 1)
            if self.next_tick < self.hold_at:
                return self.hold_at

    def acknowledged(self, tick: int, failed: bool) -> None:
        """Kafka has taken or refused one record of a tick. Called from the producer's thread."""
        with self._lock:
            left = self._pending[tick] = self._pending.get(tick, 0) - 1
            if failed:
                self._failed.add(tick)
            if left:
                return
            while self._pending.get(self.published + 1) == 0 and self.published + 1 < self.next_tick:
                if self.published + 1 in self._failed:
                    return
                self.published += 1
                del self._pending[self.published]
                tracer.record(str(self.race_id), self.published, "acknowledged")

    @property
    def broken(self) -> bool:
        """Whether Kafka refused a record for good. What was sent after it must be sent again."""
        return bool(self._failed)

    @property
    def complete(self) -> bool:
        return self.over_sent and self.inflight == 0


def leaders_lap(tick: Tick) -> int:
    return max((car.lap for car in tick.cars), default=0)
