"""A worker claims races by lease, runs and publishes them, and gives the leases back.

It has three threads. The tick scheduler publishes and touches no database, so a slow disk delays no tick. Preparation
builds simulations; a race of a former worker is simulated silently up to where its publishing stood. This module's loop
does what needs the database: heartbeats, progress, claims, waits and stops. No race is claimed before the schema
registry has answered, so a claimed race can be published.

models/leases.py has the lease rule.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections, connection, transaction

from races.lib.clock import Clocks
from races.models import Race, WorkerHeartbeat
from races.models.leases import LEASE_S, RENEW_S, LeaseObserver
from races.models.race import RESERVE
from races.streams.producer import Publisher
from races.worker.analytics_runner import AnalyticsRunner
from races.worker.backpressure import Backpressure, Reader
from races.worker.drills import Drills
from races.worker.heartbeat import ComponentStatus
from races.worker.preparation import Preparation
from races.worker.running_race import RunningRace
from races.worker.tick_scheduler import TickScheduler

log = logging.getLogger(__name__)

ROUND_S = 0.25
SAVE_TICKS = 5  # a second: forty races share one database
NEW_RACES = 2  # begun in a round: how late they make the others is to be seen before the next ones
ROOM_SPAN_S, ROOM_LATE_S = (
    5.0,
    0.5,
)  # a machine that was so late in the last seconds has no room for another race


class Worker:
    """status: what is wrong with the other components of this process, for the worker's heartbeat. readers: those whom
    the worker waits for.
    """

    def __init__(
        self,
        publisher: Publisher,
        analytics: AnalyticsRunner | None,
        registry_error: Callable[[], str],
        status: ComponentStatus,
        readers: Sequence[Reader] = (),
        clocks: Clocks | None = None,
        owner: str = "",
        drills: Drills | None = None,
    ) -> None:
        self.owner = owner or uuid.uuid4().hex[:16]
        self._clocks = clocks or Clocks()
        self.publisher, self.analytics, self._status = publisher, analytics, status
        self.backpressure = Backpressure(readers, self._clocks.monotonic)
        self.scheduler = TickScheduler(
            publisher,
            self._clocks.monotonic,
            lambda: self._clocks.monotonic() - self._renewed_at < LEASE_S,
            self.backpressure.reason,
            drills,
        )
        self.preparation = Preparation(
            self.owner,
            self._clocks,
            self.scheduler,
            analytics,
            publisher.writes("car_metrics"),
            registry_error,
        )
        self.state = "running"
        self._renewed_at = self._clocks.monotonic()
        self._others = LeaseObserver()
        self._refused: dict[
            uuid.UUID, int
        ] = {}  # by race, the last tick that Kafka took before it refused one
        self._stopping = threading.Event()

    def run(self) -> None:
        """Runs until stop(), and then releases every lease. Raises RuntimeError when one of its threads dies."""
        threads = [
            threading.Thread(target=self.scheduler.run, name="tick scheduler", daemon=True),
            threading.Thread(target=self.preparation.run, name="preparation", daemon=True),
        ]
        for thread in threads:
            thread.start()
        next_heartbeat = 0.0
        while not self._stopping.is_set() and all(thread.is_alive() for thread in threads):
            if self._clocks.monotonic() >= next_heartbeat:
                next_heartbeat = self._clocks.monotonic() + RENEW_S
                self._guarded(self.send_heartbeat)
            self._guarded(self._round)
            self._stopping.wait(ROUND_S)
        self.shut_down(threads)
        if not self._stopping.is_set():
            raise RuntimeError("a thread of the worker died")

    def stop(self) -> None:
        self._stopping.set()

    def worst_lateness_s(self) -> float:
        """The most that a tick of the last minute was sent after it was due."""
        return self.scheduler.lateness.value(self._clocks.monotonic())

    def shut_down(self, threads: list[threading.Thread]) -> None:
        self.scheduler.stop()
        self.preparation.stop()
        threads[0].join(1.0)
        self.publisher.flush(0.5)
        self._guarded(self._release)
        connection.close()

    def _release(self) -> None:
        for race in list(self.scheduler.races.values()):
            if not race.lost:
                Race.objects.held_by(self.owner, race.race_id).release(race.published, race.lap)
        Race.objects.filter(lease_owner=self.owner).update(lease_owner="")  # those that were being prepared
        WorkerHeartbeat.objects.filter(owner=self.owner).delete()

    def _guarded(self, action: Callable[[], object]) -> None:
        """Runs the action. While the database is away or locked, the worker says so and tries again."""
        try:
            close_old_connections()
            action()
            self.state = "running"
        except AnyDatabaseError as error:
            if self.state == "running":
                log.warning("The database does not answer: %s", error)
            self.state = "waiting for the database"

    def _claimed(self) -> set[uuid.UUID]:
        return {*self.scheduler.races, *self.preparation.waiting}

    def send_heartbeat(self) -> None:
        asked_at, claimed = self._clocks.monotonic(), self._claimed()
        with transaction.atomic():
            WorkerHeartbeat.beat(self.owner, len(claimed), self._status.heartbeat_state() or self.state)
            lost = Race.objects.renew(self.owner, claimed)
        for race_id in lost:
            log.warning("Race %s has another worker now, or is deleted", race_id)
            self.preparation.drop(race_id)
        self._renewed_at = asked_at

    def _round(self) -> None:
        self._claim()
        for race_id, reason in list(self.scheduler.failed.items()):
            Race.objects.held_by(self.owner, race_id).fail(reason)
            self.preparation.drop(race_id)
            del self.scheduler.failed[race_id]
        running = [race.race_id for race in list(self.scheduler.races.values()) if race.stop_tick is None]
        for race_id, written in Race.objects.stop_requests(running) if running else ():
            race = self.scheduler.races.get(race_id)
            if race is None:
                continue
            tick = race.choose_stop_tick() if written is None else written
            if written is not None or Race.objects.held_by(self.owner, race_id).save_stop(tick):
                race.stop_tick = tick
            race.hold_at = None
        with transaction.atomic():  # one commit for all races, not one each
            for race in list(self.scheduler.races.values()):
                self._save(race)

    def _claim(self) -> None:
        now, claimed = self._clocks.monotonic(), self._claimed()
        leases = Race.objects.leases()
        self._others.keep_only(leases)
        free = [
            (race_id, lease)
            for race_id, lease in leases.items()
            if not (lease[0] == self.owner and race_id in claimed)
            and self._others.expired(race_id, lease, now)
        ]
        queue = Race.objects.queued([race_id for race_id, _ in free]) if free else []
        started, new = [one for one in free if one[0] not in queue], [one for one in free if one[0] in queue]
        # a machine that is late with the races that it runs has no room for another one
        late_s = max(
            figure.value(now, ROOM_SPAN_S) for figure in (self.scheduler.lateness, self.scheduler.waits)
        )
        has_room = not self._claimed() or (late_s < ROOM_LATE_S and self.backpressure.calm())
        room = NEW_RACES if has_room else 0
        for race_id, lease in started + new[:room]:
            # a race is left to other workers as long as this one could not publish it
            obstacle = self.preparation.obstacle or (self.analytics.waiting_for if self.analytics else "")
            if obstacle:
                Race.objects.seen_as(race_id, lease).explain_wait(obstacle)
            elif self.preparation.ready.is_set() and Race.objects.claim(race_id, self.owner, lease):
                self._prepare(race_id)
        if not room:
            # the page of each new race says that it waits for room, and for how many others
            running = len(self._claimed())
            races = "its one race" if running == 1 else f"its {running} races"
            for place, (race_id, lease) in enumerate(new, 1):
                why = f"room on this machine, which is late with {races}. Place {place} of {len(new)} in the queue"
                Race.objects.seen_as(race_id, lease).explain_wait(why)

    def _prepare(self, race_id: uuid.UUID) -> None:
        race = Race.objects.filter(pk=race_id).first()
        if race is not None:  # else it was deleted meanwhile
            self.preparation.add(race)

    def _save(self, race: RunningRace) -> None:
        """Writes what has changed of a race: its end, its progress, a wait that it asks for."""
        row = Race.objects.held_by(self.owner, race.race_id)
        if race.broken:
            # Kafka refused records for good: the race is simulated again up to the last tick that it has, and
            # sent again from there. A tick that is refused twice fails the race.
            self.preparation.drop(race.race_id)
            if self._refused.get(race.race_id) == race.published:
                words = f"Kafka refuses the records of tick {race.published + 1} for good"
                self.scheduler.failed[race.race_id] = words
                return
            self._refused[race.race_id] = race.published
            self._prepare(race.race_id)
        elif race.complete and (race.analysed or self.analytics is None):
            if row.finish_publishing(race.published, race.lap):
                transaction.on_commit(lambda: self.preparation.drop(race.race_id))
        elif self.save_progress(race):
            tick = self.scheduler.wants_wait.get(race.race_id)
            now = self._clocks.monotonic()
            if tick is None or tick != race.next_tick or not race.wants_wait(now):
                # it was asked for just as the one before was granted
                self.scheduler.wants_wait.pop(race.race_id, None)
                return
            waits = [*race.waits, [tick, round(race.lateness(now) * 1000)]]

            def resume() -> None:
                race.waits = waits
                self.scheduler.resume(race)

            if Race.objects.held_by(self.owner, race.race_id).save_waits(waits):
                transaction.on_commit(resume)
        else:
            self.preparation.drop(race.race_id)

    def save_progress(self, race: RunningRace) -> bool:
        """Returns False where the lease is lost."""
        reserve = max(race.reserved, race.replay_until, race.next_tick + RESERVE)
        if race.stop_tick is not None:
            reserve = max(race.reserved, race.stop_tick)
        soon_used_up = reserve != race.reserved and race.reserved - race.next_tick <= RESERVE - SAVE_TICKS
        if race.saved_waiting_for == race.waiting_for and not soon_used_up:
            return True
        row, why = Race.objects.held_by(self.owner, race.race_id), race.waiting_for

        def saved() -> None:
            race.saved_waiting_for, race.reserved = why, reserve

        if not row.save_progress(race.published, reserve, race.lap, why):
            return False
        transaction.on_commit(saved)  # what is rolled back was never reserved
        return True
