"""What a race can have come to, so that one odd record is not taken for its future: pure, like the board."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, inf
from typing import Any

from races.board.race_info import RaceInfo

TICK_MS = 200
FAR_MS = 240_000  # clocks of several machines may differ, and one may be put right by a minute
SLOW_LAP_S, STANDING_S = (
    300.0,
    1800.0,
)  # far above any lap behind the safety car, and what else a race may take
GRID_TICKS = 50
LAST_WORDS_MS = 30_000  # on a race come after its last tick
FASTEST_M_S = 110.0  # no car keeps that up for a sector


class Reach:
    """started: the instant of tick 0 as the database has it; now: epoch milliseconds. None: it is not known."""

    def __init__(self, info: RaceInfo, started: int | None, now: Callable[[], int] | None) -> None:
        seconds = STANDING_S + SLOW_LAP_S * info.laps
        self._last_tick = GRID_TICKS + ceil(seconds / max(info.pace, 1) / (TICK_MS / 1000))
        self._started = -inf if started is None else started
        self._least = _least_times(info)
        self.now = now

    def instant(self, at: int) -> bool:
        return self.now is None or at <= self.now() + FAR_MS

    def ran(self, at: int, ended: int | None) -> bool:
        """Whether what names no race can be of this one, which its time alone tells. ended: the last tick's instant,
        None while it runs.
        """
        return self._started <= at and (ended is None or at <= ended + LAST_WORDS_MS)

    def tick(self, tick: int, at: int) -> bool:
        """Event time is start, ticks and waits: it may be later than the ticks alone make it, never earlier."""
        return 0 <= tick <= self._last_tick and self._started <= at - tick * TICK_MS and self.instant(at)

    def times(self, car: dict[str, Any]) -> bool:
        """A best sector is remembered for the whole race, so one that nobody can drive must not become it."""
        return all(car[name] is None or car[name] > least for name, least in self._least)


def _least_times(info: RaceInfo) -> list[tuple[str, float]]:
    lap, (first, second) = info.length_m / FASTEST_M_S, info.track.sectors
    shares = {"sector_1_s": first, "sector_2_s": second - first, "sector_3_s": 1 - second}
    return [
        ("last_lap_s", lap),
        ("best_lap_s", lap),
        *((name, lap * share) for name, share in shares.items()),
    ]
