"""Alarms against injected faults: event recall, false alarms and delay of four detectors behind one alarm rule.

Default races (default laps and pace, the circuits of the season in turn, seeds from 0) with faults injected.
Each detector gives a forecast and a band for every reading; a reading outside is flagged; the alarm rule of the
product makes alarms of flags and readings. A threshold (band in standard deviations, or limits) is swept for each
detector and the whole curve is told; the detectors are compared at the false alarms that ours has at 99 %.

For trials: ANOMALIES_RACES, ANOMALIES_SAMPLE (races for statsmodels), ANOMALIES_FIRST_SEED, ANOMALIES_PROCESSES.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import sqrt
from typing import Any

from bench.studies.detectors import (
    CHOSEN,
    REFIT,
    REFIT_YOUNG,
    Forecasts,
    Run,
    arima,
    gaussian,
    judged,
    limited,
    ours,
    race,
    scaled,
)
from races.analytics.score import NAMES, Score

RACES = int(os.environ.get("ANOMALIES_RACES", "100"))
SAMPLE = int(os.environ.get("ANOMALIES_SAMPLE", "5"))  # races for statsmodels
FIRST_SEED = int(os.environ.get("ANOMALIES_FIRST_SEED", "0"))
PROCESSES = int(os.environ.get("ANOMALIES_PROCESSES", str(os.cpu_count())))
SIGMAS = (1.645, CHOSEN, 4.0, 5.0, 6.0, 8.0, 12.0)
HIGHS = (116, 117, 118, 119, 120, 122)
LIMITS = (*((0, high) for high in HIGHS), (100, 119))
RULE_SCALES = (0.7, 0.85, 1.15, 1.3)  # of the rule's own degrees, beside 1
COMPARED = ("ours", "fixed_limits", "windowed_gaussian", "rule_alone")
SLACK = 1.1  # the same false alarms: at most this times ours


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


Curves = dict[str, dict[str, Score]]


def examine(seed: int) -> Curves:
    """Every threshold of every cheap detector on one race."""
    run = race(seed)
    own, window = ours(run), gaussian(run)
    return {
        "ours": _swept(run, own),
        "fixed_limits": {f"{low}..{high} C": limited(run, low, high) for low, high in LIMITS},
        "windowed_gaussian": _swept(run, window),
        "rule_alone": {"no flags": judged(run, own, float("inf"))},
        "ours, rule scaled": {f"x {scale:g}": scaled(run, own, scale) for scale in RULE_SCALES},
    }


def examine_arima(seed: int, forecasts: Forecasts) -> Curves:
    return {"arima_100": _swept(race(seed), forecasts)}


def _swept(run: Run, forecasts: Forecasts) -> dict[str, Score]:
    return {_sigmas(half): judged(run, forecasts, half) for half in SIGMAS}


def _sigmas(half: float) -> str:
    return f"{half:.3g} sigma"


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
    seeds = range(FIRST_SEED, FIRST_SEED + races)
    with ProcessPoolExecutor(PROCESSES) as pool:
        exact = _exact(pool, seeds[:sample])
        curves = []
        for curve in pool.map(examine, seeds):
            curves.append(curve)
            print(f"\r{len(curves)} of {races} races", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    on_all, on_sample, on_exact = pooled(curves), pooled(curves[:sample]), pooled(exact)
    most = _chosen(on_all["ours"]).false_alarms
    found = {name: _compared(name, on_all, most) for name in COMPARED}
    most = _chosen(on_sample["ours"]).false_alarms
    found["arima_100"] = _compared("arima_100", on_exact, most)
    found["ours_on_the_same_sample"] = _compared("ours", on_sample, most)
    _tell(found)
    return found | {
        "statsmodels_refit_every": {"young": REFIT_YOUNG, "then": REFIT},
        "seeds": [seeds[0], seeds[-1]],
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]), 1),
    }


def _exact(pool: ProcessPoolExecutor, seeds: Sequence[int]) -> list[Curves]:
    """statsmodels on every car of these races."""
    runs = list(pool.map(race, seeds))
    jobs = [(at, code) for at, run in enumerate(runs) for code in run.readings]
    forecasts: list[Forecasts] = [{} for _ in seeds]
    fitted = pool.map(arima, [runs[at].readings[code] for at, code in jobs], chunksize=2)
    for done, ((at, code), forecast) in enumerate(zip(jobs, fitted, strict=True), start=1):
        forecasts[at][code] = forecast
        print(f"\rstatsmodels: {done} of {len(jobs)} cars", end="", file=sys.stderr, flush=True)
    return list(pool.map(examine_arima, seeds, forecasts))


def _chosen(points: list[Point]) -> Point:
    return next(point for point in points if point.threshold == _sigmas(CHOSEN))


def _compared(name: str, points: dict[str, list[Point]], most: float) -> dict[str, Any]:
    """A detector at the false alarms of ours, with its curves."""
    its = points[name]
    figures = _figures(_chosen(its) if name == "ours" else at_false_alarms(its, most * SLACK))
    return figures | {
        "curve": [_on_the_curve(point) for point in its],
        "rule_curve": [_on_the_curve(point) for point in points.get(f"{name}, rule scaled", [])],
    }


def _figures(point: Point) -> dict[str, Any]:
    its = point.score
    low, high = wilson(its.caught, len(its.findings))
    return {
        "event_recall": round(point.recall, 3),
        "event_recall_95": [round(low, 3), round(high, 3)],
        "false_alarms_per_race": round(point.false_alarms, 3),
        "delay_samples": its.delay_samples,
        "threshold": point.threshold,
        "races": point.races,
        "faults": len(its.findings),
        "named_right": sum(finding.named_right for finding in its.findings),
        "repeats_per_race": round(len(its.repeats) / point.races, 3),
        "by_kind": {kind: _of_kind(its.of_kind(kind)) for kind in NAMES},
    }


def _on_the_curve(point: Point) -> dict[str, Any]:
    return {
        "threshold": point.threshold,
        "event_recall": round(point.recall, 3),
        "false_alarms_per_race": round(point.false_alarms, 3),
        "delay_samples": point.score.delay_samples,
        "recall_of": {kind: _of_kind(point.score.of_kind(kind))["event_recall"] for kind in NAMES},
    }


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, hits / of
    middle, spread = share + z * z / (2 * of), z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)


def _of_kind(its: Score) -> dict[str, Any]:
    recall = its.event_recall
    return {
        "faults": len(its.findings),
        "event_recall": None if recall is None else round(recall, 3),
        "delay_samples": its.delay_samples,
    }


def _tell(found: dict[str, Any]) -> None:
    print(f"{'':<24}{'threshold':>12}{'recall':>8}{'95 %':>13}{'false/race':>12}{'delay':>7}{'races':>7}")
    for detector, its in found.items():
        low, high = its["event_recall_95"]
        print(
            f"{detector:<24}{its['threshold']:>12}{its['event_recall']:>8.3f}{low:>7.2f}-{high:.2f}"
            f"{its['false_alarms_per_race']:>13.2f}{its['delay_samples'] or 0:>7.0f}{its['races']:>7}"
        )
    for detector, its in found.items():
        for title, curve in (
            ("the whole curve", its["curve"]),
            ("the rule's degrees scaled", its["rule_curve"]),
        ):
            if curve:
                print(f"\n{detector}: {title}")
            for point in curve:
                kinds = (f"{kind} {'-' if of is None else of}" for kind, of in point["recall_of"].items())
                print(
                    f"  {point['threshold']:>12}  recall {point['event_recall']:.3f}"
                    f"  false/race {point['false_alarms_per_race']:5.2f}  {'  '.join(kinds)}"
                )
