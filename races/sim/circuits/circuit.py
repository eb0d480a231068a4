"""A circuit: its outline, the speed round it, and where a race on it is decided.

Two shares run from 0 at the finish line to 1 at the next crossing: `tau`, of a reference lap's time,
in which a simulated car moves evenly, and the share of the distance, by which everything is drawn.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import fsum, radians
from pathlib import Path
from typing import Any

from races.sim.circuits.drawing import Drawing, draw, pit_lane
from races.sim.circuits.geometry import Point, Segment, stations
from races.sim.circuits.speed import Car, elapsed, profile, racing_line
from races.sim.circuits.zones import detection, passing, straights, towing

STATIONS = 640  # of the speed profile: one every 5 to 11 m
OUTLINE = 320  # points of the drawing
TABLE = 1024  # steps of the tables between time and distance
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class RaceParameters:
    """What a race on this circuit costs; in brackets the names of Heilmeier et al. 2018."""

    pole_lap_s: float  # (t_q)
    race_gap_s: float  # (t_gap_racepace) from pole to the fastest lap of the race
    fuel_s_per_kg: float  # (s_mass)
    pit_loss_s: float  # driving through the lane, without standing
    pit_loss_vsc_s: float
    pit_loss_sc_s: float
    grid_loss_s: float  # (t_loss_pergridpos) for each place behind pole
    first_lap_loss_s: float  # (t_loss_firstlap) from standstill
    overtake_gap_s: float  # (t_gap_overtake) advantage in lap time that a pass needs
    overtake_mode_gain_s: float  # (t_drs) what overtake mode changes in a lap time, negative


@dataclass(frozen=True, slots=True)
class PitLane:
    entry: float  # share of the distance where it leaves the track
    exit: float  # where it joins again, beyond the line
    side: str  # left | right, seen in driving direction
    limit_kmh: float
    median_s: float  # from entry to exit line with the stop, median of the season's races


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch in both shares; one over the line begins near 1 and ends near 0."""

    start: float
    end: float
    start_tau: float
    end_tau: float

    def contains_tau(self, tau: float) -> bool:
        return (tau - self.start_tau) % 1.0 <= (self.end_tau - self.start_tau) % 1.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What the model is held against, km/h; None where no source says it."""

    pole_average: float | None
    race_average: float | None  # of the race's fastest lap
    top_speed: float | None


@dataclass(frozen=True, slots=True)
class Circuit:
    slug: str
    round: int | None  # of the calendar
    name: str
    venue: str
    city: str
    country: str
    grand_prix: str
    length_m: float
    laps: int
    turns: int
    direction: str  # clockwise | anticlockwise
    race: RaceParameters
    pit: PitLane
    facts: Facts
    estimated: tuple[str, ...]  # names of the figures in the data file that no source gives
    car: Car
    segments: tuple[Segment, ...]
    start_heading_deg: float  # of driving at the line, anticlockwise from east
    drawing: Drawing
    model_lap_s: float  # of the flying lap that the segments give
    sectors: tuple[float, float]  # ends of the first two, shares of the distance
    sectors_tau: tuple[float, float]
    overtaking: tuple[Zone, ...]
    slipstream: tuple[Zone, ...]
    detection: float  # where overtake mode measures the gap, share of the distance
    detection_tau: float
    distance_by_tau: tuple[float, ...]  # TABLE + 1 entries each, from 0 to 1
    tau_by_distance: tuple[float, ...]
    speed_by_tau: tuple[float, ...]  # km/h on the flying lap

    @property
    def reference_lap_s(self) -> float:
        """The fastest lap of a race; the flying lap of the model is calibrated to it."""
        return self.race.pole_lap_s + self.race.race_gap_s

    @property
    def average_kmh(self) -> float:
        return self.length_m / self.model_lap_s * 3.6

    @property
    def top_speed_kmh(self) -> float:
        return max(self.speed_by_tau)

    @property
    def slowest_kmh(self) -> float:
        return min(self.speed_by_tau)

    @property
    def corners(self) -> tuple[tuple[int, float], ...]:
        """The official number of each turn, and the share of the distance at the middle of its first arc."""
        whole, ends, found = fsum(segment.length for segment in self.segments), 0.0, dict[int, float]()
        for segment in self.segments:
            ends += segment.length
            if segment.turn is not None:
                found.setdefault(segment.turn, (ends - segment.length / 2) / whole)
        return tuple(sorted(found.items()))

    def distance_share(self, tau: float) -> float:
        """Share of the distance after the share `tau` (0 to 1) of the lap's time."""
        return _between(self.distance_by_tau, tau)

    def tau(self, share: float) -> float:
        """Share of the lap's time after this share (0 to 1) of its distance."""
        return _between(self.tau_by_distance, share)

    def speed_kmh(self, tau: float, lap_time_s: float) -> float:
        """Speed at `tau` of a lap that takes `lap_time_s`: all of it slower, in one proportion."""
        return _between(self.speed_by_tau, tau) * self.model_lap_s / lap_time_s

    def point(self, share: float) -> Point:
        """The point in the drawing where a car is after this share of the distance."""
        outline = self.drawing.outline
        at = (share % 1.0) * OUTLINE
        k = int(at)
        (x, y), (to_x, to_y) = outline[k % OUTLINE], outline[(k + 1) % OUTLINE]
        return x + (to_x - x) * (at - k), y + (to_y - y) * (at - k)


def _between(table: Sequence[float], share: float) -> float:
    at = share * TABLE
    k = min(max(int(at), 0), TABLE - 1)
    return table[k] + (table[k + 1] - table[k]) * (at - k)


def _table(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, ...]:
    """y at TABLE + 1 even steps of x over 0 to 1, where xs rise from 0 to 1."""
    found = []
    for step in range(TABLE + 1):
        x = step / TABLE
        k = min(bisect_right(xs, x), len(xs) - 1)
        found.append(ys[k - 1] + (ys[k] - ys[k - 1]) * (x - xs[k - 1]) / (xs[k] - xs[k - 1]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Lap:
    """The flying lap: speeds (m/s) at the stations, and time shares at the stations and the line again."""

    speeds: list[float]
    taus: list[float]
    time_s: float
    step_m: float

    def zone(self, ends: tuple[int, int]) -> Zone:
        start, end = ends
        return Zone(start / STATIONS, end / STATIONS, self.taus[start], self.taus[end])


def build(data: dict[str, Any]) -> Circuit:
    """The circuit that a data file describes."""
    segments = tuple(map(Segment.parse, data["segments"]))
    car, pit = Car(**data["car"]), PitLane(**data["pit"])
    line = stations(segments, radians(data["start_heading_deg"]), STATIONS)
    step = data["length_m"] / STATIONS
    speeds = profile(racing_line(line, step, car.width_m), step, car)
    times = elapsed(speeds, step)
    lap = _Lap(speeds, [t / times[-1] for t in times], times[-1], step)
    pulls = straights(speeds, step)
    measured = detection(pulls, STATIONS)
    shares = [k / STATIONS for k in range(STATIONS + 1)]
    distance_by_tau = _table(lap.taus, shares)
    first, second = data["sectors_tau"]
    plain = ("slug", "round", "name", "venue", "city", "country", "grand_prix", "length_m", "laps", "turns")
    return Circuit(
        **{name: data[name] for name in (*plain, "direction", "start_heading_deg")},
        race=RaceParameters(**data["race"]),
        pit=pit,
        facts=Facts(**data["facts_kmh"]),
        estimated=tuple(data["estimated"]),
        car=car,
        segments=segments,
        drawing=draw(line, OUTLINE, pit_lane(line, pit.entry, pit.exit, pit.side == "left")),
        model_lap_s=lap.time_s,
        sectors=(_between(distance_by_tau, first), _between(distance_by_tau, second)),
        sectors_tau=(first, second),
        distance_by_tau=distance_by_tau,
        tau_by_distance=_table(shares, lap.taus),
        speed_by_tau=_table(lap.taus, [v * 3.6 for v in (*speeds, speeds[0])]),
        overtaking=tuple(map(lap.zone, passing(pulls, STATIONS))),
        slipstream=tuple(map(lap.zone, towing(pulls, speeds, step))),
        detection=measured / STATIONS,
        detection_tau=lap.taus[measured],
    )


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


@cache
def circuit_slugs() -> tuple[str, ...]:
    """The circuits in the order of the calendar; those without a round at the end."""
    rounds = [(_read(path)["round"] or 99, path.stem) for path in DATA.glob("*.json")]
    return tuple(slug for _, slug in sorted(rounds))


@cache
def load_circuit(slug: str) -> Circuit:
    """The circuit of that name; KeyError names those there are."""
    if slug not in circuit_slugs():
        raise KeyError(f"no circuit {slug!r}; there are {', '.join(circuit_slugs())}")
    return build(_read(DATA / f"{slug}.json"))
