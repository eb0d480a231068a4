"""The workspace on Confluent Cloud's Flink: a statement there for each one that a person runs, with the lab's label."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from races.flink.confluent import (
    ACTIVE,
    CFU_HOUR,
    CloudFlink,
    Statements,
    detail,
    page_of,
    phase,
)
from races.flink.gateway import GatewayError, Page
from races.sql.service import About, Start, Watched
from races.sql.statements import WORDS, kind, words

COST = f"Each statement that runs costs at least ${CFU_HOUR:.2f} an hour (list price of September 2025)."
NAMED = "f1-sql"
SLOTS_FOR_S = 3.0
PAUSE_S, LOOK_S = 0.3, 3.0  # between calls when nothing is new: the service limits how often it answers
_SET = re.compile(r"SET\s+'([^']*)'\s*=\s*'((?:[^']|'')*)'", re.IGNORECASE)
_RESET = re.compile(r"RESET\s+'([^']*)'", re.IGNORECASE)
BAD = ("FAILED", "FAILING")


class Confluent:
    """mark: what the names of this lab's statements begin with, so that those of an earlier process are found."""

    def __init__(self, where: CloudFlink, topics: Iterable[str], mark: str) -> None:
        self.statements, self.where = Statements(where), where
        self.mark = f"{NAMED}-{mark}-"
        self.own = frozenset(topics)
        self._free: tuple[float, int] = (0.0, 0)

    def about(self) -> About:
        title, trouble, free = "Confluent Cloud for Apache Flink", "", None
        try:
            # it is asked every few seconds at most: the service limits how often it answers
            until, free = self._free
            if time.monotonic() > until:
                free = max(0, self.where.cfu - self.statements.active_in_pool())
                self._free = (time.monotonic() + SLOTS_FOR_S, free)
        except GatewayError as error:
            trouble = str(error)
        return About(title, self.where.endpoint, COST, "", free, self.where.cfu, trouble, short_names=False)

    def open(self, person: str) -> CloudSession:
        return CloudSession(self)

    def end_leftovers(self) -> int:
        left = [one for one in self.statements.ours() if str(one.get("name")).startswith(self.mark)]
        running = [one for one in left if phase(one) in ACTIVE]
        for one in left:
            self.statements.delete(str(one["name"]))
        return len(running)


class CloudSession:
    """There are no sessions on Confluent Cloud: SET is kept here, and sent with each statement."""

    def __init__(self, service: Confluent) -> None:
        self._service = service
        self._properties: dict[str, str] = {}

    def start(self, sql: str, start: Start) -> CloudStatement | Said:
        if found := _SET.match(sql.strip()):
            self._properties[found[1]] = found[2].replace("''", "'")
            return Said()
        if found := _RESET.match(sql.strip()):
            self._properties.pop(found[1], None)
            return Said()
        if words(sql, 1) == ["RESET"]:
            self._properties.clear()
            return Said()
        name = self._service.mark + secrets.token_hex(5)
        bounded = kind(sql) == WORDS
        properties = {**({} if bounded else start.options("sql.tables.")), **self._properties}
        self._service.statements.create(name, sql, properties)
        return CloudStatement(self._service.statements, name, words(sql, 1) == ["INSERT"])

    def keep(self) -> None:
        """Nothing is taken for idle there."""

    def close(self) -> None:
        """Its statements are deleted one by one as they end."""


class Said:
    """A setting, which is done at once."""

    def fetch(self) -> Page:
        return page_of({}, [], done=True)

    def watch(self) -> Watched:
        return Watched(True)

    def stop(self) -> None:
        """Nothing runs."""


class CloudStatement:
    """One statement. It is deleted when it ends: each environment keeps a limited number."""

    def __init__(self, statements: Statements, name: str, inserts: bool) -> None:
        self._statements, self._name, self._inserts = statements, name, inserts
        self._found: dict[str, Any] = {}
        self._token, self._begun = "", False
        self._next_call = self._next_look = 0.0

    def fetch(self) -> Page:
        if time.monotonic() < self._next_call:
            return page_of(self._found, [], done=False) if self._begun else Page(False, False)
        if not self._begun:
            self._found = self._statements.get(self._name)
            if phase(self._found) in BAD:
                raise detail(self._found)
            self._begun = phase(self._found) != "PENDING"
        if not self._begun:
            self._next_call = time.monotonic() + PAUSE_S
            return Page(False, False)
        if self._inserts:
            return Page(True, False, (), (), self._name, False)
        changes, token = self._statements.results(self._name, self._token)
        self._token = token or self._token
        if not changes and token:
            self._next_call = time.monotonic() + PAUSE_S
            # it is asked now and then whether it still runs
            if time.monotonic() > self._next_look:
                self._next_look = time.monotonic() + LOOK_S
                found = self._statements.get(self._name)
                if phase(found) in BAD:
                    raise detail(found)
        return page_of(self._found, changes, done=not token)

    def watch(self) -> Watched:
        found = self._statements.get(self._name)
        if phase(found) in BAD:
            return Watched(True, str(detail(found)))
        return Watched(phase(found) not in ACTIVE)

    def stop(self) -> None:
        with suppress(GatewayError):
            self._statements.delete(self._name)
