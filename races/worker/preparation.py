"""Preparation: from a claimed race to one that the tick scheduler can publish.

A new race begins at its first tick. A race of a former worker is simulated silently up to where its publishing stood.
All of it runs in one thread, which backfills the analytics of taken-over races in its spare time.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections, connection, transaction

from races.lib.clock import Clocks
from races.lib.cooperative import yielder
from races.models import InjectedFault, Race
from races.models.race import RESERVE
from races.sim import MODEL_VERSION, TICK_MS, RaceSettings, load_season
from races.sim import Race as Simulation
from races.streams.errors import Closed
from races.worker.analytics_runner import AnalyticsRunner
from races.worker.backfill import Backfill
from races.worker.records import LAST_PHASE, entry_list
from races.worker.running_race import LATE_S, RunningRace, leaders_lap
from races.worker.tick_scheduler import TickScheduler

log = logging.getLogger(__name__)

RETRY_S = 0.25
CATCH_UP_TICKS = 20  # simulated at a time, in some milliseconds
BACKFILL_TICKS = 10  # backfilled at a time; then a race that waits to be prepared goes first


class ModelChanged(Exception):
    """The race began with another version of the simulation, which would give another race."""


def settings_of(race: Race) -> RaceSettings:
    return RaceSettings(
        circuit=race.circuit,
        laps=race.laps,
        pace=race.pace,
        seed=race.seed,
        incidents=race.incidents,
        faults=race.anomaly_detection,
    )


def prepare(
    race: Race,
    owner: str,
    clocks: Clocks,
    analytics: AnalyticsRunner | None,
    metrics: bool = True,
    stagger_s: Callable[[], float] = float,
) -> tuple[RunningRace, Backfill | None] | None:
    """Makes a claimed race ready. Returns None where another worker has it by now.

    A race that is taken over comes with a backfill, where there are analytics. metrics: whether this lab has topics
    for engine readings; a race that began with them goes on without. stagger_s: how long the next tick waits so that
    it comes between those of other races. Raises ModelChanged, database errors, and what the simulation raises.
    """
    race.refresh_from_db()
    if race.model_version != MODEL_VERSION:
        raise ModelChanged(
            f"it began with model {race.model_version}, and this is {MODEL_VERSION}; run it again to see it whole"
        )
    metrics = metrics and race.anomaly_detection
    sim = Simulation(settings_of(race), sensors=metrics)
    fresh, delay_s = race.started_ms is None, stagger_s()
    now, now_ms = clocks.monotonic(), round((clocks.wall() + delay_s) * 1000)
    if fresh and not _begin(race, owner, now_ms, sim):
        return None
    running = RunningRace(
        race_id=race.pk,
        sim=sim,
        entries=entry_list(str(race.pk), race.laps, load_season()),
        started_ms=now_ms if race.started_ms is None else race.started_ms,
        waits=[list(wait) for wait in race.waits],
        metrics=metrics,
        published=race.published_tick,
        replay_until=-1 if fresh else race.reserved_tick,
        reserved=race.reserved_tick,
        due=clocks.monotonic(),
        stop_tick=race.stop_tick,
        next_tick=race.published_tick + 1,
    )
    backfill = None if fresh or analytics is None else Backfill(settings_of(race), running, analytics)
    if analytics is not None:
        analytics.begin(running, has_past=backfill is not None)
    if not fresh:
        _catch_up(race, running, clocks)
    running.due = max(now + delay_s, clocks.monotonic()) if fresh else clocks.monotonic() + stagger_s()
    return running, backfill


def _begin(race: Race, owner: str, now_ms: int, sim: Simulation) -> bool:
    """Writes the start, and the injected faults: the ground truth that no topic carries."""
    with transaction.atomic():
        if not Race.objects.held_by(owner, race.pk).begin(now_ms):
            return False
        faults = [
            InjectedFault(
                race=race,
                driver_code=fault.driver_code,
                kind=fault.kind,
                start_tick=fault.start_tick,
                end_tick=fault.end_tick,
                size_c=fault.size_c,
            )
            for fault in sim.injected_faults()
        ]
        InjectedFault.objects.bulk_create(faults, ignore_conflicts=True)
    race.status, race.started_ms, race.reserved_tick = Race.Status.RUNNING, now_ms, RESERVE
    return True


def _catch_up(race: Race, running: RunningRace, clocks: Clocks) -> None:
    """Simulates silently to the last published tick. That may have been the race's last one, whose worker did not live
    to save the end.
    """
    for tick in range(CATCH_UP_TICKS, race.published_tick, CATCH_UP_TICKS):
        running.sim.skip_to(tick)
        time.sleep(0)  # hands the interpreter to the scheduler: other races keep their time
    if race.published_tick >= 0:
        running.sim.skip_to(race.published_tick - 1)
        newest = running.as_published(running.sim.advance())
        running.over_sent, running.lap = newest.phase == LAST_PHASE, leaders_lap(newest)
    if not running.over_sent:
        # the time without a worker is a wait before the first tick that certainly was not published
        tick = running.replay_until + 1
        turn_ms = round(clocks.wall() * 1000) + (tick - running.next_tick) * TICK_MS
        behind_ms = turn_ms - running.event_ms(tick)
        if behind_ms > LATE_S * 1000:
            waits = [*running.waits, [tick, behind_ms]]
            if Race.objects.held_by(race.lease_owner, race.pk).save_waits(waits):
                running.waits = waits


class Preparation:
    """The thread that prepares claimed races and hands them to the scheduler.

    registry_error says why the schema registry cannot be used. No race is prepared before it says nothing; `obstacle`
    has its words meanwhile. metrics: whether this lab has topics for engine readings.
    """

    def __init__(
        self,
        owner: str,
        clocks: Clocks,
        scheduler: TickScheduler,
        analytics: AnalyticsRunner | None,
        metrics: bool,
        registry_error: Callable[[], str],
    ) -> None:
        self._owner, self._clocks, self._scheduler, self._analytics = owner, clocks, scheduler, analytics
        self._metrics, self._registry_error = metrics, registry_error
        self._queue: queue.Queue[uuid.UUID | None] = queue.Queue()
        self._backfills: deque[Backfill] = deque()
        self._stopping = threading.Event()
        self.waiting: dict[uuid.UUID, Race] = {}  # claimed, and not yet handed to the scheduler
        self.obstacle = ""
        self.ready = threading.Event()  # the registry has answered

    def add(self, race: Race) -> None:
        self.waiting[race.pk] = race
        self._queue.put(race.pk)

    def drop(self, race_id: uuid.UUID) -> None:
        """The race has another worker, has failed, or is published: nobody here goes on with it."""
        self.waiting.pop(race_id, None)
        self._scheduler.drop(race_id)
        if self._analytics is not None:
            self._analytics.forget(str(race_id))

    def stop(self) -> None:
        self._stopping.set()
        self._queue.put(None)

    def run(self) -> None:
        self._wait_for_registry()
        while not self._stopping.is_set():
            try:
                race_id = self._queue.get(block=not self._backfills)
            except queue.Empty:
                # the race itself is published in time, whatever happens here
                backfill = self._backfills[0]
                try:
                    done = backfill.work(BACKFILL_TICKS)
                except Closed:  # the process ends
                    done = True
                except Exception:
                    log.exception(
                        "Race %s goes on with analytics that lack a part of its past", backfill.race_id
                    )
                    backfill.give_up()
                    done = True
                if done:
                    self._backfills.popleft()
                yielder.give_way()
                time.sleep(0)  # hands the interpreter to the scheduler: other races keep their time
                continue
            race = None if race_id is None else self.waiting.get(race_id)
            if race is not None:
                self._prepare(race)
        connection.close()

    def _wait_for_registry(self) -> None:
        while not self._stopping.is_set():
            error = self._registry_error()
            self.obstacle = error and f"the schema registry: {error}"
            if not error:
                self.ready.set()
                return
            self._stopping.wait(RETRY_S)

    def _prepare(self, race: Race) -> None:
        try:
            close_old_connections()
            prepared = prepare(
                race, self._owner, self._clocks, self._analytics, self._metrics, self._scheduler.stagger_s
            )
        except AnyDatabaseError as error:
            log.warning("Race %s waits for the database: %s", race.pk, error)
            self._queue.put(race.pk)
            self._stopping.wait(RETRY_S)
            return
        except Exception as error:
            log.exception("Race %s cannot be prepared", race.pk)
            self._scheduler.failed[race.pk] = f"The race cannot be run: {error}"
            self.waiting.pop(race.pk, None)
            return
        kept = self.waiting.pop(race.pk, None) is not None
        if prepared is not None and kept:
            running, backfill = prepared
            self._scheduler.add(running)
            if backfill is not None:
                self._backfills.append(backfill)
        elif prepared is not None:
            self.drop(race.pk)
