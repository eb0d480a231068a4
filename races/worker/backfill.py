"""Backfill: the analytics of a race that was taken over learn its past.

Publishing goes on at once. The state of the analytics is a fold over all of the race's records, so a second simulation
makes those records again. What the race publishes meanwhile waits in the analytics' backlog.
"""

from __future__ import annotations

from races.sim import Race as Simulation
from races.sim import RaceSettings
from races.worker.analytics_runner import AnalyticsRunner
from races.worker.records import tick_records
from races.worker.running_race import RunningRace

# The analytics of the former worker may have been this far behind its publishing. What they derived is derived again
# and recognised by its identity.
REPEAT_TICKS = 25


class Backfill:
    """A race's past that is folded in small portions. It is not thread-safe; `work` is called until it returns True."""

    def __init__(self, settings: RaceSettings, race: RunningRace, analytics: AnalyticsRunner) -> None:
        self._settings, self._race, self._analytics = settings, race, analytics
        self._published, self.race_id = race.published, race.race_id
        self._sim: Simulation | None = None
        self._tick = 0

    def work(self, ticks: int) -> bool:
        """Folds up to so many ticks. Returns True once all is folded, or the race has another worker."""
        for _ in range(ticks):
            if self._race.lost:
                return True
            if self._tick > self._published:  # only what the backlog had to drop meanwhile is left to fold
                until_ms = self._race.event_ms(self._tick) if self._tick < self._race.next_tick else None
                if self._analytics.end_backfill(self._race, until_ms):
                    return True
            if self._sim is None:  # only now: the simulations of forty races are a hundred megabytes
                self._sim = Simulation(self._settings, sensors=self._race.metrics)
            race, tick = self._race, self._race.as_published(self._sim.advance())
            records = tick_records(race.entries, tick, race.event_ms(tick.tick), race.metrics)
            self._analytics.fold(race, records, emit=tick.tick > self._published - REPEAT_TICKS)
            self._tick = tick.tick + 1
        return False

    def give_up(self) -> None:
        """Leaves the past as far as it is folded. The race does not wait for analytics that may never see its end."""
        self._analytics.end_backfill(self._race, None)
        self._race.analysed = True
