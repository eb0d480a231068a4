"""Races that were published to their end, and whose end does not come.

The broker acknowledged the last ticks and then lost them (it came back empty), before anybody recorded them. Nobody
would publish them again, and the race would run for ever. So it is given to the workers once more, from the last tick
that the history has; a race of which the end never comes back is given up, with words.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Mapping

from django.db.models import F
from django.utils import timezone

from races.models import Race

log = logging.getLogger(__name__)
SILENT_S = 30.0  # far more than any last tick takes from the broker to here
TIMES = 3
GIVEN_UP = "Kafka has lost the race's last ticks, also after they were published again"


class Endings:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[uuid.UUID, float] = {}
        self._opened: Counter[uuid.UUID] = Counter()

    def look(self, caught_up: bool, heard: Mapping[uuid.UUID, float]) -> None:
        """caught_up: everything that Kafka has is read; heard: when each race's newest record came."""
        now = self._clock()
        ended = Race.objects.active().filter(published_over=True).values_list("pk", flat=True)
        self._since = {
            race_id: max(self._since.get(race_id, now), heard.get(race_id, 0.0)) if caught_up else now
            for race_id in ended
        }
        for race_id, since in self._since.items():
            if now - since > SILENT_S:
                self._open(race_id)
                self._since[race_id] = now

    def _open(self, race_id: uuid.UUID) -> None:
        lost = Race.objects.active().filter(pk=race_id, published_over=True)
        self._opened[race_id] += 1
        if self._opened[race_id] > TIMES:
            log.error("Race %s: %s", race_id, GIVEN_UP)
            lost.update(status=Race.Status.FAILED, status_reason=GIVEN_UP, ended_at=timezone.now())
            return
        log.warning("Race %s ended on Kafka and its end is gone from there: it is published again", race_id)
        lost.update(published_over=False, published_tick=F("recorded_tick"), lease_owner="")
