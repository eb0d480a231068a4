"""The past of a race that was taken over, for the analytics.

Publishing goes on at once, from a simulation that was run silently. What the analytics know is a fold over the race's
records, so those are made once more, by a second simulation, beside it; what the race publishes meanwhile waits.
"""

from __future__ import annotations

from races.sim import Race as Simulation
from races.sim import RaceSettings
from races.worker.analytics_runner import Analysis
from races.worker.records import tick_records
from races.worker.running_race import Held

# The dead worker's analytics may have been this far behind its publishing; what they derived comes again and is
# recognised by its identity.
REPEAT_TICKS = 25


class Past:
    """Not thread-safe. `work` is called until it says that nothing is left."""

    def __init__(self, settings: RaceSettings, held: Held, analysis: Analysis) -> None:
        self._settings, self._held, self._analysis = settings, held, analysis
        self._published, self.race_id = held.published, held.race_id
        self._sim: Simulation | None = None
        self._tick = 0

    def work(self, ticks: int) -> bool:
        """Folds up to so many ticks. True: all is folded, or the race has another worker."""
        for _ in range(ticks):
            if self._held.lost or self._done():
                return True
            self._fold()
        return False

    def give_up(self) -> None:
        """What is folded has to do. The race does not wait for analytics that may never see its end."""
        self._analysis.go_on(self._held, None)
        self._held.analysed = True

    def _done(self) -> bool:
        """Beyond what was published before, only what the analytics had to drop meanwhile is left to fold."""
        if self._tick <= self._published:
            return False
        sent = self._tick < self._held.next_tick
        return self._analysis.go_on(self._held, self._held.event_ms(self._tick) if sent else None)

    def _fold(self) -> None:
        if self._sim is None:  # not before its turn: forty of them are a hundred megabytes
            self._sim = Simulation(self._settings, sensors=self._held.metrics)
        held, tick = self._held, self._held.as_published(self._sim.advance())
        records = tick_records(held.field, tick, held.event_ms(tick.tick), held.metrics)
        self._analysis.fold(held, records, emit=tick.tick > self._published - REPEAT_TICKS)
        self._tick = tick.tick + 1
