"""Races between the lines: intervals, trains, stops and laps held against 83 real Grands Prix, and the default race.

TEXTURE_RACES and TEXTURE_SHORT_RACES (a circuit) in the environment make it shorter, TEXTURE_PROCESSES quicker.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import Any

from bench.harness import setting
from bench.studies.race_log import PINNED_MS, Figures, measure, quantile
from races.sim import Race, RaceSettings, circuit_slugs, default_laps, load_circuit
from races.sim.distance import DEFAULT_PACE
from races.sim.settings import TICK_S

RACES, SHORT_RACES = int(setting("TEXTURE_RACES", 288)), int(setting("TEXTURE_SHORT_RACES", 8))
PROCESSES = int(setting("TEXTURE_PROCESSES", 1))
HEARD = {
    "lights_out", "overtake", "pit_in", "pit_out", "retirement", "yellow", "vsc", "vsc_ending", "safety_car",
    "safety_car_ending", "lapped_cars", "green", "fastest_lap", "off_track", "last_lap",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Real:
    """A figure of the real dry races: mean, 10th, 50th and 90th percentile over races, lowest and highest
    season's mean."""

    mean: float
    p10: float
    p50: float
    p90: float
    seasons: tuple[float, float] | None = None

    def misses(self, ours: dict[str, float]) -> str:
        """What of ours lies outside: "", "median" or "mean"."""
        if not self.p10 <= ours["p50"] <= self.p90:
            return "median"
        if self.seasons and not self.seasons[0] <= ours["mean"] <= self.seasons[1]:
            return "mean"
        return ""


REAL = {
    "iv_pinned": Real(0.0116, 0.0038, 0.0111, 0.0187),
    "iv_lt1": Real(0.216, 0.125, 0.197, 0.327, (0.181, 0.237)),
    "iv_05_1": Real(0.154, 0.0899, 0.137, 0.232),
    "iv_1_2": Real(0.2, 0.149, 0.201, 0.256),
    "iv_2_5": Real(0.296, 0.231, 0.294, 0.36),
    "iv_gt5": Real(0.289, 0.177, 0.291, 0.412),
    "still_share": Real(0.0762, 0.0428, 0.0784, 0.104, (0.067, 0.087)),
    "cars_in_trains3": Real(0.149, 0.0459, 0.129, 0.26, (0.097, 0.172)),
    "modal_share_green": Real(0.158, 0.1, 0.15, 0.245, (0.136, 0.179)),
    "inlane_max_green": Real(2.71, 2, 3, 4, (2.28, 2.94)),
    "first_stop_spread": Real(0.273, 0.118, 0.242, 0.492, (0.242, 0.303)),
    "stops_per_car": Real(1.67, 0.96, 1.55, 2.46),
    "stops_under_flag": Real(0.233, 0, 0.111, 0.614),
    "lap_scatter": Real(0.204, 0.152, 0.193, 0.254, (0.188, 0.238)),
    "track_changes_per_lap": Real(0.758, 0.344, 0.688, 1.17, (0.59, 0.99)),
    "lead_changes": Real(3, 0, 3, 6),
    "winner_margin_s": Real(8.63, 1.05, 5.6, 20.3),
    "tenth_s": Real(59.2, 22.4, 64.2, 88.2),
    "tenth_at_25": Real(28.9, 15.5, 29.8, 41.4),
    "fifteenth_at_75": Real(87.8, 47.9, 84.6, 126),
    "final_iv_pinned": Real(0.0108, 0, 0, 0),
    "places_moved": Real(2.45, 1.45, 2.3, 3.72),
    "sc": Real(0.602, 0, 1, 1, (0.25, 0.78)),
    "vsc": Real(0.675, 0, 0, 2, (0.31, 1.36)),
    "median_18th": Real(2.76, 1.68, 2.52, 4.08),
}
# Shares over all stops: hits, of how many, lowest and highest allowed, and the real share.
POOLED = {
    "teammate_same_lap": ("_mate_same", "_mates", 0.0, 0.03, 0.03),
    "rival_same_lap": ("_rival_same", "_rivals", 0.06, 0.12, 0.09),
    "teammate_next_lap": ("_mate_next", "_mates", 0.0, 1.0, 0.20),
    "rival_next_lap": ("_rival_next", "_rivals", 0.0, 1.0, 0.25),
}
# The default race: lowest and highest allowed for the median race, and the real sprints' median.
SHORT: dict[str, tuple[float, float, float | None]] = {
    "pinned": (0.0, 0.05, 0.0186),
    "under_1": (0.25, 0.50, 0.384),
    "most_in_lane": (0, 6, None),
    "fullest_lap": (0.15, 0.35, None),
    "most_places_in_a_tick": (0, 5, None),
    "stops_over_s": (18, 1000, None),
    "silence_s": (0, 12, None),
    "margin_s": (1, 8, 2.75),
    "tenth_s": (15, 28, 34.4),
}
TOLD = ("stop_laps", "stops", "overtakes", "retired", "safety_cars", "virtual_safety_cars")


def grand_prix(number: int) -> Figures:
    """One full-distance race; circuits take turns."""
    slug = circuit_slugs()[number % len(circuit_slugs())]
    return measure(slug, load_circuit(slug).laps, number)


def default_race(number: int) -> Figures:
    """The default race as it is shown, tick by tick; seconds are those on the wall."""
    slug = circuit_slugs()[number % len(circuit_slugs())]
    race = Race(RaceSettings(slug, default_laps(slug), DEFAULT_PACE, number), sensors=False)
    readings: list[float] = []
    in_lane, moved, kinds, stop_laps, whens, heard = (
        [0],
        [0],
        Counter[str](),
        Counter[int](),
        list[float](),
        list[float](),
    )
    places: dict[str, int] = {}
    while not race.over:
        tick = race.advance()
        now = tick.tick * TICK_S
        kinds.update(event.type for event in tick.events)
        stop_laps.update(event.lap for event in tick.events if event.type == "pit_in")
        whens += [now for event in tick.events if event.type == "pit_in"]
        if tick.phase == "race":
            heard += [now] if HEARD & {event.type for event in tick.events} else []
            cars = [car for car in tick.cars if car.status != "retired"]
            in_lane.append(sum(car.pit for car in cars))
            readings += [car.interval_s for car in cars if car.interval_s is not None and not car.pit]
            moved += [abs(car.position - places.get(car.driver_code, car.position)) for car in cars]
            places = {car.driver_code: car.position for car in tick.cars}
    lines, counts = race.classification(), race.statistics
    return {
        "pinned": sum(PINNED_MS[0] <= 1000 * each <= PINNED_MS[1] for each in readings) / len(readings),
        "under_1": sum(each < 1.0 for each in readings) / len(readings),
        "most_in_lane": float(max(in_lane)),
        "fullest_lap": max(stop_laps.values(), default=0) / len(lines),
        "most_places_in_a_tick": float(max(moved)),
        "stops_over_s": quantile(whens, 0.9) - quantile(whens, 0.1) if whens else None,
        "silence_s": max(after - before for before, after in pairwise(heard)),
        "margin_s": lines[1].gap_s,
        "tenth_s": lines[9].gap_s,
        "stop_laps": float(len(stop_laps)),
        "stops": float(kinds["pit_in"]),
        "overtakes": float(kinds["overtake"]),
        "retired": float(sum(line.status == "retired" for line in lines)),
        "safety_cars": float(counts.safety_cars),
        "virtual_safety_cars": float(counts.virtual),
    }


def summary(races: list[Figures]) -> dict[str, dict[str, float]]:
    """Mean, 10th, 50th and 90th percentile over races, without what begins with an underscore."""
    found = {}
    for name in races[0]:
        values = sorted(value for race in races if (value := race[name]) is not None)
        if not name.startswith("_") and values:
            points = {
                "p10": quantile(values, 0.1),
                "p50": quantile(values, 0.5),
                "p90": quantile(values, 0.9),
            }
            found[name] = {key: round(value, 4) for key, value in {"mean": mean(values), **points}.items()}
    return found


def pooled(races: list[Figures], name: str) -> float:
    """The share over all races' stops together."""
    hits, of = (sum(race[count] or 0.0 for race in races) for count in POOLED[name][:2])
    return round(hits / of, 4)


def out_of_band(full: list[Figures], short: list[Figures]) -> list[str]:
    """Each figure that lies where real races do not, in words."""
    ours, shorts = summary(full), summary(short)
    found = [f"{name} ({miss})" for name, real in REAL.items() if (miss := real.misses(ours[name]))]
    found += [name for name, (_, _, low, high, _) in POOLED.items() if not low <= pooled(full, name) <= high]
    return found + [
        f"default race {name}"
        for name, (low, high, _) in SHORT.items()
        if not low <= shorts[name]["p50"] <= high
    ]


def _print_full(races: list[Figures]) -> None:
    heads = "".join(f"{word:>8}" for word in ("mean", "p10", "p50", "p90"))
    print(f"{'Grand Prix':24}{heads}   | real{heads}   means of seasons")
    for name, real in REAL.items():
        ours = summary(races)[name]
        row = "".join(f"{ours[key]:8.3f}" for key in ("mean", "p10", "p50", "p90"))
        theirs = "".join(f"{value:8.3f}" for value in (real.mean, real.p10, real.p50, real.p90))
        seasons = f"{real.seasons[0]} to {real.seasons[1]}" if real.seasons else "-"
        print(f"{name:24}{row}   |     {theirs}   {seasons:16}{real.misses(ours).upper()}")
    for name, (_, _, low, high, value) in POOLED.items():
        print(f"{name:24}{pooled(races, name):8.3f}   real {value}, must lie in {low} to {high}")


def _print_short(races: list[Figures]) -> None:
    ours = summary(races)
    print(
        f"\n{'default race':24}{'mean':>8}{'p10':>8}{'p50':>8}{'p90':>8}   median must be     real sprints, median"
    )
    for name in (*SHORT, *TOLD):
        row = "".join(f"{ours[name][key]:8.3f}" for key in ("mean", "p10", "p50", "p90"))
        low, high, sprint = SHORT.get(name, (0, 0, None))
        band = f"{low} to {high}" if name in SHORT else ""
        print(f"{name:24}{row}   {band:19}{'' if sprint is None else sprint}")


def run() -> dict[str, Any]:
    """Print both tables; figures of all races, and what lies outside."""
    started = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        full = list(pool.map(grand_prix, range(RACES), chunksize=4))
        short = list(pool.map(default_race, range(SHORT_RACES * len(circuit_slugs())), chunksize=8))
    _print_full(full)
    _print_short(short)
    shares = {name: {"pooled": pooled(full, name)} for name in POOLED}
    return {
        "grand_prix": summary(full) | shares,
        "default_race": summary(short),
        "out_of_band": out_of_band(full, short),
        "races": len(full),
        "default_races": len(short),
        "seconds": round(time.perf_counter() - started, 1),
    }
