"""Ticks go first: one interpreter runs them and all that is made of them, so who works in bulk gives way to one that
is late. What waits here waits in Kafka."""

from __future__ import annotations

import time

LATE_S = 0.02
AWAY_S = 0.005
EVERY = 50  # records; even if ticks were late all the time, thousands of records a second would be read


class Courtesy:
    """Of one process. The conductor tells how late its newest tick was."""

    def __init__(self) -> None:
        self.lateness_s = 0.0

    def give_way(self, number: int) -> None:
        """For the reader of many records, after each; number: which one it was."""
        if number % EVERY == 0 and self.lateness_s > LATE_S:
            time.sleep(AWAY_S)


courtesy = Courtesy()
