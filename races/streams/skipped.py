"""Records that could not be used: counted, and logged once for each topic and kind of failure."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable

from races.streams.consumer import Message

KINDS = 200  # logged at most: somebody who writes rubbish on purpose must not fill the log
NUMBERS = re.compile(r"\d+")


class SkippedRecords:
    """topic: from a role to its name. Thread-safe enough for counts."""

    def __init__(self, topic: Callable[[str], str], log: logging.Logger) -> None:
        self._topic, self._log = topic, log
        self._told: set[tuple[str, str]] = set()
        self.counts: Counter[str] = Counter()

    def add(self, message: Message, error: Exception) -> None:
        self.counts[message.role] += 1
        kind = message.role, NUMBERS.sub("#", f"{type(error).__name__}: {error}")
        if kind in self._told or len(self._told) >= KINDS:
            return
        self._told.add(kind)
        place = self._topic(message.role), message.partition, message.offset
        self._log.warning("Skipped %s[%d]@%d: %s", *place, error)
