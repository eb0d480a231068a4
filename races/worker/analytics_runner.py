"""The embedded analytics at work: it reads the running races' records back from Kafka and publishes what follows.

It reads the topics like any other consumer, so what it says is about what was streamed. Its state is a fold over a
race's records. When a worker takes a race over, the regenerated records are folded first (backfill.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable

from races.analytics.engine import Derived, RaceAnalytics
from races.analytics.plausibility import Plan
from races.lib.cooperative import yielder
from races.streams.codec import Codec
from races.streams.consumer import Message, Tail
from races.streams.errors import BadRecord, RegistryUnavailable
from races.streams.lag import BEHIND_S, Ends, Lag, LagLog, behind
from races.streams.producer import Publisher
from races.streams.skipped import SkippedRecords
from races.worker.drills import HELD_ROLE, Drills
from races.worker.language_model import LanguageModel
from races.worker.records import KeyedRecord
from races.worker.running_race import RunningRace

log = logging.getLogger(__name__)

BATCH = 500  # small enough that what is polled and not yet taken is no more than a moment
BACKLOG, BACKLOG_BYTES = 2000, 4 * 1024 * 1024  # some ten seconds of a race, in a sixth of the bytes
REGISTRY_RETRY_S = 0.5
DRILL_STEP_S = 0.1
LAST_EVENTS_S = 2.0  # the longest wait for race control after a race's last positions


class Backlog:
    """Messages of a race that wait while its past is backfilled. When it is full the oldest go, and the backfill goes
    on further: the simulation knows them too.
    """

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self._bytes = 0
        self.dropped_until = -1  # the newest event time that was dropped
        self.ready = False

    def add(self, message: Message) -> None:
        self.messages.append(message)
        self._bytes += message.size
        while not self.ready and (len(self.messages) > BACKLOG or self._bytes > BACKLOG_BYTES):
            dropped = self.messages.popleft()
            self._bytes -= dropped.size
            self.dropped_until = max(self.dropped_until, dropped.timestamp_ms)


def plan_of(race: RunningRace) -> Plan:
    """What this worker knows of its race, whatever the topics say: the drivers, the distance, and when ticks are due.

    Ticks of a former worker reach as far as replay_until. Ours reach as far as the next one, which may be read back
    before it counts as sent.
    """
    entries = race.entries
    drivers = {code: (name, entries.teams[code]) for code, name in entries.names.items()}

    def due(tick: int) -> int | None:
        return race.event_ms(tick) if tick <= max(race.next_tick, race.replay_until) else None

    return Plan(drivers, entries.laps, due)


class AnalyticsRunner:
    """roles: the derived topics that this process writes; Flink may write the others. model words the commentary anew,
    where one is configured.
    """

    def __init__(
        self,
        tail: Tail,
        codec: Codec,
        publisher: Publisher,
        roles: frozenset[str],
        model: LanguageModel | None = None,
        drills: Drills | None = None,
    ) -> None:
        self._tail, self._codec, self._publisher, self._roles = tail, codec, publisher, roles
        self._model, self._drills = model, drills or Drills()
        self._held: deque[Derived] = deque()  # back, in a drill
        self._races: dict[bytes, tuple[RaceAnalytics, RunningRace]] = {}
        self._backlogs: dict[bytes, Backlog] = {}  # of races whose past is not folded yet
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.ready = threading.Event()  # at the topics' ends: what is published from now on is read
        self._ended: dict[bytes, float] = {}  # races whose last positions are read, and since when
        self.records = 0
        self._skipped, self._lag_log = SkippedRecords(codec.topic, log), LagLog("the analysis", log)
        self.error = ""  # what it waits for

    def begin(self, race: RunningRace, has_past: bool = False) -> None:
        """Starts the analytics of a race. With a past, its messages wait until `end_backfill`."""
        race_id = str(race.race_id)
        alarms = "car_metrics_anomalies" in self._roles
        engine = RaceAnalytics(race_id, race.metrics, "commentary" in self._roles, plan_of(race), alarms)
        with self._lock:
            self._races[race_id.encode()] = (engine, race)
            self._backlogs.pop(race_id.encode(), None)
            if has_past:
                self._backlogs[race_id.encode()] = Backlog()

    def fold(self, race: RunningRace, records: Iterable[KeyedRecord], emit: bool) -> None:
        """Folds records of the past. Until `end_backfill` only the backfill's thread touches the race's engine."""
        with self._lock:
            engine, owner = self._races.get(str(race.race_id).encode(), (None, None))
        if engine is None or owner is not race:
            return
        derived = [d for r in records for d in engine.feed(r.role, r.value, r.key)]
        if emit:  # in the engine's own words: a reader that has the line already knows it by its id
            for record in derived:
                if record.role in self._roles:
                    self._send(record)
        race.analysed = engine.over

    def end_backfill(self, race: RunningRace, folded_to: int | None) -> bool:
        """The past is folded up to this event time (None: up to what is sent), and the backlog may go. Returns False
        where more must be folded, because the backlog had no room for all that came meanwhile.
        """
        with self._lock:
            backlog = self._backlogs.get(str(race.race_id).encode())
            if backlog is None:
                return True
            if folded_to is not None and backlog.dropped_until >= folded_to:
                return False
            backlog.ready = True
            return True

    def forget(self, race_id: str) -> None:
        with self._lock:
            self._races.pop(race_id.encode(), None)
            self._backlogs.pop(race_id.encode(), None)

    @property
    def waiting_for(self) -> str:
        state = self._tail.state.text.removeprefix("waiting: ")
        return "" if self.ready.is_set() else f"Kafka: {state}"

    def lag(self, ends: Ends | None = None) -> Lag:
        """How far the analytics are behind. ends: as a writer here knows them."""
        return self._tail.lag(ends=ends)

    @property
    def trouble(self) -> str:
        """What is wrong; empty while the analytics follow the races in time."""
        lag = self.lag()
        late = behind("the analysis", lag) if lag.seconds > BEHIND_S else ""
        return self.error or self.waiting_for or late

    @property
    def bad_records(self) -> int:
        return self._skipped.counts.total()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        try:
            while not self._stopping.is_set() and not self._tail.state.ok:
                self._tail.poll(1, 0.05)
            self.ready.set()
            while not self._stopping.is_set():
                if self._drills.on("pause"):
                    self._stopping.wait(DRILL_STEP_S)
                    continue
                self._release_held()
                batch = self._tail.poll(BATCH, 0.2 if self._model is None else 0.05)
                # the messages of races whose past is folded by now
                with self._lock:
                    ready = [race for race, backlog in self._backlogs.items() if backlog.ready]
                    kept = [message for race in ready for message in self._backlogs.pop(race).messages]
                for message in yielder.between([*kept, *batch]):
                    self.take_patiently(message)
                # an event that a gap has swallowed must not keep its race from finishing
                before = time.monotonic() - LAST_EVENTS_S
                for race_id in [race_id for race_id, since in self._ended.items() if since < before]:
                    del self._ended[race_id]
                    with self._lock:
                        found = self._races.get(race_id)
                        derived = found[0].give_up_waiting() if found else []
                    self._publish(derived)
                    if found:
                        found[1].analysed = True
                self._lag_log.check(self.lag())
                for worded in self._model.ready() if self._model else ():
                    self._send(worded)
        finally:
            self._tail.close()
            if self._model is not None:
                self._model.close()

    def take_patiently(self, message: Message) -> None:
        """Takes a message. While the registry does not answer for its schema, it waits: a message that was read and
        not taken would be lost.
        """
        while not self._stopping.is_set():
            try:
                self._analyse(message)
                self.error = ""
                return
            except RegistryUnavailable:
                # the registry may take seconds, and the worker's loop that renews the leases needs the lock
                try:
                    self._codec.learn(message.role, message.key, message.value)
                except RegistryUnavailable as error:
                    if not self.error:
                        log.warning("The analytics wait for the schema registry: %s", error)
                    self.error = f"waiting for the schema registry: {error}"
                    self._stopping.wait(REGISTRY_RETRY_S)

    def _analyse(self, message: Message) -> None:
        race_id = (message.key or b"").split(b":")[0]
        with self._lock:
            found = self._races.get(race_id)
            if found is None or message.value is None:
                return
            if race_id in self._backlogs:
                self._backlogs[race_id].add(message)
                return
            engine, race = found
            derived = self._feed(engine, message)
        self._publish(derived)
        if engine.over:
            race.analysed = True
        elif engine.ended:
            self._ended.setdefault(race_id, time.monotonic())

    def _feed(self, engine: RaceAnalytics, message: Message) -> list[Derived]:
        try:
            record = self._codec.decode(message.role, message.value or b"", ask=False)
        except BadRecord as error:
            self._skipped.add(message, error)
            return []
        self.records += 1
        try:
            return engine.feed(message.role, record, (message.key or b"").decode("utf-8", "replace"))
        except Exception as error:  # one record, whoever wrote it, must not end the analytics of all races
            self._skipped.add(message, error)
            return []

    def _publish(self, derived: Iterable[Derived]) -> None:
        for record in derived:
            if record.role not in self._roles:
                continue
            if self._model is not None and record.role == "commentary":
                self._model.offer(record)
            else:
                self._send(record)

    def _release_held(self) -> None:
        """Sends what a drill held back, in its order, once it is over."""
        while self._held and not self._drills.on("hold"):
            record = self._held.popleft()
            self._publisher.send(record.role, record.key, record.value, record.timestamp)

    def _send(self, record: Derived) -> None:
        if record.role == HELD_ROLE and (self._held or self._drills.on("hold")):
            self._held.append(record)
            return
        self._publisher.send(record.role, record.key, record.value, record.timestamp)
