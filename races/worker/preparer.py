"""The thread that makes claimed races ready: simulations, those of races taken over run up to where they stood.

Between preparations it works up the past of races taken over, for the analytics.
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
from django.db import close_old_connections, connection

from races.lib.cooperative import courtesy
from races.models import Race
from races.streams.errors import Closed
from races.worker.backfill import Past
from races.worker.running_race import Held
from races.worker.tick_scheduler import Conductor

log = logging.getLogger(__name__)

RETRY_S = 0.25
SLICE = 10  # ticks of a past, before it is asked whether a race waits to be prepared
Prepared = tuple[Held, Past | None]


class Preparer:
    """prepare gives None where the race was somebody else's meanwhile. registry_error says why records cannot be
    written yet; it is asked until it says nothing, and `obstacle` tells meanwhile.
    """

    def __init__(
        self,
        prepare: Callable[[Race], Prepared | None],
        conductor: Conductor,
        forget: Callable[[uuid.UUID], None],
        registry_error: Callable[[], str],
    ) -> None:
        self._make, self._conductor, self._forget = prepare, conductor, forget
        self._registry_error = registry_error
        self._queue: queue.Queue[uuid.UUID | None] = queue.Queue()
        self._pasts: deque[Past] = deque()
        self._stopping = threading.Event()
        self.waiting: dict[uuid.UUID, Race] = {}  # claimed, and not yet the conductor's
        self.obstacle = ""
        self.ready = threading.Event()  # the registry has answered

    def add(self, race: Race) -> None:
        self.waiting[race.pk] = race
        self._queue.put(race.pk)

    def drop(self, race_id: uuid.UUID) -> None:
        self.waiting.pop(race_id, None)

    def stop(self) -> None:
        self._stopping.set()
        self._queue.put(None)

    def run(self) -> None:
        self._wait_for_registry()
        while not self._stopping.is_set():
            race = self._next()
            if race is not None:
                self._prepare(race)
            elif self._pasts:
                self._work_up()
        connection.close()

    def _wait_for_registry(self) -> None:
        while not self._stopping.is_set():
            error = self._registry_error()
            self.obstacle = error and f"the schema registry: {error}"
            if not error:
                self.ready.set()
                return
            self._stopping.wait(RETRY_S)

    def _next(self) -> Race | None:
        try:
            race_id = self._queue.get(block=not self._pasts)
        except queue.Empty:
            return None
        return None if race_id is None else self.waiting.get(race_id)

    def _prepare(self, race: Race) -> None:
        try:
            close_old_connections()
            prepared = self._make(race)
        except AnyDatabaseError as error:
            log.warning("Race %s waits for the database: %s", race.pk, error)
            self._queue.put(race.pk)
            self._stopping.wait(RETRY_S)
            return
        except Exception as error:
            self._fail(race.pk, error)
            return
        kept = self.waiting.pop(race.pk, None) is not None
        if prepared is not None and kept:
            self._hand_over(*prepared)
        elif prepared is not None:
            self._forget(race.pk)

    def _fail(self, race_id: uuid.UUID, error: Exception) -> None:
        log.exception("Race %s cannot be prepared", race_id)
        self._conductor.failed[race_id] = f"The race cannot be run: {error}"
        self.drop(race_id)

    def _hand_over(self, held: Held, past: Past | None) -> None:
        self._conductor.add(held)
        if past is not None:
            self._pasts.append(past)

    def _work_up(self) -> None:
        past = self._pasts[0]
        try:
            done = past.work(SLICE)
        except Closed:  # the process ends
            done = True
        except Exception:  # the race itself is published in time
            log.exception("Race %s goes on with analytics that do not know all of its past", past.race_id)
            past.give_up()
            done = True
        if done:
            self._pasts.popleft()
        courtesy.step_aside()
        time.sleep(0)  # hands the interpreter to the conductor: other races keep their time
