"""One race in a worker's hands: its simulation, its clock and which of its ticks the broker has."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from dataclasses import dataclass

from races.lib.tracing import tracer
from races.sim import Race, Tick
from races.worker.records import LAST_PHASE, Addressed, Field, red_flagged, tick_records

TICK_S = 0.2
RESERVE = 20  # ticks that may be published ahead of what the database knows
LATE_S = 1.0  # lateness up to this is made up for; beyond it a wait is recorded


@dataclass(slots=True)
class Held:
    """Due is on the monotonic clock. Ticks up to replay_until may have been published before, by whoever held the
    race: they go out again with the event times they had, and no wait may come before them.
    """

    race_id: uuid.UUID
    sim: Race
    field: Field
    started_ms: int
    waits: list[list[int]]
    metrics: bool
    published: int
    replay_until: int
    reserved: int
    due: float
    stop_tick: int | None = None
    hold_at: int | None = None  # go no further until the database has the stop
    next_tick: int = 0
    over_sent: bool = False
    analysed: bool = False
    lost: bool = False
    waiting_for: str = ""
    lap: int = 0
    saved_words: str | None = None  # waiting_for as the database has it
    _tick: Tick | None = None
    _pending: dict[int, int] = dataclasses.field(default_factory=dict)
    _failed: set[int] = dataclasses.field(default_factory=set)
    _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def event_ms(self, tick: int) -> int:
        return self.started_ms + tick * 200 + sum(ms for at, ms in self.waits if at <= tick)

    @property
    def inflight(self) -> int:
        return self.next_tick - 1 - self.published

    def lateness(self, now: float) -> float:
        return now - self.due

    def wants_wait(self, now: float) -> bool:
        return self.next_tick > self.replay_until and self.lateness(now) > LATE_S

    @property
    def ready(self) -> bool:
        """The tick that goes out next is simulated."""
        return self._tick is not None

    def peek(self) -> Tick:
        """The tick that goes out next, simulated once however often its sending is tried."""
        if self._tick is None:
            self._tick = self.sim.advance()
        return self.as_published(self._tick)

    def simulated(self) -> Tick:
        return self.as_published(self.sim.advance())

    def as_published(self, tick: Tick) -> Tick:
        stopped = self.stop_tick is not None and tick.tick >= self.stop_tick
        return red_flagged(tick) if stopped and tick.phase != LAST_PHASE else tick

    def records(self) -> list[Addressed]:
        tick = self.peek()
        return list(tick_records(self.field, tick, self.event_ms(tick.tick), self.metrics))

    def hold(self) -> int:
        """A tick for the red flag: beyond everything that may have been published, by us or by whoever held the
        race before. Looked at again, since a race that catches up sends while we count.
        """
        while True:
            self.hold_at = max(self.next_tick + 2, self.replay_until + 1)
            if self.next_tick < self.hold_at:
                return self.hold_at

    def sent(self, count: int) -> None:
        """The newest tick's records are with the producer."""
        tick = self.peek()
        with self._lock:
            self._pending[tick.tick] = self._pending.get(tick.tick, 0) + count
        self.over_sent = tick.phase == LAST_PHASE
        self.lap = max((car.lap for car in tick.cars), default=0)
        self.next_tick, self._tick = tick.tick + 1, None
        self.due += TICK_S
        self._settle()

    def acknowledged(self, tick: int, failed: bool) -> None:
        """One record of a tick came back from the broker; called from the producer's thread."""
        with self._lock:
            waiting = self._pending[tick] = self._pending.get(tick, 0) - 1
            if failed:
                self._failed.add(tick)
        if not waiting:
            self._settle()

    def _settle(self) -> None:
        with self._lock:
            while self._pending.get(self.published + 1) == 0 and self.published + 1 < self.next_tick:
                if self.published + 1 in self._failed:
                    return
                self.published += 1
                del self._pending[self.published]
                tracer.note(str(self.race_id), self.published, "acknowledged")

    @property
    def broken(self) -> bool:
        """The broker refused a record for good: what was sent since is of no use before it is sent again."""
        return bool(self._failed)

    @property
    def complete(self) -> bool:
        return self.over_sent and self.inflight == 0
