"""Schemas by id, asked once. An unknown id is not asked again at once, nor do many unknown ids make many
requests.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from races.streams.errors import RegistryUnavailable, UnknownSchema
from races.streams.registry.client import SchemaClient, SchemaId

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
REMEMBERED = 1000
MISSES_PER_MINUTE = 60
AWAY_S = 0.5  # after a registry that did not answer: many readers ask, and each question may take seconds


class SchemaCache:
    def __init__(self, registry: SchemaClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry, self._clock, self._lock = registry, clock, Lock()
        self._known: dict[SchemaId, tuple[str, str]] = {}
        self._unknown: OrderedDict[SchemaId, tuple[float, float]] = OrderedDict()  # id: (ask again at, wait)
        self._misses: list[float] = []
        self._away: tuple[float, str] = (float("-inf"), "")

    def schema(self, schema_id: SchemaId, ask: bool = True) -> tuple[str, str]:
        """(type, text). Raises UnknownSchema, RegistryUnavailable. Without ask it is what is known by now, at once:
        also while somebody else asks, which may take seconds.
        """
        if not self._lock.acquire(blocking=ask):
            raise RegistryUnavailable(f"schema id {schema_id} is not known while another is asked for")
        try:
            if schema_id not in self._known:
                now = self._clock()
                if now < self._away[0]:
                    raise RegistryUnavailable(self._away[1])
                if now < self._unknown.get(schema_id, (0.0, 0.0))[0]:
                    raise UnknownSchema(f"schema id {schema_id} is not in the registry (asked a moment ago)")
                self._misses = [then for then in self._misses if now - then < 60.0]
                if len(self._misses) >= MISSES_PER_MINUTE:
                    raise UnknownSchema(
                        f"schema id {schema_id} was not asked for: too many unknown ids in a minute"
                    )
                if not ask:
                    raise RegistryUnavailable(f"schema id {schema_id} was not asked for yet")
                self._known[schema_id] = self._ask(schema_id)
            return self._known[schema_id]
        finally:
            self._lock.release()

    def _ask(self, schema_id: SchemaId) -> tuple[str, str]:
        try:
            found = self._registry.schema(schema_id)
        except UnknownSchema:
            now, (_, waited) = self._clock(), self._unknown.pop(schema_id, (0.0, 0.0))
            wait = min(max(FIRST_WAIT_S, waited * 2), LONGEST_WAIT_S)
            self._unknown[schema_id] = (now + wait, wait)
            self._misses.append(now)
            if len(self._unknown) > REMEMBERED:
                self._unknown.popitem(last=False)
            raise
        except RegistryUnavailable as error:
            self._away = self._clock() + AWAY_S, str(error)
            raise
        self._unknown.pop(schema_id, None)
        return found
