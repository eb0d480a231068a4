"""Refuses records that cannot be true of a race: anybody may write to a topic, and well-formed ones may be nonsense.

Types are the codec's matter; this is the one place that asks whether a record fits its race. A record that cannot be
true is refused before any analysis or any page sees it, so it changes nothing. A record that could be true and is
not, such as a made-up reading of the newest tick, cannot be told from the real one.

`Plausibility` is for the embedded analytics, which know the race's plan to the tick. `RaceBounds` is for the read
model, which also shows races of other writers and therefore knows only what no race can exceed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, inf, isfinite
from operator import itemgetter
from typing import Any

Record = Mapping[str, Any]
MANY = 10_000  # more than any count in a race
FASTEST_KMH, HOTTEST_C = 600.0, 1000.0
_times_of = itemgetter(
    "gap_s", "interval_s", "last_lap_s", "best_lap_s", "sector_1_s", "sector_2_s", "sector_3_s"
)
_counts_of = itemgetter("position", "lap", "laps", "grid", "laps_down", "tyre_age", "stops", "events")
_OF_A_DRIVER = frozenset(
    {"overtake", "fastest_lap", "pit_in", "pit_out", "off_track", "retirement", "finish"}
)


class Implausible(ValueError):
    """A record that cannot be true of its race."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a race besides its records.

    `drivers` gives name and team by code. `due` gives the instant of a tick in epoch milliseconds, None where that
    tick cannot have been published yet.
    """

    drivers: Mapping[str, tuple[str, str]]
    laps: int
    due: Callable[[int], int | None]


class Plausibility:
    """Checks one race's records. Without a plan, the first records say how large the field is and who drives."""

    def __init__(self, race_id: str, plan: Plan | None) -> None:
        self._race_id, self._plan = race_id, plan
        self._size = len(plan.drivers) if plan else 0
        self._drivers: dict[str, tuple[str, str]] = dict(plan.drivers) if plan else {}

    def check(self, role: str, record: Record, key: str | None) -> None:
        """Raises Implausible. Roles that the engine does not read pass."""
        if role == "positions":
            self._position(record)
        elif role == "race_control":
            self._message(record)
        elif role == "car_metrics":
            self._metric(record, key)

    def _position(self, record: Record) -> None:
        speed, moved, counts = record["speed"], record["lap_fraction"], _counts_of(record)
        _ensure(isfinite(speed + moved + sum(filter(None, _times_of(record)))), "a number that is none")
        size = self._size or record["field_size"]
        _ensure(0 < record["field_size"] == size, "another size of the field")
        _ensure(0 < record["position"] <= size >= record["grid"], "a place outside the field")
        _ensure(min(counts) >= 0 < record["laps"] and max(counts) < MANY, "a count that no race reaches")
        _ensure(moved >= 0 <= speed < FASTEST_KMH, "a speed or a way that no car has")
        if self._plan:
            _ensure(record["laps"] == self._plan.laps >= record["lap"] - 1, "another distance")
        self._instant(record)
        code, names = record["driver_code"], (record["driver_name"], record["team_name"])
        if code in self._drivers:
            _ensure(self._drivers[code] == names, "another driver's code")
            return
        room = bool(code) and len(self._drivers) < size and self._plan is None
        _ensure(room, "a driver of no car here")
        self._drivers[code], self._size = names, size

    def _message(self, record: Record) -> None:
        value = record["value"]
        _ensure(value is None or isfinite(value), "a number that is none")
        _ensure(0 <= record["position"] <= (self._size or MANY), "a place outside the field")
        _ensure(0 <= record["lap"] < MANY, "a lap that no race has")
        named = {record["driver_code"], record["other_code"]}
        needed = {"overtake": 2}.get(record["type"], int(record["type"] in _OF_A_DRIVER))
        _ensure(len(named - {""}) >= needed, "a driver of no car here")
        _ensure(not self._drivers or named - {""} <= self._drivers.keys(), "a driver of no car here")
        self._instant(record)

    def _metric(self, record: Record, key: str | None) -> None:
        code = record["driver_code"]
        reading = record["engine_temperature"]
        _ensure(isfinite(reading) and abs(reading) < HOTTEST_C, "a reading that no engine has")
        _ensure(key in (None, f"{self._race_id}:{code}"), "a key of another car")
        _ensure(0 <= record["lap"] < MANY, "a lap that no race has")
        known = self._drivers.get(code)
        _ensure(known is not None or self._plan is None, "a driver of no car here")
        _ensure(known is None or known[1] == record["team_name"], "another team")
        self._instant(record)

    def _instant(self, record: Record) -> None:
        tick, at = record["tick"], record["timestamp"]
        _ensure(tick >= 0 <= at, "a tick before the race")
        if self._plan:
            _ensure(self._plan.due(tick) == at, "a tick that is not of this instant")


def _ensure(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Implausible(otherwise)


TICK_MS = 200
CLOCK_SKEW_MS = 240_000  # clocks of several machines differ, and a clock may be set right by a minute
SLOW_LAP_S = 300.0  # far above any lap behind the safety car
STANDING_S = 1800.0  # for whatever else keeps a race standing
GRID_TICKS = 50
LAST_WORDS_MS = 30_000  # commentary on a race may follow its last tick
FASTEST_M_S = 110.0  # no car keeps that up for a sector


class RaceBounds:
    """What records of a race cannot exceed, given its distance, its pace and its track.

    started: the instant of tick 0 as the database has it; now: epoch milliseconds. None: it is not known.
    sectors: shares of the lap at which the second and the third sector begin.
    """

    def __init__(
        self,
        laps: int,
        pace: int,
        length_m: float,
        sectors: tuple[float, float],
        started: int | None,
        now: Callable[[], int] | None,
    ) -> None:
        self.now = now
        self._laps = laps
        self._started = -inf if started is None else started
        self._last_tick = GRID_TICKS + ceil((STANDING_S + SLOW_LAP_S * laps) / max(pace, 1) * 1000 / TICK_MS)
        lap, (first, second) = length_m / FASTEST_M_S, sectors
        shares = {"sector_1_s": first, "sector_2_s": second - first, "sector_3_s": 1 - second}
        self._least_s = {"last_lap_s": lap, "best_lap_s": lap}
        self._least_s |= {name: lap * share for name, share in shares.items()}

    def position(self, car: Record, field: int) -> bool:
        """Whether one car's record can be of this race; field: how many cars were entered.

        A best sector is remembered for the whole race, so a time that nobody can drive must not become it.
        """
        return (
            0 < car["position"] <= field
            and 0 <= car["grid"] <= field
            and 0 <= car["lap"] <= self._laps + 1
            and all(car[name] is None or car[name] > least for name, least in self._least_s.items())
            and 0 <= car["tick"] <= self._last_tick
            and self._started <= car["timestamp"] - car["tick"] * TICK_MS
            and (self.now is None or car["timestamp"] <= self.now() + CLOCK_SKEW_MS)
        )

    def tick(self, tick: int, at: int) -> bool:
        """Whether the race can have come to this tick at this instant.

        Event time is start, ticks and waits: it may be later than the ticks alone make it, never earlier.
        """
        return 0 <= tick <= self._last_tick and self._started <= at - tick * TICK_MS and self.instant(at)

    def instant(self, at: int) -> bool:
        """False for an instant that is far ahead of the clock."""
        return self.now is None or at <= self.now() + CLOCK_SKEW_MS

    def ran(self, at: int, ended: int | None) -> bool:
        """Whether the race ran at this instant. ended: the last tick's instant, None while the race runs."""
        return self._started <= at and (ended is None or at <= ended + LAST_WORDS_MS)
