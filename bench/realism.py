"""300 Grands Prix over all circuits, held against the real dry races of 2023 to 2026."""

import math
import statistics
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from typing import Any

from races.sim import RaceSettings, circuit_slugs, load_circuit
from races.sim.car import FINISHED, Car
from races.sim.field import Field
from races.sim.motion import step
from races.sim.start import line_up

RACES = 300
PROCESSES = 2
# Mean, 10th, 50th and 90th percentile of the real races, and the band that our mean must lie in: docs/realism.md
# says where they come from. None: the source gives no distribution.
REAL: dict[str, tuple[float, float | None, float | None, float | None, float, float]] = {
    "pole_win_share": (0.63, 0.0, 1.0, 1.0, 0.52, 0.74),
    "grid_finish_rank_correlation": (0.79, 0.60, 0.83, 0.93, 0.71, 0.85),
    "mean_places_moved": (2.78, 1.89, 2.53, 3.94, 2.3, 3.3),
    "retirements": (2.64, 0.0, 3.0, 5.0, 2.0, 4.2),
    "safety_cars": (0.62, 0.0, 0.0, 2.0, 0.43, 0.80),
    "stops_per_car": (1.69, 1.06, 1.56, 2.26, 1.5, 1.9),
    "winner_margin_s": (8.9, 1.3, 6.1, 21.0, 7.0, 10.8),
    "gap_to_tenth_s": (61.6, 26.5, 64.8, 83.9, 52.0, 69.0),
    "cars_lapped": (4.84, 0.0, 4.0, 10.0, 3.0, 7.0),
    "podium_from_first_five": (0.88, 0.67, 1.0, 1.0, 0.78, 0.94),
    "overtakes": (33.5, None, None, None, 30.9, 38.0),
    "stint_share": (0.37, None, None, None, 0.33, 0.42),
    "lap_spread_s": (0.40, None, None, None, 0.3, 0.5),
    "fastest_lap_off_percent": (0.0, None, None, None, -1.5, 1.5),
}


def run_race(circuit: str, seed: int) -> Field:
    """A whole Grand Prix without publication."""
    field = line_up(RaceSettings(circuit, load_circuit(circuit).laps, 60, seed))
    while any(car.state < 3 for car in field.cars):
        step(field)
    return field


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
    laps = [(lap, ms / 1000) for i, lap, ms, flying in field.book.laps if i == car.index and flying]
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


def measure(circuit: str, seed: int) -> dict[str, float | None]:
    field = run_race(circuit, seed)
    order = [field.cars[i] for i in field.order]
    finishers = [car for car in order if car.state == FINISHED]
    winner, second, tenth = order[0], order[1], order[9]
    on_lead_lap = tenth.state == FINISHED and tenth.done == winner.done
    return {
        "pole_win_share": float(winner.grid == 1),
        "grid_finish_rank_correlation": _spearman(finishers),
        "mean_places_moved": statistics.mean(abs(car.grid - n) for n, car in enumerate(finishers, start=1)),
        "retirements": float(len(order) - len(finishers)),
        "safety_cars": float(field.book.safety_cars),
        "stops_per_car": statistics.mean(car.stops for car in finishers),
        "winner_margin_s": (second.line_ms - winner.line_ms) / 1000,
        "gap_to_tenth_s": (tenth.line_ms - winner.line_ms) / 1000 if on_lead_lap else None,
        "cars_lapped": float(sum(car.done < winner.done for car in finishers)),
        "podium_from_first_five": sum(car.grid <= 5 for car in order[:3]) / 3,
        "overtakes": float(field.book.overtakes),
        "stint_share": statistics.mean(1.0 / len(car.stints) for car in finishers),
        "lap_spread_s": _spread(field),
        "fastest_lap_off_percent": _off_fact(field),
    }


def _job(number: int) -> dict[str, float | None]:
    slugs = circuit_slugs()
    return measure(slugs[number % len(slugs)], number)


def _figures(values: list[float]) -> dict[str, float]:
    values = sorted(values)
    last = len(values) - 1
    points = {name: values[round(share * last)] for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))}
    return {name: round(value, 4) for name, value in {"mean": statistics.mean(values), **points}.items()}


def summary(races: list[dict[str, float | None]]) -> dict[str, dict[str, float]]:
    found = {}
    for name in REAL:
        values = [value for race in races if (value := race[name]) is not None]
        found[name] = _figures(values)
    return found


def _table(figures: dict[str, dict[str, float]]) -> None:
    print(
        f"{'':30}{'mean':>8}{'p10':>8}{'p50':>8}{'p90':>8}   {'real':>7}{'p10':>7}{'p50':>7}{'p90':>7}   within"
    )
    for name, (mean, p10, p50, p90, low, high) in REAL.items():
        ours = figures[name]
        real = "".join(
            f"{'-' if value is None else format(value, '.2f'):>7}" for value in (mean, p10, p50, p90)
        )
        mark = "yes" if low <= ours["mean"] <= high else "NO"
        row = "".join(f"{ours[key]:8.2f}" for key in ("mean", "p10", "p50", "p90"))
        print(f"{name:30}{row}   {real}   {low}-{high} {mark}")


def run(races: int = RACES) -> dict[str, Any]:
    started = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        found = list(pool.map(_job, range(races), chunksize=4))
    figures: dict[str, Any] = summary(found)
    _table(figures)
    figures["races"] = races
    figures["seconds"] = round(time.perf_counter() - started, 1)
    return figures
