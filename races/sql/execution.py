"""One statement's thread: it fetches the changes into a bounded buffer until the end, a limit or a stop."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from races.flink.gateway import Column, GatewayAway, Page, StatementRefused
from races.lib.clock import Clock
from races.sql.catalogue import backquotes
from races.sql.explain import best_section, sections, trees
from races.sql.service import Running
from races.sql.statements import QUERY, is_explain, position

PLANNING, RUNNING, FINISHED, STOPPED, FAILED = "planning", "running", "finished", "stopped", "failed"
ACTIVE = (PLANNING, RUNNING)
POLL_S, IDLE_POLL_S, WATCH_S = 0.02, 0.1, 1.0
PATIENCE_S = 15.0  # for a gateway that is away while a statement runs
NOBODY = "No page looked at it any more, so the workspace ended it."
BY_HAND = "You stopped it."
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """rows: changes of one statement. kept: of them, those that a page can still ask for. absent_s: without a page."""

    rows: int = 100_000
    query_s: float = 15 * 60.0
    insert_s: float = 60 * 60.0
    kept: int = 4_000
    batch: int = 500
    absent_s: float = 60.0
    listed: int = 20
    people: int = 100


@dataclass
class Statement:
    """One statement of one person. changes: the newest; the first of them has the number `first`."""

    id: int
    sql: str
    kind: str
    at: int  # where it stood in the person's text
    begun: float
    state: str = PLANNING
    words: str = ""
    place: tuple[int, int] | None = None  # of an error in the person's text
    columns: tuple[Column, ...] = ()
    changes: deque[list[Any]] = field(default_factory=deque)
    total: int = 0
    seen: int = 0
    job: str = ""
    tree: list[dict[str, Any]] | None = None
    ended: float | None = None
    first_row_s: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    stop_words: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    def add(self, changes: list[list[Any]], kept: int) -> None:
        """Forgets the oldest of those that a page has seen, once there are more than `kept`."""
        with self.lock:
            self.changes.extend(changes)
            self.total += len(changes)
            while len(self.changes) > kept and self.total - len(self.changes) < self.seen:
                self.changes.popleft()

    def after(self, seen: int, most: int) -> tuple[int, list[list[Any]]]:
        """The number of the first change that comes, and at most so many."""
        with self.lock:
            first = self.total - len(self.changes)
            skip = max(0, seen - first)
            return first + skip, [
                self.changes[place] for place in range(skip, min(skip + most, len(self.changes)))
            ]


class Execution:
    """notify: called whenever there is something new to show."""

    def __init__(
        self, statement: Statement, limits: Limits, clock: Clock, notify: Callable[[], None]
    ) -> None:
        self.statement, self.limits = statement, limits
        self._clock, self._notify = clock, notify
        self._away_since = 0.0
        self._watching = False

    def begin(self, running: Running) -> None:
        """Until Flink has planned it, and of what is no query, done it or begun its job."""
        while not self._is_over() and self.statement.state == PLANNING:
            self._step(running)

    def follow(self, running: Running) -> None:
        """Until it ends, or a limit is reached, or somebody stops it."""
        while not self._is_over():
            self._step(running)

    def _step(self, running: Running) -> None:
        one = self.statement
        if self._watching:
            # the job of an INSERT goes on by itself
            found = self._ask(running.watch)
            if found is not None and found.ended:
                self.end(FAILED if found.words else FINISHED, found.words)
            elif found is not None:
                self.statement.stop.wait(WATCH_S)
            return
        if one.kind == QUERY and one.total - one.seen >= self.limits.kept:
            one.stop.wait(IDLE_POLL_S)  # nobody has read what there is
            return
        page = self._ask(running.fetch)
        if page is None:
            return
        self._take(page)
        if page.ready and page.job and not page.is_query:
            self._watching = True
        elif page.done:
            self.end(FINISHED, one.words)
        elif not page.changes:
            one.stop.wait(POLL_S if one.state == PLANNING or one.total < 50 else IDLE_POLL_S)

    def _ask(self, call: Callable[[], T]) -> T | None:
        """None while the gateway is away, and after a pause. Raises GatewayAway when that takes too long."""
        try:
            answer = call()
        except GatewayAway as error:
            self._away_since = self._away_since or self._clock()
            if self._clock() - self._away_since > PATIENCE_S:
                raise
            self.statement.words = str(error)
            self._notify()
            self.statement.stop.wait(WATCH_S)
            return None
        self._away_since = 0.0
        return answer

    def _take(self, page: Page) -> None:
        one = self.statement
        if not page.ready:
            return
        is_new = one.state == PLANNING or bool(page.changes)
        one.state, one.words = RUNNING, ""
        one.columns, one.job = page.columns or one.columns, page.job or one.job
        if page.changes and one.first_row_s is None:
            one.first_row_s = self._clock() - one.begun
        if is_explain(one.sql) and page.changes:
            plan = sections(str(page.changes[0].fields[0]))
            one.tree = [node.as_dict() for node in trees(plan.get(best_section(plan), ""))]
        one.add([[change.kind, *change.fields] for change in page.changes], self.limits.kept)
        if is_new:
            self._notify()

    def _is_over(self) -> bool:
        """Whether it is to end, which is noted."""
        one = self.statement
        if not one.active:
            return True
        limit = self.limits.query_s if one.kind == QUERY else self.limits.insert_s
        if one.stop.is_set():
            self.end(STOPPED, one.stop_words or NOBODY)
        elif one.total >= self.limits.rows:
            self.end(STOPPED, f"It reached the limit of {self.limits.rows:,} changes.")
        elif self._clock() - one.begun > limit:
            self.end(STOPPED, f"It reached the limit of {limit / 60:.0f} minutes.")
        return not one.active

    def end(self, state: str, words: str, error: StatementRefused | None = None) -> None:
        one = self.statement
        one.state, one.words, one.ended = state, words, self._clock()
        if error is not None:
            one.words += backquotes(words)
        if error is not None and error.line:
            begin = position(one.sql, 0, error.line, error.column)
            word = re.compile(r"\w*").match(one.sql, begin)
            end = word.end() if word else begin
            if error.end_line:
                end = position(one.sql, 0, error.end_line, error.end_column) + 1
            one.place = (one.at + begin, one.at + max(end, begin + 1))
