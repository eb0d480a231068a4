"""The right answers to the exercises, made of what the simulation has said of a race.

Python of our own and not SQL, so that an integration test can hold Flink's rows against it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

Record = Mapping[str, Any]
Values = tuple[Any, ...]
SETTLED_MS = 2000  # a row younger than that may still be on its way
TICK_MS = 200
STUCK_LEAST = 10


@dataclass(frozen=True, slots=True)
class Truth:
    """What the simulation has said of one race, each role's records in order; stuck: the engines whose sensor it has
    stopped, each with its first tick, or None where nobody may know yet.
    """

    race_id: str
    positions: Sequence[Record]
    race_control: Sequence[Record]
    car_metrics: Sequence[Record]
    stuck: Sequence[tuple[str, int]] | None = None

    def seen_until(self, roles: Iterable[str]) -> int:
        """The event time up to which all of these topics have said something, in epoch milliseconds."""
        said = {
            "positions": self.positions,
            "race_control": self.race_control,
            "car_metrics": self.car_metrics,
        }
        return min(max((record["timestamp"] for record in said[role]), default=0) for role in roles)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the right answer. at: the event time from which Flink can write it, in epoch milliseconds. Before the
    watermark has passed it, it may be missing.
    """

    at: int
    values: Values


def _cars(records: Iterable[Record]) -> dict[str, list[Record]]:
    cars: dict[str, list[Record]] = {}
    for record in records:
        cars.setdefault(record["driver_code"], []).append(record)
    return cars


def _events(truth: Truth, kind: str) -> list[Record]:
    return [event for event in truth.race_control if event["type"] == kind]


def top_speeds(truth: Truth) -> Iterator[Row]:
    best: dict[tuple[int, str], float] = {}
    for car in truth.positions:
        if car["phase"] == "race":
            key = (car["timestamp"] // 10_000 * 10_000, car["driver_code"])
            best[key] = max(best.get(key, 0.0), car["speed"])
    for (start, code), kmh in best.items():
        yield Row(start + 10_000, (start, code, kmh))


def fastest_three(truth: Truth) -> Iterator[Row]:
    speeds: dict[int, dict[str, list[float]]] = {}
    for car in truth.positions:
        newest = car["timestamp"] // 5000
        for window in range(newest - 2, newest + 1):
            speeds.setdefault(window, {}).setdefault(car["driver_code"], []).append(car["speed"])
    for window, cars in speeds.items():
        means = sorted((sum(of_one) / len(of_one) for of_one in cars.values()), reverse=True)
        for place, kmh in enumerate(means[:3], 1):
            yield Row(window * 5000 + 15_000, (window * 5000, kmh, place))


def pit_visits(truth: Truth) -> Iterator[Row]:
    for code, car in _cars(truth.positions).items():
        visits: list[list[int]] = []
        for at in (one["timestamp"] for one in car if one["pit"]):
            if not visits or at - visits[-1][-1] >= 1000:
                visits.append([])
            visits[-1].append(at)
        for visit in visits:
            yield Row(visit[-1] + 1000, (code, visit[0], len(visit)))


def fastest_laps(truth: Truth) -> Iterator[Row]:
    best: dict[str, tuple[float, int]] = {}
    for car in truth.positions:
        lap = car["best_lap_s"]
        if lap is not None and lap < best.get(car["driver_code"], (math.inf, 0))[0]:
            best[car["driver_code"]] = (lap, car["timestamp"])
    for place, (lap, at) in enumerate(sorted(best.values())[:3], 1):
        yield Row(at, (place, lap))


def newest_records(truth: Truth) -> Iterator[Row]:
    for code, car in _cars(truth.positions).items():
        yield Row(car[-1]["timestamp"] - SETTLED_MS, (code, car[-1]["tick"], car[-1]["position"]))


def places_gained(truth: Truth) -> Iterator[Row]:
    for code, car in _cars(truth.positions).items():
        for before, after in pairwise(car):
            if after["position"] < before["position"] and after["phase"] == "race" and not after["pit"]:
                places = before["position"], after["position"]
                yield Row(after["timestamp"], (code, *places, after["tick"]))


def stuck_sensors(truth: Truth) -> Iterator[Row]:
    """Runs of equal readings, of those engines only whose sensor the simulation has stopped, where that is known."""
    for code, car in _cars(truth.car_metrics).items():
        for value, run in groupby(car, key=lambda one: one["engine_temperature"]):
            equal = list(run)
            first, last = equal[0]["tick"], equal[-1]["tick"]
            injected = truth.stuck is None or any(
                code == stuck and first - 1 <= tick <= last for stuck, tick in truth.stuck
            )
            if len(equal) >= STUCK_LEAST and equal[-1] is not car[-1] and injected:
                yield Row(equal[-1]["timestamp"] + TICK_MS, (code, value, len(equal)))


def stops(truth: Truth) -> Iterator[Row]:
    for came in _events(truth, "pit_in"):
        for left in _events(truth, "pit_out"):
            waited = left["timestamp"] - came["timestamp"]
            if came["driver_code"] == left["driver_code"] and 0 <= waited <= 60_000:
                yield Row(left["timestamp"], (came["driver_code"], came["lap"], left["value"]))


def tyres_at_overtakes(truth: Truth) -> Iterator[Row]:
    cars = {(car["driver_code"], car["tick"]): car for car in truth.positions}
    for passed in _events(truth, "overtake"):
        car = cars.get((passed["driver_code"], passed["tick"]))
        tyre = (car["tyre"], car["tyre_age"]) if car else (None, None)
        yield Row(passed["timestamp"] + TICK_MS, (passed["event"], passed["driver_code"], *tyre))


def none_late(truth: Truth) -> Iterator[Row]:
    if truth.car_metrics:
        yield Row(0, (0,))


def undercuts(truth: Truth) -> Iterator[Row]:
    stops, exits = _events(truth, "pit_in"), _events(truth, "pit_out")
    for passed in _events(truth, "overtake"):
        at, victim = passed["timestamp"], passed["other_code"]
        for left in exits:
            for came in stops:
                if (
                    (left["driver_code"], came["driver_code"]) == (passed["driver_code"], victim)
                    and 0 <= at - left["timestamp"] <= 30_000
                    and -1000 <= at - came["timestamp"] <= 5000
                ):
                    yield Row(max(at, came["timestamp"]), (passed["driver_code"], victim, passed["event"]))


def overtakes_of_minutes(truth: Truth) -> Iterator[Row]:
    counts: Counter[tuple[int, int]] = Counter()
    for one in _events(truth, "overtake"):
        minute, step = one["timestamp"] // 60_000, one["timestamp"] % 60_000 // 10_000
        counts.update((minute, end) for end in range(step + 1, 7))
    for (minute, end), count in counts.items():
        start = minute * 60_000
        yield Row(start + end * 10_000, (start, start + end * 10_000, count))


LATE = 10
EXPECTED: Mapping[int, Callable[[Truth], Iterator[Row]]] = {
    1: top_speeds,
    2: fastest_three,
    3: pit_visits,
    4: fastest_laps,
    5: newest_records,
    6: places_gained,
    7: stuck_sensors,
    8: stops,
    9: tyres_at_overtakes,
    LATE: none_late,
    11: undercuts,
    12: overtakes_of_minutes,
}
"""Exercise to the rows of its answer, in the order of its columns after race_id, or of those that are compared."""

COMPARED = {2: ("window_start", "kmh", "place"), 4: ("place", "best_lap_s"), LATE: ("late",)}
"""Where not every column is compared: cars may have one speed or one best lap, and readings come on."""

READ = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6), ("positions",)),
    **dict.fromkeys((7, LATE), ("car_metrics",)),
    **dict.fromkeys((8, 11, 12), ("race_control",)),
    9: ("positions", "race_control"),
}
"""Exercise to the roles of the topics that it reads."""
