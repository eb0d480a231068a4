"""People, their statements and what these have given: one session a person, limits on rows and time.

Each running statement has a thread that fetches its changes into a bounded buffer. A page asks for what it has not
seen; while it asks for nothing, the buffer fills, the thread waits, and Flink's own backpressure holds the job. What
a person leaves running is ended when no page has asked for a while.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from races.flink.gateway import GatewayError, StatementRefused
from races.lib.clock import Clock
from races.sql.execution import BY_HAND, FAILED, NOBODY, PLANNING, Execution, Limits, Statement
from races.sql.service import Connection, Running, Service, Start
from races.sql.statements import QUERY, WORDS, NotAllowed, Piece, is_explain, kind

log = logging.getLogger(__name__)


LIMITS = Limits()
EXPLAIN = "EXPLAIN "


class TooMany(Exception):
    """A limit of the workspace, in one line."""


@dataclass
class Person:
    name: str
    connection: Connection | None = None
    statements: dict[int, Statement] = field(default_factory=dict)
    last_seen: float = 0.0
    version: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    opening: threading.Lock = field(default_factory=threading.Lock)
    order: threading.Lock = field(default_factory=threading.Lock)

    def notify(self) -> None:
        with self.changed:
            self.version += 1
            self.changed.notify_all()


class Workspace:
    def __init__(self, service: Service, clock: Clock, limits: Limits = LIMITS) -> None:
        self.service, self.limits = service, limits
        self._clock = clock
        self._people: dict[str, Person] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._closed = threading.Event()
        self._swept = threading.Event()
        self._keeper: threading.Thread | None = None
        self.leftovers = 0

    def person(self, name: str) -> Person:
        """Whoever asks is looking at a page. Raises TooMany."""
        with self._lock:
            if name not in self._people and len(self._people) >= self.limits.people:
                raise TooMany("Too many people use this workspace just now. Try again in a minute.")
            person = self._people.setdefault(name, Person(name))
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="sql workspace", daemon=True)
                self._keeper.start()
        person.last_seen = self._clock()
        return person

    def run(self, name: str, piece: Piece, start: Start, explain: bool = False) -> Statement:
        """Begins a statement of the person's text, or its EXPLAIN. Raises NotAllowed, TooMany."""
        person = self.person(name)
        text, at = piece.sql, piece.start
        if explain and not is_explain(text):
            text, at = EXPLAIN + text, at - len(EXPLAIN)
        what = kind(text, self.service.own)
        if what != WORDS:
            self._check_slots()
        with self._lock:
            self._count += 1
            made = Statement(self._count, text, what, at, self._clock())
            person.statements[made.id] = made
            ended = [one.id for one in person.statements.values() if not one.active]
            for statement_id in ended[: max(0, len(person.statements) - self.limits.listed)]:
                del person.statements[statement_id]
        threading.Thread(
            target=self._run, args=(person, made, start), name=f"sql statement {made.id}", daemon=True
        ).start()
        person.notify()
        return made

    def warm(self, name: str) -> None:
        """Opens the person's session beforehand: its tables take Flink a second."""
        person = self.person(name)

        def connect() -> None:
            try:
                self._connection(person)
            except GatewayError as error:  # the page shows it, and the first statement tries again
                log.info("SQL workspace: %s", error)

        if person.connection is None:
            threading.Thread(target=connect, name="sql session", daemon=True).start()

    def stop(self, name: str, statement_id: int) -> None:
        """Nothing happens to one that has ended or is not there."""
        found = self.person(name).statements.get(statement_id)
        if found is not None and found.active:
            found.stop_words = BY_HAND
            found.stop.set()

    def forget(self, name: str, statement_id: int) -> None:
        """Takes a statement off the person's list; one that runs is stopped."""
        self.stop(name, statement_id)
        person = self.person(name)
        person.statements.pop(statement_id, None)
        person.notify()

    def look(self, name: str, seen: Mapping[int, int], version: int, wait_s: float) -> dict[str, Any]:
        """What is new for a page that has seen so many changes of each statement, and the list at that version.
        Waits for something new."""
        person = self.person(name)
        for statement_id, count in seen.items():
            if statement := person.statements.get(statement_id):
                statement.seen = max(statement.seen, min(count, statement.total))

        def is_new() -> bool:
            return (
                person.version != version
                or self._closed.is_set()
                or any(
                    statement.total > seen.get(statement.id, 0) for statement in person.statements.values()
                )
            )

        with person.changed:
            person.changed.wait_for(is_new, wait_s)
            now = person.version
        person.last_seen = self._clock()
        found = [self._shown(one, seen.get(one.id, 0)) for one in list(person.statements.values())]
        return {"version": now, "statements": found}

    def close(self) -> None:
        """Ends everything that runs."""
        self._closed.set()
        for person in list(self._people.values()):
            self._leave(person, "The lab was stopped.")
            person.notify()

    def _shown(self, one: Statement, seen: int) -> dict[str, Any]:
        until = one.ended if one.ended is not None else self._clock()
        first, new = one.after(seen, self.limits.batch)
        return {
            "id": one.id,
            "sql": one.sql,
            "kind": one.kind,
            "at": one.at,
            "state": one.state,
            "words": one.words,
            "place": one.place,
            "columns": [[column.name, column.type] for column in one.columns],
            "first": first,
            "changes": new,
            "total": one.total,
            "seconds": round(until - one.begun, 1),
            "first_row_s": one.first_row_s and round(one.first_row_s, 2),
            "job": one.job,
            "tree": one.tree,
        }

    def _check_slots(self) -> None:
        """Raises TooMany. A job that is being planned has no slot yet, and will need one."""
        about = self.service.about()
        if about.trouble:
            raise TooMany(about.trouble)
        if about.free is None:
            return
        with self._lock:
            planned = sum(
                one.state == PLANNING and one.kind != WORDS
                for person in self._people.values()
                for one in person.statements.values()
            )
        if about.free - planned < 1:
            raise TooMany(
                f"Flink has {about.slots} slots and none is free. Stop a statement, then run this one."
            )

    def _run(self, person: Person, one: Statement, start: Start) -> None:
        running: Running | None = None
        execution = Execution(one, self.limits, self._clock, person.notify)
        try:
            with person.order:  # a table is made before the next statement reads it
                running = self._connection(person).start(one.sql, start)
                if one.kind != QUERY:
                    execution.begin(running)
            execution.follow(running)
        except StatementRefused as error:
            execution.end(FAILED, str(error), error)
        except (GatewayError, NotAllowed, TooMany) as error:
            execution.end(FAILED, str(error))
        except Exception:
            log.exception("A statement of the SQL workspace failed")
            execution.end(FAILED, "The workspace failed; the lab's log says why.")
        finally:
            if running is not None:
                running.stop()
            person.notify()

    def _connection(self, person: Person) -> Connection:
        self._swept.wait()  # a statement of ours must not be taken for one that an earlier process left
        with person.opening:  # a second statement waits for the first one's session
            if person.connection is None:
                person.connection = self.service.open(person.name)
            return person.connection

    def _keep(self) -> None:
        """Ends what is left running, and keeps the sessions of those who are here."""
        try:
            self.leftovers = self.service.end_leftovers()
        except Exception as error:  # a Flink that is away has nothing running, either
            log.info("What an earlier workspace left in Flink could not be looked for: %s", error)
        finally:
            self._swept.set()
        last_kept = self._clock()
        while not self._closed.wait(1.0):
            now = self._clock()
            for person in list(self._people.values()):
                if now - person.last_seen > self.limits.absent_s:
                    self._leave(person, NOBODY)
            if now - last_kept > 60.0:
                last_kept = now
                for person in list(self._people.values()):
                    if person.connection is not None:
                        try:
                            person.connection.keep()
                        except GatewayError as error:
                            log.info("SQL workspace: %s", error)

    def _leave(self, person: Person, words: str) -> None:
        for one in list(person.statements.values()):
            if one.active and not one.stop.is_set():
                one.stop_words = words
                one.stop.set()
        with person.opening:
            connection, person.connection = person.connection, None
        if connection is not None:
            try:
                connection.close()
            except GatewayError as error:
                log.info("SQL workspace: %s", error)
        with self._lock:
            if not any(one.active for one in person.statements.values()) and not person.statements:
                self._people.pop(person.name, None)
