"""300 Grands Prix over all circuits, held against the real dry races of 2023 to 2026."""

import math
import os
import statistics
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from races.sim import RaceSettings, circuit_slugs, load_circuit
from races.sim.race.car import FINISHED, RACING, Car
from races.sim.race.field import Field
from races.sim.race.motion import step
from races.sim.race.start import line_up
from races.sim.settings import STEP_S

RACES = int(os.environ.get("REALISM_RACES", "300"))
PROCESSES = int(os.environ.get("REALISM_PROCESSES", "2"))
LOOK_STEPS = 24  # between two looks at the cars' speeds


@dataclass(frozen=True, slots=True)
class Real:
    """A figure of the real races, and the band that our mean must lie in; docs/realism.md has sources and seasons."""

    mean: float
    low: float
    high: float
    points: tuple[float, float, float] | None = None  # 10th, 50th, 90th percentile over races


def _pooled(mean: float, points: tuple[float, float, float] | None, *seasons: float) -> Real:
    """Seasons differ more than chance would have it: our mean must lie between the lowest and the highest."""
    return Real(mean, min(seasons), max(seasons), points)


# Means of the dry races of 2023, 2024, 2025 and (rounds 1 to 11) 2026 stand last, as far as there are any.
REAL = {
    "pole_win_share": _pooled(0.630, (0.0, 1.0, 1.0), 0.600, 0.524, 0.714, 0.727),
    "grid_finish_rank_correlation": _pooled(0.786, (0.60, 0.82, 0.93), 0.707, 0.835, 0.785, 0.841),
    "mean_places_moved": _pooled(2.76, (1.89, 2.53, 3.87), 3.27, 2.38, 2.70, 2.70),
    "retirements": _pooled(2.68, (0.0, 3.0, 5.0), 2.95, 2.00, 2.10, 4.64),
    "safety_cars": _pooled(0.62, (0.0, 0.0, 2.0), 0.75, 0.43, 0.71),
    "stops_per_car": _pooled(1.69, (1.06, 1.56, 2.26), 1.85, 1.67, 1.57, 1.65),
    "stint_laps": _pooled(24.1, (16.9, 23.8, 30.5), 22.6, 24.7, 24.9, 24.5),
    "winner_margin_s": _pooled(8.89, (1.27, 6.11, 20.9), 10.4, 8.43, 8.71, 7.38),
    "gap_to_tenth_s": _pooled(61.6, (26.5, 64.8, 83.9), 63.8, 68.0, 56.1, 52.7),
    "lapped_share": _pooled(0.30, None, 0.21, 0.37, 0.25, 0.43),  # of the finishers: 2026 has 22 cars
    "podium_from_first_five": _pooled(0.881, (0.67, 1.0, 1.0), 0.783, 0.937, 0.921, 0.879),
    "overtakes": _pooled(33.5, None, 38.0, 32.8, 30.9),
    "lap_spread_s": Real(0.421, 0.378, 0.464, (0.31, 0.40, 0.55)),  # one season: two standard errors
    "fastest_lap_off_percent": Real(0.0, -3.0, 3.0),
    "top_speed_off_percent": Real(0.0, -3.0, 3.0),
}
BY_CIRCUIT = (
    "fastest_lap_off_percent",
    "top_speed_off_percent",
)  # must hold on each circuit that has the fact


def run_race(circuit: str, seed: int) -> tuple[Field, list[float]]:
    """A whole Grand Prix without publication, and each car's highest speed in km/h."""
    field = line_up(RaceSettings(circuit, load_circuit(circuit).laps, 60, seed))
    top = [0.0] * len(field.cars)
    while any(car.state < 3 for car in field.cars):
        step(field)
        if field.step % LOOK_STEPS == 0:
            _look(field, top)
    return field, top


def _look(field: Field, top: list[float]) -> None:
    for car in field.cars:
        rate = field.rate[car.index]
        if car.state == RACING and car.done and rate:
            tau = field.progress[car.index] % 1.0
            top[car.index] = max(top[car.index], field.track.circuit.speed_kmh(tau, STEP_S / rate))


def _ranks(values: Iterable[int]) -> dict[int, int]:
    return {value: rank for rank, value in enumerate(sorted(values))}


def _spearman(finishers: list[Car]) -> float:
    """Between places on the grid and at the flag, both re-ranked over those who finished."""
    ranks = _ranks(car.grid for car in finishers)
    squares = sum((ranks[car.grid] - place) ** 2 for place, car in enumerate(finishers))
    n = len(finishers)
    return 1.0 - 6.0 * squares / (n * (n * n - 1))


def _stints(field: Field, car: Car) -> list[list[tuple[int, float]]]:
    """Flying laps (lap, seconds) of each stint of at least eight, without those spoilt by traffic jams and flags."""
    starts = [lap for _, lap in car.stints] + [field.laps + 1]
    laps = [(lap, ms / 1000) for i, lap, ms, flying in field.statistics.laps if i == car.index and flying]
    found = []
    for start, end in pairwise(starts):
        stint = [(lap, s) for lap, s in laps if start < lap < end]
        if len(stint) >= 8:
            usual = statistics.median(s for _, s in stint)
            found.append([(lap, s) for lap, s in stint if s < 1.03 * usual])
    return found


def _residual(stint: list[tuple[int, float]]) -> float:
    """Standard deviation about the straight line through the stint's lap times."""
    laps, times = [float(lap) for lap, _ in stint], [s for _, s in stint]
    slope, base = statistics.linear_regression(laps, times)
    squares = sum((s - base - slope * lap) ** 2 for lap, s in zip(laps, times, strict=True))
    return math.sqrt(squares / (len(stint) - 2))


def _spread(field: Field) -> float | None:
    found = [_residual(stint) for car in field.cars for stint in _stints(field, car) if len(stint) >= 8]
    return statistics.median(found) if found else None


def _off_fact(field: Field) -> float | None:
    """Percent by which the fastest lap's average speed misses that of the real race's fastest lap."""
    circuit = field.track.circuit
    if circuit.facts.race_average is None or field.best is None:
        return None
    average = circuit.length_m / (field.best[0] / 1000) * 3.6
    return 100.0 * (average / circuit.facts.race_average - 1.0)


def _top_off_fact(field: Field, top: list[float]) -> float | None:
    """Percent by which the median car's highest speed misses that of the 2019 field."""
    fact = field.track.circuit.facts.top_speed
    reached = [speed for speed in top if speed]
    return 100.0 * (statistics.median(reached) / fact - 1.0) if fact else None


def measure(circuit: str, seed: int) -> dict[str, float | None]:
    field, top = run_race(circuit, seed)
    order = [field.cars[i] for i in field.order]
    finishers = [car for car in order if car.state == FINISHED]
    winner, second, tenth = order[0], order[1], order[9]
    on_lead_lap = tenth.state == FINISHED and tenth.done == winner.done
    return {
        "pole_win_share": float(winner.grid == 1),
        "grid_finish_rank_correlation": _spearman(finishers),
        "mean_places_moved": statistics.mean(abs(car.grid - n) for n, car in enumerate(finishers, start=1)),
        "retirements": float(len(order) - len(finishers)),
        "safety_cars": float(field.statistics.safety_cars),
        "stops_per_car": statistics.mean(car.stops for car in finishers),
        "winner_margin_s": (second.line_ms - winner.line_ms) / 1000,
        "gap_to_tenth_s": (tenth.line_ms - winner.line_ms) / 1000 if on_lead_lap else None,
        "lapped_share": sum(car.done < winner.done for car in finishers) / len(finishers),
        "podium_from_first_five": sum(car.grid <= 5 for car in order[:3]) / 3,
        "overtakes": float(field.statistics.overtakes),
        "stint_laps": statistics.mean(car.done / (car.stops + 1) for car in finishers),
        "lap_spread_s": _spread(field),
        "fastest_lap_off_percent": _off_fact(field),
        "top_speed_off_percent": _top_off_fact(field, top),
    }


def circuit_of(number: int) -> str:
    slugs = circuit_slugs()
    return slugs[number % len(slugs)]


def job(number: int) -> dict[str, float | None]:
    return measure(circuit_of(number), number)


def figures_of(values: list[float]) -> dict[str, float]:
    values = sorted(values)
    last = len(values) - 1
    points = {name: values[round(share * last)] for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))}
    return {name: round(value, 4) for name, value in {"mean": statistics.mean(values), **points}.items()}


def summary(races: list[dict[str, float | None]]) -> dict[str, dict[str, float]]:
    found = {}
    for name in REAL:
        values = [value for race in races if (value := race[name]) is not None]
        found[name] = figures_of(values)
    return found


def by_circuit(races: list[dict[str, float | None]]) -> dict[str, dict[str, float]]:
    """Means of what each circuit has a fact of its own for."""
    found: dict[str, dict[str, float]] = {}
    for name in BY_CIRCUIT:
        for slug in circuit_slugs():
            values = [
                value
                for n, race in enumerate(races)
                if circuit_of(n) == slug and (value := race[name]) is not None
            ]
            if values:
                found.setdefault(slug, {})[name] = round(statistics.mean(values), 2)
    return found


def out_of_band(figures: dict[str, dict[str, float]], circuits: dict[str, dict[str, float]]) -> list[str]:
    """What lies outside its band, over all races or on a circuit."""
    pooled = [name for name, real in REAL.items() if not real.low <= figures[name]["mean"] <= real.high]
    single = [
        f"{name} {slug}"
        for slug, values in circuits.items()
        for name, value in values.items()
        if not REAL[name].low <= value <= REAL[name].high
    ]
    return pooled + single


def _table(figures: dict[str, dict[str, float]]) -> None:
    heads = "".join(f"{word:>8}" for word in ("mean", "p10", "p50", "p90"))
    print(f"{'':30}{heads}{'real':>11}{'p10':>8}{'p50':>8}{'p90':>8}   between seasons of")
    for name, real in REAL.items():
        ours = figures[name]
        row = "".join(f"{ours[key]:8.2f}" for key in ("mean", "p10", "p50", "p90"))
        points = "".join(f"{point:8.2f}" for point in real.points) if real.points else f"{'-':>8}" * 3
        mark = "yes" if real.low <= ours["mean"] <= real.high else "NO"
        print(f"{name:30}{row}{real.mean:11.2f}{points}   {real.low} to {real.high}: {mark}")


def _circuits_table(circuits: dict[str, dict[str, float]]) -> None:
    print(f"{'':30}" + "".join(f"{name:>26}" for name in BY_CIRCUIT))
    for slug, values in circuits.items():
        print(f"{slug:30}" + "".join(f"{values.get(name, math.nan):26.2f}" for name in BY_CIRCUIT))


def run(races: int = RACES) -> dict[str, Any]:
    started = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        found = list(pool.map(job, range(races), chunksize=4))
    figures: dict[str, Any] = summary(found)
    _table(figures)
    circuits = by_circuit(found)
    _circuits_table(circuits)
    figures["by_circuit"] = circuits
    figures["out_of_band"] = out_of_band(summary(found), circuits)
    figures["races"] = races
    figures["seconds"] = round(time.perf_counter() - started, 1)
    return figures
