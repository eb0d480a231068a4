"""A worker: claims races by lease, runs and publishes them, gives them back.

Three threads. The conductor publishes and touches no database, so that a slow disk delays no tick. The keeper
(this module's loop) does all that the database needs: heartbeats, progress, claims, waits, stops. The preparer
builds simulations, those of races taken over run silently up to where their publishing stood. None is claimed
before the schema registry has answered: what is held can be published.

The lease: its counter moves every 2 s; an observer that has seen it stand still for 6 s on its own monotonic
clock takes the race. Who cannot renew for 6 s stops publishing before that.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections, connection, transaction

from races.lib.clock import Clocks
from races.models import Race
from races.streams.producer import Publisher
from races.worker import store
from races.worker.analytics_runner import Analysis
from races.worker.preparation import prepare
from races.worker.preparer import Prepared, Preparer
from races.worker.running_race import RESERVE, Held
from races.worker.tick_scheduler import Conductor

log = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
LEASE_S = 6.0
ROUND_S = 0.25
SAVE_TICKS = 5  # a second: forty races share one database


class Worker:
    def __init__(
        self,
        publisher: Publisher,
        analysis: Analysis | None,
        registry_error: Callable[[], str],
        clocks: Clocks | None = None,
        owner: str = "",
    ) -> None:
        self.owner = owner or uuid.uuid4().hex[:16]
        self.clocks = clocks or Clocks()
        self.publisher, self.analysis = publisher, analysis
        self.conductor = Conductor(publisher, self.clocks.monotonic, self._lease_fresh)
        self.preparer = Preparer(self._prepared, self.conductor, self._forget, registry_error)
        self.state = "running"
        self.ails: Callable[[], str] = str  # what the other parts of this process say of themselves
        self._renewed_at = self.clocks.monotonic()
        self._seen: dict[uuid.UUID, tuple[tuple[str, int], float]] = {}
        # by race, the last tick that Kafka took before it refused one
        self._refused: dict[uuid.UUID, int] = {}
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until stop(); then every lease is released."""
        threads = [
            threading.Thread(target=self.conductor.run, name="conductor", daemon=True),
            threading.Thread(target=self.preparer.run, name="preparer", daemon=True),
        ]
        for thread in threads:
            thread.start()
        next_heartbeat = 0.0
        while not self._stopping.is_set() and all(thread.is_alive() for thread in threads):
            if self.clocks.monotonic() >= next_heartbeat:
                next_heartbeat = self.clocks.monotonic() + HEARTBEAT_S
                self._guarded(self._heartbeat)
            self._guarded(self._round)
            self._stopping.wait(ROUND_S)
        self._end(threads)
        if not self._stopping.is_set():
            raise RuntimeError("a thread of the worker died")

    def stop(self) -> None:
        self._stopping.set()

    def _end(self, threads: list[threading.Thread]) -> None:
        self.conductor.stop()
        self.preparer.stop()
        threads[0].join(1.0)
        self.publisher.flush(0.5)
        self._guarded(lambda: store.release(self.owner, list(self.conductor.held.values())))
        connection.close()

    def _lease_fresh(self) -> bool:
        return self.clocks.monotonic() - self._renewed_at < LEASE_S

    def _guarded(self, action: Callable[[], object]) -> None:
        """The database may be away or locked; the worker says so and tries again."""
        try:
            close_old_connections()
            action()
            self.state = "running"
        except AnyDatabaseError as error:
            if self.state == "running":
                log.warning("The database does not answer: %s", error)
            self.state = "waiting for the database"

    def _heartbeat(self) -> None:
        asked_at = self.clocks.monotonic()
        ids = {*self.conductor.held, *self.preparer.waiting}
        for race_id in store.heartbeat(self.owner, ids, self.ails() or self.state):
            log.warning("Race %s has another worker now, or is deleted", race_id)
            self.preparer.drop(race_id)
            self._forget(race_id)
        self._renewed_at = asked_at

    def _round(self) -> None:
        self._claim()
        self._report_failures()
        self._stops()
        with transaction.atomic():  # one commit for all races, not one each
            for held in list(self.conductor.held.values()):
                self._tend(held)

    def _claim(self) -> None:
        now = self.clocks.monotonic()
        leases = store.leases()
        self._seen = {pk: seen for pk, seen in self._seen.items() if pk in leases}
        for race_id, lease in leases.items():
            if lease[0] == self.owner and race_id in {*self.conductor.held, *self.preparer.waiting}:
                continue
            if self._may_take(race_id, lease, now):
                self._take_or_tell(race_id, lease)

    def _take_or_tell(self, race_id: uuid.UUID, lease: tuple[str, int]) -> None:
        """A race is left to other workers as long as we could not publish it."""
        obstacle = self.preparer.obstacle or (self.analysis.waiting_for if self.analysis else "")
        if obstacle:
            store.tell(race_id, lease, obstacle)
        elif self.preparer.ready.is_set() and Race.objects.claim(race_id, self.owner, lease):
            self._take(race_id)

    def _may_take(self, race_id: uuid.UUID, lease: tuple[str, int], now: float) -> bool:
        if not lease[0]:
            return True
        seen, since = self._seen.get(race_id, (None, now))
        if seen != lease:
            self._seen[race_id] = (lease, now)
            return False
        return now - since >= LEASE_S

    def _take(self, race_id: uuid.UUID) -> None:
        race = Race.objects.filter(pk=race_id).first()
        if race is not None:  # else it was deleted meanwhile
            self.preparer.add(race)

    def _prepared(self, race: Race) -> Prepared | None:
        metrics = self.publisher.writes("car_metrics")
        until_turn_s = self.conductor.until_turn_s
        return prepare(race, self.owner, self.clocks, self.analysis, metrics, until_turn_s)

    def _report_failures(self) -> None:
        for race_id, reason in list(self.conductor.failed.items()):
            store.fail(self.owner, race_id, reason)
            self._forget(race_id)
            del self.conductor.failed[race_id]

    def _stops(self) -> None:
        running = [held.race_id for held in list(self.conductor.held.values()) if held.stop_tick is None]
        for race_id, written in store.stop_requests(running) if running else ():
            held = self.conductor.held.get(race_id)
            if held is None:
                continue
            tick = held.hold() if written is None else written
            if written is not None or store.save_stop(self.owner, race_id, tick):
                held.stop_tick = tick
            held.hold_at = None

    def _tend(self, held: Held) -> None:
        if held.broken:
            self._retake(held)
        elif held.complete and (held.analysed or self.analysis is None):
            if store.finish_publishing(self.owner, held):
                transaction.on_commit(lambda: self._forget(held.race_id))
        elif self._save(held):
            self._wait_if_late(held)
        else:
            self._forget(held.race_id)

    def _save(self, held: Held) -> bool:
        reserve = max(held.reserved, held.replay_until, held.next_tick + RESERVE)
        if held.stop_tick is not None:
            reserve = max(held.reserved, held.stop_tick)
        ahead = held.reserved - held.next_tick
        if held.saved_words == held.waiting_for and (
            reserve == held.reserved or ahead > RESERVE - SAVE_TICKS
        ):
            return True
        return store.save_progress(self.owner, held, reserve)

    def _wait_if_late(self, held: Held) -> None:
        tick = self.conductor.wants_wait.get(held.race_id)
        now = self.clocks.monotonic()
        if tick is None or tick != held.next_tick or not held.wants_wait(now):
            self.conductor.wants_wait.pop(held.race_id, None)  # asked for just as the one before was granted
            return
        ms = round(held.lateness(now) * 1000)
        waits = [*held.waits, [tick, ms]]

        def go_on() -> None:
            held.waits = waits
            self.conductor.waited(held)

        if store.save_waits(self.owner, held.race_id, waits):
            transaction.on_commit(go_on)

    def _retake(self, held: Held) -> None:
        """The broker refused records for good: run up to the last tick it has, and send again from there. What it
        then refuses again it will never take.
        """
        self._forget(held.race_id)
        if self._refused.get(held.race_id) == held.published:
            words = f"Kafka refuses the records of tick {held.published + 1} for good"
            self.conductor.failed[held.race_id] = words
            return
        self._refused[held.race_id] = held.published
        self._take(held.race_id)

    def _forget(self, race_id: uuid.UUID) -> None:
        self.conductor.drop(race_id)
        if self.analysis is not None:
            self.analysis.forget(str(race_id))
