"""Alarms against injected faults: event recall, false alarms and delay of four detectors behind one alarm rule.

Default races (default laps and pace, the circuits of the season in turn, seeds from 0) with faults injected.
Each detector gives a forecast and a band for every reading; a reading outside is flagged; the alarm rule of the
product makes alarms of flags and readings. A threshold (confidence, z or limits) is swept for each detector,
the whole curve is printed, and the detectors are compared at the false alarms that ours has at 99 %.
"""

from __future__ import annotations

import os
import resource
import time
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean
from typing import Any

from races.analytics import alarms
from races.analytics.alarms import Alarm, AlarmRule
from races.analytics.anomaly import Parameters, Series
from races.analytics.score import NAMES, Score, raised, score
from races.sim import Race, RaceSettings, circuit_slugs, default_laps
from races.sim.distance import DEFAULT_PACE
from races.sim.faults import InjectedFault

RACES = 100
SAMPLE = 5  # races for statsmodels
REFIT_EVERY = 5  # samples between its fits, with the newest parameters in between
WINDOW = 100  # of the windowed Gaussian
TRAINING = 16
TICK_MS = 200
CONFIDENCES = (90.0, 95.0, 99.0, 99.9, 99.99, 99.9999)
RULE_SCALES = (0.7, 0.85, 1.15, 1.3)  # of the rule's own degrees, beside 1
LIMITS = ((0, 116), (0, 118), (0, 119), (0, 120), (0, 122), (0, 125), (0, 129), (100, 118), (100, 122))
CHOSEN = 99.0
SLACK = 1.1  # the same false alarms: at most this times ours

# Forecast and the half band of one standard deviation, None before the training.
Forecasts = dict[str, list[tuple[float, float] | None]]


@dataclass(frozen=True, slots=True)
class Run:
    """One race: readings of every car by tick, and the truth about them."""

    readings: dict[str, list[float]]
    faults: tuple[InjectedFault, ...]
    stopped: dict[str, int]

    @property
    def ticks(self) -> int:
        return len(next(iter(self.readings.values())))


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold of one detector over all its races."""

    threshold: str
    score: Score
    races: int

    @property
    def false_alarms(self) -> float:
        return len(self.score.false_alarms) / self.races

    @property
    def recall(self) -> float:
        return self.score.event_recall or 0.0


def race(seed: int) -> Run:
    slugs = circuit_slugs()
    slug = slugs[seed % len(slugs)]
    running = Race(RaceSettings(slug, default_laps(slug), DEFAULT_PACE, seed))
    readings: dict[str, list[float]] = {}
    stopped: dict[str, int] = {}
    while not running.over:
        tick = running.advance()
        for code, reading in tick.temperatures.items():
            readings.setdefault(code, []).append(reading)
        for car in tick.cars:
            if car.status == "retired":
                stopped.setdefault(car.driver_code, tick.tick)
    return Run(readings, running.injected_faults(), stopped)


def ours(run: Run) -> Forecasts:
    """The product's own series; its band is a multiple of one standard deviation at any confidence."""
    half = _half(CHOSEN)
    found: Forecasts = {}
    for code, readings in run.readings.items():
        series = Series(Parameters(confidencePercentage=CHOSEN))
        outcomes = [series.feed(reading) for reading in readings]
        found[code] = [
            None if o.forecast_value is None or o.upper_bound is None
            else (o.forecast_value, (o.upper_bound - o.forecast_value) / half)
            for o in outcomes
        ]  # fmt: skip
    return found


def gaussian(run: Run) -> Forecasts:
    """Mean and standard deviation of the readings in the window before."""
    return {code: list(_windowed(readings)) for code, readings in run.readings.items()}


def _windowed(readings: list[float]) -> Iterator[tuple[float, float] | None]:
    window: deque[float] = deque(maxlen=WINDOW)
    total = squares = 0.0
    for reading in readings:
        n = len(window)
        mean = total / n if n else 0.0
        yield (mean, sqrt(max(1e-4, squares / n - mean * mean))) if n >= TRAINING else None
        if n == WINDOW:
            total -= window[0]
            squares -= window[0] ** 2
        window.append(reading)
        total += reading
        squares += reading * reading


def arima(readings: list[float]) -> list[tuple[float, float] | None]:
    """statsmodels ARIMA(1,0,0) on the newest 512 readings; its one-step forecast is exact for its parameters."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process for each core already
    from statsmodels.tsa.arima.model import ARIMA

    warnings.simplefilter("ignore")  # of its optimiser
    found: list[tuple[float, float] | None] = []
    level = slope = variance = 0.0
    for index, reading in enumerate(readings):
        if index >= TRAINING and (index - TRAINING) % REFIT_EVERY == 0:
            model = ARIMA(readings[max(0, index - 512) : index], order=(1, 0, 0), concentrate_scale=True)
            fit = model.fit(cov_type="none")
            level, slope, variance = (float(number) for number in (*fit.params, fit.scale))
        previous = readings[index - 1] if index else reading
        found.append((level + slope * (previous - level), sqrt(variance)) if index >= TRAINING else None)
    return found


def _half(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 200)


def judged(run: Run, forecasts: Forecasts, half: float) -> Score:
    """Flags beyond `half` standard deviations, through the alarm rule. No flag at all for an infinite half."""

    def record(code: str, tick: int, reading: float) -> dict[str, Any]:
        at = forecasts[code][tick]
        if at is None:
            return {"engine_temperature": reading, "is_anomaly": None}
        forecast, band = at[0], half * at[1]
        return {
            "engine_temperature": reading,
            "is_anomaly": abs(reading - forecast) > band,
            "forecast_value": forecast,
            "lower_bound": forecast - band,
            "upper_bound": forecast + band,
        }

    return _score(run, record)


def scaled(run: Run, forecasts: Forecasts, scale: float) -> Score:
    """Ours with the rule's degrees multiplied: what the rule itself trades."""
    before = alarms.JUMP_C, alarms.EXCESS_C
    alarms.JUMP_C, alarms.EXCESS_C = before[0] * scale, before[1] * scale
    try:
        return judged(run, forecasts, _half(CHOSEN))
    finally:
        alarms.JUMP_C, alarms.EXCESS_C = before


def limited(run: Run, low: float, high: float) -> Score:
    """Fixed limits, the same for all; there is no forecast."""

    def record(code: str, tick: int, reading: float) -> dict[str, Any]:
        flag = not low <= reading <= high
        return {"engine_temperature": reading, "is_anomaly": flag, "lower_bound": low, "upper_bound": high}

    return _score(run, record)


def _score(run: Run, record: Any) -> Score:
    rule = AlarmRule()
    found: list[Alarm] = []
    for tick in range(run.ticks):
        for code, readings in run.readings.items():
            found += rule.feed(f"race:{code}", tick * TICK_MS, record(code, tick, readings[tick]))
    found += rule.flush()
    ticks = {tick * TICK_MS: tick for tick in range(run.ticks)}
    return score(raised(found, ticks), run.faults, run.stopped, run.ticks - 1)


Curves = dict[str, dict[str, Score]]


def examine(seed: int) -> Curves:
    """Every threshold of every cheap detector on one race."""
    run = race(seed)
    own, window = ours(run), gaussian(run)
    return {
        "ours": {f"{c:g} %": judged(run, own, _half(c)) for c in CONFIDENCES},
        "windowed_gaussian": {f"{c:g} %": judged(run, window, _half(c)) for c in CONFIDENCES},
        "fixed_limits": {f"{low}..{high} C": limited(run, low, high) for low, high in LIMITS},
        "rule_alone": {"no flags": judged(run, own, float("inf"))},
        "ours_rule_scaled": {f"x {scale:g}": scaled(run, own, scale) for scale in RULE_SCALES},
    }


def examine_arima(seed: int, forecasts: Forecasts) -> Curves:
    run = race(seed)
    return {"arima_100": {f"{c:g} %": judged(run, forecasts, _half(c)) for c in CONFIDENCES}}


def pooled(curves: list[Curves]) -> dict[str, list[Point]]:
    totals: dict[str, dict[str, Score]] = {}
    for curve in curves:
        for detector, points in curve.items():
            for threshold, its in points.items():
                at = totals.setdefault(detector, {})
                at[threshold] = at.get(threshold, Score()) + its
    return {
        detector: [Point(threshold, total, len(curves)) for threshold, total in points.items()]
        for detector, points in totals.items()
    }


def at_false_alarms(points: list[Point], most: float) -> Point:
    """The best recall with no more false alarms; where none has so few, the one with the fewest."""
    allowed = [point for point in points if point.false_alarms <= most]
    return max(allowed, key=lambda p: p.recall) if allowed else min(points, key=lambda p: p.false_alarms)


def run(races: int = RACES, sample: int = SAMPLE) -> dict[str, Any]:
    began = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        curves = list(pool.map(examine, range(races)))
        runs = list(pool.map(race, range(sample)))
        jobs = [(seed, code) for seed in range(sample) for code in runs[seed].readings]
        fitted = pool.map(arima, [runs[seed].readings[code] for seed, code in jobs], chunksize=4)
        forecasts: dict[int, Forecasts] = {seed: {} for seed in range(sample)}
        for (seed, code), forecast in zip(jobs, fitted, strict=True):
            forecasts[seed][code] = forecast
        exact = list(pool.map(examine_arima, forecasts.keys(), forecasts.values()))
    on_all, on_sample = pooled(curves), pooled(curves[:sample])
    rule_curve = on_all.pop("ours_rule_scaled")
    found = _compared(on_all, races)
    found["ours"]["rule_curve"] = _curve(rule_curve)
    found |= {"arima_100": _compared(pooled(exact) | {"ours": on_sample["ours"]}, sample)["arima_100"]}
    found["ours_on_the_same_sample"] = _figures(_chosen(on_sample["ours"]), on_sample["ours"], sample)
    found |= {
        "readings_per_race": round(fmean(r.ticks * len(r.readings) for r in runs)),
        "statsmodels_refit_every": REFIT_EVERY,
    }
    found["seconds"] = round(time.monotonic() - began, 1)
    found["cpu_seconds"] = round(sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]), 1)
    _tell(found, on_all | pooled(exact) | {"ours, the rule's degrees scaled": rule_curve})
    return found


def _chosen(points: list[Point]) -> Point:
    return next(point for point in points if point.threshold == f"{CHOSEN:g} %")


def _compared(points: dict[str, list[Point]], races: int) -> dict[str, Any]:
    own = _chosen(points["ours"])
    return {
        detector: _figures(
            own if detector == "ours" else at_false_alarms(its, own.false_alarms * SLACK), its, races
        )
        for detector, its in points.items()
    }


def _figures(point: Point, curve: list[Point], races: int) -> dict[str, Any]:
    return {
        "event_recall": round(point.recall, 3),
        "false_alarms_per_race": round(point.false_alarms, 3),
        "delay_samples": point.score.delay_samples,
        "threshold": point.threshold,
        "races": races,
        "faults": len(point.score.findings),
        "by_kind": {kind: _of_kind(point.score.of_kind(kind)) for kind in NAMES},
        "curve": _curve(curve),
    }


def _curve(points: list[Point]) -> list[dict[str, Any]]:
    return [
        {
            "threshold": point.threshold,
            "event_recall": round(point.recall, 3),
            "false_alarms_per_race": round(point.false_alarms, 3),
            "delay_samples": point.score.delay_samples,
        }
        for point in points
    ]


def _of_kind(its: Score) -> dict[str, Any]:
    recall = its.event_recall
    return {
        "faults": len(its.findings),
        "event_recall": None if recall is None else round(recall, 3),
        "delay_samples": its.delay_samples,
    }


def _tell(found: dict[str, Any], curves: dict[str, list[Point]]) -> None:
    print(f"{'detector':<20}{'threshold':>14}{'recall':>9}{'false/race':>12}{'delay':>8}{'races':>7}")
    for detector, its in found.items():
        if isinstance(its, dict):
            print(
                f"{detector[:19]:<20}{its['threshold']:>14}{its['event_recall']:>9.3f}"
                f"{its['false_alarms_per_race']:>12.2f}{its['delay_samples'] or 0:>8.0f}{its['races']:>7}"
            )
    for detector, points in curves.items():
        print(f"\n{detector}: the whole curve")
        for p in points:
            kinds = "  ".join(f"{kind} {p.score.of_kind(kind).event_recall or 0:.2f}" for kind in NAMES)
            print(f"  {p.threshold:>12}  recall {p.recall:.3f}  false/race {p.false_alarms:5.2f}  {kinds}")
