"""What a race tells: ticks, the cars in them, race control's events, and the classification."""

from dataclasses import dataclass
from typing import NamedTuple


class CarState(NamedTuple):
    """One car at one tick; the fields are those of the positions topic, which documents them."""

    driver_code: str
    position: int
    speed: float
    lap: int
    lap_fraction: float
    gap_s: float | None
    interval_s: float | None
    laps_down: int
    last_lap_s: float | None
    best_lap_s: float | None
    sector_1_s: float | None
    sector_2_s: float | None
    sector_3_s: float | None
    tyre: str
    tyre_age: int
    stints: str
    stops: int
    pit: bool
    status: str
    grid: int
    overtake_mode: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One message of race control; `event` is its ordinal within the race."""

    type: str
    driver_code: str
    lap: int
    message: str
    event: int
    other_code: str = ""
    position: int = 0
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """The whole field at one instant, in order of position, and what happened since the tick before."""

    tick: int
    phase: str  # grid | race | flag (the winner is home) | over (the last tick)
    lights: int
    flag: str  # green | yellow | vsc | safety_car | chequered
    yellow_sector: int
    race_time_s: float
    cars: tuple[CarState, ...]
    events: tuple[Event, ...]
    temperatures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Classified:
    """A line of the result; gap and interval are None where they would be counted in laps."""

    position: int
    driver_code: str
    driver_name: str
    team_name: str
    grid: int
    status: str
    laps: int
    laps_down: int
    race_time_s: float | None
    gap_s: float | None
    interval_s: float | None
    best_lap_s: float | None
    last_lap_s: float | None
    stops: int
    average_speed_kmh: float | None
    tyre: str
    stints: str
