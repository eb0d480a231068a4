"""Four detectors of odd engine readings, and the score of the alarms that the product's rule makes of each one's flags.

The product's own series, a windowed Gaussian, statsmodels' ARIMA, and fixed limits.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from races.analytics import alarms
from races.analytics.alarm_frames import Sample
from races.analytics.alarms import Alarm, AlarmRule
from races.analytics.anomaly import Parameters, Series
from races.analytics.score import Score, raised, score
from races.sim import Race, RaceSettings, circuit_slugs, default_laps
from races.sim.distance import DEFAULT_PACE
from races.sim.faults import InjectedFault

WINDOW = 100  # readings of the windowed Gaussian
YOUNG, REFIT_YOUNG, REFIT = 116, 5, 20  # readings between statsmodels' fits, up to YOUNG and after
TRAINING = 16
TICK_MS = 200
CHOSEN = NormalDist().inv_cdf(0.995)  # standard deviations of a 99 % band

# The forecast, and half the width of a band of one standard deviation. Both are None before the training.
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
    """Runs the product's own detector. Its band is a multiple of one standard deviation at any confidence."""
    found: Forecasts = {}
    for code, readings in run.readings.items():
        series = Series(Parameters(confidencePercentage=99.0))
        outcomes = [series.feed(reading) for reading in readings]
        found[code] = [
            None if o.forecast_value is None or o.upper_bound is None
            else (o.forecast_value, (o.upper_bound - o.forecast_value) / CHOSEN)
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
        every = REFIT_YOUNG if index < YOUNG else REFIT
        if index >= TRAINING and (index - TRAINING) % every == 0:
            model = ARIMA(readings[max(0, index - 512) : index], order=(1, 0, 0), concentrate_scale=True)
            fit = model.fit(cov_type="none")
            level, slope, variance = (float(number) for number in (*fit.params, fit.scale))
        previous = readings[index - 1] if index else reading
        found.append((level + slope * (previous - level), sqrt(variance)) if index >= TRAINING else None)
    return found


def judged(run: Run, forecasts: Forecasts, half: float) -> Score:
    """Flags beyond `half` standard deviations, through the alarm rule. No flag at all for an infinite half."""

    def sample(code: str, tick: int, reading: float) -> Sample:
        at = forecasts[code][tick]
        if at is None:
            return Sample(reading, None, None, None, None)
        forecast, band = at[0], half * at[1]
        return Sample(reading, forecast, forecast - band, forecast + band, abs(reading - forecast) > band)

    return _score(run, sample)


def scaled(run: Run, forecasts: Forecasts, scale: float) -> Score:
    """Ours with the rule's degrees multiplied: what the rule itself trades."""
    before = alarms.JUMP_C, alarms.EXCESS_C
    alarms.JUMP_C, alarms.EXCESS_C = before[0] * scale, before[1] * scale
    try:
        return judged(run, forecasts, CHOSEN)
    finally:
        alarms.JUMP_C, alarms.EXCESS_C = before


def limited(run: Run, low: float, high: float) -> Score:
    """Fixed limits, the same for all; there is no forecast."""
    return _score(run, lambda _, __, reading: Sample(reading, None, low, high, not low <= reading <= high))


def _score(run: Run, sample: Callable[[str, int, float], Sample]) -> Score:
    rule = AlarmRule()
    found: list[Alarm] = []
    for tick in range(run.ticks):
        frame = {code: sample(code, tick, readings[tick]) for code, readings in run.readings.items()}
        found += rule.judge(tick * TICK_MS, frame)
    ticks = {tick * TICK_MS: tick for tick in range(run.ticks)}
    return score(raised(found, ticks), run.faults, run.stopped, run.ticks - 1)
