"""The tick scheduler sends every race's ticks when they are due: one thread, one heap, the earliest tick first.

Races of one worker are staggered within a tick. Forty races that were due together would be sent one after the other,
and the last of them late.
"""

from __future__ import annotations

import heapq
import logging
import math
import threading
import uuid
from collections.abc import Callable, Iterable
from itertools import count, pairwise

from races.lib.clock import Clock
from races.lib.cooperative import yielder
from races.lib.metrics import TICK_LATENESS
from races.lib.throughput import RollingMaximum
from races.lib.tracing import tracer
from races.sim import TICK_S
from races.streams.producer import Publisher
from races.worker.drills import Drills
from races.worker.running_race import LATE_S, RunningRace

log = logging.getLogger(__name__)

MAX_INFLIGHT = 10  # ticks, 2 s: with more of them unacknowledged the broker counts as away
RETRY_S = 0.05
IDLE_S = 0.25


def stagger_delay_s(dues: Iterable[float], now: float) -> float:
    """Seconds, less than a tick, until the middle of the widest gap between the due times of other races."""
    turns = sorted(due % TICK_S for due in dues)
    if not turns:
        return 0.0
    width, start = max((later - turn, turn) for turn, later in pairwise([*turns, turns[0] + TICK_S]))
    return (start + width / 2 - now) % TICK_S


class TickScheduler:
    """lease_fresh says whether the worker's leases are certainly still its own. A worker that was suspended must look
    into the database first. backpressure says why the readers need time; empty where they do not.
    """

    def __init__(
        self,
        publisher: Publisher,
        clock: Clock,
        lease_fresh: Callable[[], bool],
        backpressure: Callable[[], str] = str,
        drills: Drills | None = None,
    ) -> None:
        self._publisher, self._clock, self._lease_fresh = publisher, clock, lease_fresh
        self._backpressure, self._drills = backpressure, drills or Drills(clock)
        self._heap: list[tuple[float, int, RunningRace]] = []
        self._order = count()
        self._wake = threading.Condition()
        self._stopping = False
        self.races: dict[uuid.UUID, RunningRace] = {}
        self.failed: dict[uuid.UUID, str] = {}
        self.wants_wait: dict[uuid.UUID, int] = {}
        self.lateness = RollingMaximum()  # of the ticks that were sent
        self.waits = RollingMaximum()  # of the ticks that were so late that their race waits

    def add(self, race: RunningRace) -> None:
        with self._wake:
            self.races[race.race_id] = race
            if race.over_sent:  # by its former worker: only its end is left to be saved
                return
            self._push(race, race.due)
            self._wake.notify()

    def drop(self, race_id: uuid.UUID) -> None:
        race = self.races.pop(race_id, None)
        if race:
            race.lost = True
        self.wants_wait.pop(race_id, None)

    def resume(self, race: RunningRace) -> None:
        """The wait that the race asked for is in the database. The race goes on from now."""
        race.due = self._clock() + self.stagger_s(race)
        self.wants_wait.pop(race.race_id, None)

    def stagger_s(self, besides: RunningRace | None = None) -> float:
        """How long a race that starts or resumes now waits until no other race's tick is due."""
        others = [
            race.due for race in list(self.races.values()) if race is not besides and not race.over_sent
        ]
        return stagger_delay_s(others, self._clock())

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def run(self) -> None:
        while not self._stopping:
            race, is_due = self._next()
            if race is None or race.lost:
                continue
            try:
                if is_due:
                    self.publish(race)
                else:
                    race.simulate()  # the half of the work that needs no clock
            except Exception as error:
                log.error("Race %s fails", race.race_id, exc_info=error)
                self.drop(race.race_id)
                self.failed[race.race_id] = f"The simulation broke: {type(error).__name__}: {error}"
        yielder.next_due = math.inf

    def _push(self, race: RunningRace, at: float) -> None:
        heapq.heappush(self._heap, (at, next(self._order), race))

    def _next(self) -> tuple[RunningRace | None, bool]:
        """(the race whose turn it is, whether its tick is due). It waits, and returns no race, while every tick that
        can be simulated beforehand is.
        """
        with self._wake:
            if not self._heap:
                yielder.next_due = math.inf
                self._wake.wait(IDLE_S)
                return None, False
            at, _, race = self._heap[0]
            yielder.next_due = at
            ahead = at - self._clock()
            if ahead <= 0:
                heapq.heappop(self._heap)
                return race, True
            if race.ready or race.lost:
                self._wake.wait(min(ahead, IDLE_S))
                return None, False
            return race, False

    def publish(self, race: RunningRace) -> None:
        """Sends the race's next tick if it may go, and puts the race back on the heap."""
        again = self._send_if_allowed(race)
        if again is not None:
            with self._wake:
                self._push(race, again)

    def _send_if_allowed(self, race: RunningRace) -> float | None:
        """Returns when to look again; None once every tick is sent."""
        now = self._clock()
        obstacle = self._obstacle(race)
        race.waiting_for = obstacle if race.lateness(now) > LATE_S else ""
        if obstacle:
            return now + RETRY_S
        if race.wants_wait(now):
            self.waits.add(race.lateness(now), now)
            self.wants_wait.setdefault(race.race_id, race.next_tick)
            return now + RETRY_S
        if race.next_tick > race.replay_until:
            self.lateness.add(race.lateness(now), now)
            TICK_LATENESS.observe(max(0.0, race.lateness(now)))
        tick, race_id = race.take(), str(race.race_id)
        tracer.record(race_id, tick.number, "due", tick.due)
        tracer.record(race_id, tick.number, "simulated")

        def delivered(error: Exception | None) -> None:
            race.acknowledged(tick.number, error is not None)

        for record in tick.records:
            self._publisher.send(record.role, record.key, record.value, tick.event_ms, delivered)
        for record in tick.records if self._drills.on("twice") else ():
            self._publisher.send(record.role, record.key, record.value, tick.event_ms)
        tracer.record(race_id, tick.number, "sent")
        return None if race.over_sent else race.due

    def _obstacle(self, race: RunningRace) -> str:
        """Why no tick may be sent now. The words stay the same while it lasts, because each change is written to the
        database for each race. /healthz has the details.
        """
        if not self._lease_fresh():
            return "the database: this worker's lease cannot be renewed"
        if race.hold_at is not None and race.next_tick >= race.hold_at:
            return "the red flag"
        if race.inflight >= MAX_INFLIGHT:
            return "Kafka: the broker does not answer"
        if race.next_tick > race.reserved:
            return "the database: it does not take the race's progress"
        return self._backpressure()
