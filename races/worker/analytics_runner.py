"""The embedded analytics at work: reads the held races' records back from Kafka, publishes what follows.

It reads the topics like any other consumer, so that what it says is about what was streamed. Its state is a fold
over a race's records; a worker that takes a race over folds the regenerated records first (prepare.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable

from races.analytics.engine import Derived, RaceAnalytics
from races.analytics.plausibility import Plan
from races.lib.cooperative import courtesy
from races.streams.codec import Codec
from races.streams.consumer import Message, Tail
from races.streams.errors import BadRecord, RegistryUnavailable
from races.streams.producer import Publisher
from races.streams.skipped import Skipped
from races.worker.language_model import LanguageModel
from races.worker.records import Addressed
from races.worker.running_race import Held

log = logging.getLogger(__name__)

ROLES = ("race_control", "positions", "car_metrics")
BATCH = 2000
KEPT, KEPT_BYTES = 2000, 4 * 1024 * 1024  # some ten seconds of a race; its own take a sixth of the bytes
REGISTRY_RETRY_S = 0.5
LAST_WORDS_S = 2.0  # the longest wait for race control once a race's last positions are in


class Kept:
    """What came of a race while its past is folded. With no room left the oldest goes, and the past reaches further:
    the simulation knows it as well.
    """

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self._bytes = 0
        self.dropped_until = -1
        self.ready = False

    def add(self, message: Message) -> None:
        self.messages.append(message)
        self._bytes += message.size
        while not self.ready and (len(self.messages) > KEPT or self._bytes > KEPT_BYTES):
            dropped = self.messages.popleft()
            self._bytes -= dropped.size
            self.dropped_until = max(self.dropped_until, dropped.timestamp_ms)


def plan_of(held: Held) -> Plan:
    """What this worker knows of its race, whatever the topics say. Ticks of a worker before us reach as far as
    replay_until, ours as far as the next one, which may be read back before it counts as sent.
    """
    field = held.field
    drivers = {code: (name, field.teams[code]) for code, name in field.names.items()}

    def due(tick: int) -> int | None:
        return held.event_ms(tick) if tick <= max(held.next_tick, held.replay_until) else None

    return Plan(drivers, field.laps, due)


class Analysis:
    """roles: which derived topics are ours to write; what Flink writes we do not. model puts commentary into its
    own words, where one is configured.
    """

    def __init__(
        self,
        tail: Tail,
        codec: Codec,
        publisher: Publisher,
        roles: frozenset[str],
        model: LanguageModel | None = None,
    ) -> None:
        self._tail, self._codec, self._publisher, self._roles = tail, codec, publisher, roles
        self._model = model
        self._races: dict[bytes, tuple[RaceAnalytics, Held]] = {}
        self._kept: dict[bytes, Kept] = {}  # by races whose past is not folded yet
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.ready = threading.Event()  # at the topics' ends: what is published from now on is seen
        self._ended: dict[bytes, float] = {}  # races whose last positions are in, and since when
        self.records = 0
        self._skipped = Skipped(codec.topic, log)
        self.error = ""  # what it waits for

    def begin(self, held: Held, has_past: bool = False) -> None:
        """has_past: what comes of the race is kept until its past is folded and `go_on` called."""
        race_id = str(held.race_id)
        commentary = "commentary" in self._roles
        engine = RaceAnalytics(race_id, held.metrics, commentary, plan_of(held))
        with self._lock:
            self._races[race_id.encode()] = (engine, held)
            self._kept.pop(race_id.encode(), None)
            if has_past:
                self._kept[race_id.encode()] = Kept()

    def fold(self, held: Held, records: Iterable[Addressed], emit: bool) -> None:
        """The past's records, by whoever works it up: until `go_on` nobody else touches the race's engine."""
        with self._lock:
            engine, owner = self._races.get(str(held.race_id).encode(), (None, None))
        if engine is None or owner is not held:
            return
        derived = [d for r in records for d in engine.feed(r.role, r.value, r.key)]
        if emit:  # as the engine words it: who heard the line already knows it by its id
            for record in derived:
                if record.role in self._roles:
                    self._send(record)
        held.analysed = engine.over

    def go_on(self, held: Held, folded_to: int | None) -> bool:
        """The past is folded up to this instant (None: up to what is sent). False where more is needed, because there
        was no room for all that came meanwhile.
        """
        with self._lock:
            kept = self._kept.get(str(held.race_id).encode())
            if kept is None:
                return True
            if folded_to is not None and kept.dropped_until >= folded_to:
                return False
            kept.ready = True
            return True

    def forget(self, race_id: str) -> None:
        with self._lock:
            self._races.pop(race_id.encode(), None)
            self._kept.pop(race_id.encode(), None)

    @property
    def waiting_for(self) -> str:
        state = self._tail.state.text.removeprefix("waiting: ")
        return "" if self.ready.is_set() else f"Kafka: {state}"

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
                batch = self._tail.poll(BATCH, 0.2 if self._model is None else 0.05)
                for message in courtesy.between([*self._of_pasts(), *batch]):
                    self._take_patiently(message)
                self._give_up_waiting()
                for spoken in self._model.ready() if self._model else ():
                    self._send(spoken)
        finally:
            self._tail.close()
            if self._model is not None:
                self._model.close()

    def _of_pasts(self) -> list[Message]:
        """What was kept of races whose past is folded now."""
        with self._lock:
            ready = [race for race, kept in self._kept.items() if kept.ready]
            return [message for race in ready for message in self._kept.pop(race).messages]

    def _take_patiently(self, message: Message) -> None:
        """A schema that the registry has and does not tell just now is waited for: what was read is gone otherwise."""
        while not self._stopping.is_set():
            try:
                self._take(message)
                self.error = ""
                return
            except RegistryUnavailable:
                self._learn(message)

    def _learn(self, message: Message) -> None:
        """Without the lock: the registry may take seconds, and who keeps the leases waits for the lock."""
        try:
            self._codec.learn(message.role, message.key, message.value)
        except RegistryUnavailable as error:
            if not self.error:
                log.warning("The analytics wait for the schema registry: %s", error)
            self.error = f"waiting for the schema registry: {error}"
            self._stopping.wait(REGISTRY_RETRY_S)

    def _take(self, message: Message) -> None:
        race = (message.key or b"").split(b":")[0]
        with self._lock:
            found = self._races.get(race)
            if found is None or message.value is None:
                return
            if race in self._kept:
                self._kept[race].add(message)
                return
            derived = self._feed(found[0], message)
        self._publish(derived)
        if found[0].over:
            found[1].analysed = True
        elif found[0].ended:
            self._ended.setdefault(race, time.monotonic())

    def _give_up_waiting(self) -> None:
        """A message that a gap has swallowed must not keep its race from finishing."""
        now = time.monotonic()
        for race in [race for race, since in self._ended.items() if now - since > LAST_WORDS_S]:
            del self._ended[race]
            with self._lock:
                found = self._races.get(race)
                derived = found[0].give_up_waiting() if found else []
            self._publish(derived)
            if found:
                found[1].analysed = True

    def _feed(self, engine: RaceAnalytics, message: Message) -> list[Derived]:
        try:
            record = self._codec.decode(message.role, message.value or b"", ask=False)
        except BadRecord as error:
            self._skipped.note(message, error)
            return []
        self.records += 1
        try:
            return engine.feed(message.role, record, (message.key or b"").decode("utf-8", "replace"))
        except Exception as error:  # one record, whoever wrote it, must not end the analytics of all races
            self._skipped.note(message, error)
            return []

    def _publish(self, derived: Iterable[Derived]) -> None:
        for record in derived:
            if record.role not in self._roles:
                continue
            if self._model is not None and record.role == "commentary":
                self._model.offer(record)
            else:
                self._send(record)

    def _send(self, record: Derived) -> None:
        self._publisher.send(record.role, record.key, record.value, record.timestamp)
