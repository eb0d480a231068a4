"""Publishes every held race's ticks at their time: one thread, one heap, the earliest tick first."""

from __future__ import annotations

import heapq
import logging
import math
import threading
import uuid
from collections.abc import Callable
from itertools import count

from races.lib.clock import Clock
from races.lib.cooperative import courtesy
from races.lib.rolling_maximum import Worst
from races.lib.tracing import tracer
from races.streams.producer import Publisher
from races.worker.running_race import LATE_S, Held
from races.worker.staggering import until_own_turn

log = logging.getLogger(__name__)

MAX_INFLIGHT = 10  # ticks, 2 s: more unacknowledged than that means that the broker is away
RETRY_S = 0.05
IDLE_S = 0.25


class Conductor:
    """lease_fresh says whether the leases are certainly still ours: a worker that was suspended must look first."""

    def __init__(self, publisher: Publisher, clock: Clock, lease_fresh: Callable[[], bool]) -> None:
        self._publisher, self._clock, self._lease_fresh = publisher, clock, lease_fresh
        self._heap: list[tuple[float, int, Held]] = []
        self._order = count()
        self._wake = threading.Condition()
        self._stopping = False
        self.held: dict[uuid.UUID, Held] = {}
        self.failed: dict[uuid.UUID, str] = {}
        self.wants_wait: dict[uuid.UUID, int] = {}
        self.lateness = Worst()

    def add(self, held: Held) -> None:
        with self._wake:
            self.held[held.race_id] = held
            if held.over_sent:  # by who held it before: only its end is left to be written
                return
            self._push(held, held.due)
            self._wake.notify()

    def drop(self, race_id: uuid.UUID) -> None:
        held = self.held.pop(race_id, None)
        if held:
            held.lost = True
        self.wants_wait.pop(race_id, None)

    def waited(self, held: Held) -> None:
        """The wait that the race asked for is in the database: go on from now."""
        held.due = self._clock() + self.until_turn_s(held)
        self.wants_wait.pop(held.race_id, None)

    def until_turn_s(self, besides: Held | None = None) -> float:
        """For a race that begins or goes on now: how long until a moment at which no other's tick is due."""
        others = [held.due for held in list(self.held.values()) if held is not besides and not held.over_sent]
        return until_own_turn(others, self._clock())

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def run(self) -> None:
        while not self._stopping:
            held, is_due = self._next()
            if held is None or held.lost:
                continue
            if is_due:
                self._turn(held)
            else:
                self._make_ready(held)
        courtesy.next_due = math.inf  # nobody gives way to what has ended

    def _push(self, held: Held, at: float) -> None:
        heapq.heappush(self._heap, (at, next(self._order), held))

    def _next(self) -> tuple[Held | None, bool]:
        """(who comes next, whether its tick is due); nobody while all that can be done beforehand is done."""
        with self._wake:
            if not self._heap:
                courtesy.next_due = math.inf
                self._wake.wait(IDLE_S)
                return None, False
            at, _, held = self._heap[0]
            courtesy.next_due = at
            ahead = at - self._clock()
            if ahead <= 0:
                heapq.heappop(self._heap)
                return held, True
            if held.ready or held.lost:
                self._wake.wait(min(ahead, IDLE_S))
                return None, False
            return held, False

    def _make_ready(self, held: Held) -> None:
        """The half of the work that needs no clock is done before the tick is due."""
        try:
            held.peek()
        except Exception as error:
            self._fail(held, error)

    def _turn(self, held: Held) -> None:
        try:
            again = self._publish(held)
        except Exception as error:
            self._fail(held, error)
            return
        if again is not None:
            with self._wake:
                self._push(held, again)

    def _fail(self, held: Held, error: Exception) -> None:
        log.error("Race %s fails", held.race_id, exc_info=error)
        self.drop(held.race_id)
        self.failed[held.race_id] = f"The simulation broke: {type(error).__name__}: {error}"

    def _publish(self, held: Held) -> float | None:
        """Sends the next tick if it may go. Returns when to look again; None: everything is sent."""
        now = self._clock()
        reason = self._obstacle(held)
        held.waiting_for = reason if held.lateness(now) > LATE_S else ""
        if reason:
            return now + RETRY_S
        if held.wants_wait(now):
            self.wants_wait.setdefault(held.race_id, held.next_tick)
            return now + RETRY_S
        if held.next_tick > held.replay_until:
            self.lateness.note(held.lateness(now), now)
        self._send(held)
        return None if held.over_sent else held.due

    def _obstacle(self, held: Held) -> str:
        """Why nothing may go out, in words that stay the same while it lasts: each change is written for each race.
        /healthz has the details.
        """
        if not self._lease_fresh():
            return "the database: this worker's lease cannot be renewed"
        if held.hold_at is not None and held.next_tick >= held.hold_at:
            return "the red flag"
        if held.inflight >= MAX_INFLIGHT:
            return "Kafka: the broker does not answer"
        if held.next_tick > held.reserved:
            return "the database: it does not take the race's progress"
        return ""

    def _send(self, held: Held) -> None:
        race_id, due = str(held.race_id), held.due
        tick = held.peek().tick
        records = held.records()
        timestamp = held.event_ms(tick)
        tracer.note(race_id, tick, "due", due)
        tracer.note(race_id, tick, "simulated")
        held.sent(len(records))

        def delivered(error: Exception | None) -> None:
            held.acknowledged(tick, error is not None)

        for record in records:
            self._publisher.send(record.role, record.key, record.value, timestamp, delivered)
        tracer.note(race_id, tick, "sent")
