"""Recovery of lost endings: races that were published to their end, and whose end does not come.

The broker acknowledged the last ticks and then lost them (it came back empty) before they were recorded. No worker
would publish them again, and the race would run for ever. So the race is opened for the workers again, from the last
tick in the history. A race whose end never comes back fails, with the reason.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Mapping

from races.lib.clock import Clock
from races.models import Race

log = logging.getLogger(__name__)
SILENT_S = 30.0  # far more than a last tick takes from the broker to here
ATTEMPTS = 3
GIVEN_UP = "Kafka has lost the race's last ticks, also after they were published again"


class LostEndings:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[uuid.UUID, float] = {}
        self._opened: Counter[uuid.UUID] = Counter()

    def check(self, caught_up: bool, heard: Mapping[uuid.UUID, float]) -> None:
        """Looks for lost endings. caught_up: whether everything in Kafka is read. heard: when the newest record of each
        race was read.
        """
        now = self._clock()
        ended = Race.objects.active().filter(published_over=True).values_list("pk", flat=True)
        self._since = {
            race_id: max(self._since.get(race_id, now), heard.get(race_id, 0.0)) if caught_up else now
            for race_id in ended
        }
        for race_id, since in self._since.items():
            if now - since > SILENT_S:
                lost = Race.objects.active().filter(pk=race_id, published_over=True)
                self._opened[race_id] += 1
                if self._opened[race_id] > ATTEMPTS:
                    log.error("Race %s: %s", race_id, GIVEN_UP)
                    lost.fail(GIVEN_UP)
                else:
                    log.warning(
                        "Race %s ended on Kafka and its end is gone from there: it is published again",
                        race_id,
                    )
                    lost.reopen()
                self._since[race_id] = now
