"""What a whole race was between the lines, read off its laps and its messages; docs/realism.md defines the figures."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from itertools import pairwise
from typing import NamedTuple

from races.sim import Event, RaceSettings
from races.sim.race.car import FINISHED
from races.sim.race.field import Field
from races.sim.race.motion import step
from races.sim.race.start import line_up

Figures = dict[str, float | None]
PINNED_MS = (480, 520)
NEUTRALISES = {"vsc": True, "safety_car": True, "green": False}
FROM_LAP = 6  # of the intervals and lap times; the start has drawn apart by then
CLEAR_MS = 2500  # of free road ahead
ANSWER_LAPS = 10  # a car that has stopped within so many laps has nothing to answer


@dataclass
class Lap:
    """One car's lap; times in ms of race time."""

    car: int
    number: int
    start: int
    end: int
    ordinary: bool  # no in-lap, no out-lap, never neutralised


class Stop(NamedTuple):
    """A visit to the pits at the end of a lap; seconds of race time into and out of the lane."""

    car: int
    lap: int
    entered: float
    left: float
    green: bool


@dataclass
class Log:
    """What a race was, read off its laps and its messages."""

    field: Field
    # By number, in order at the line.
    laps: dict[int, list[Lap]] = dataclass_field(default_factory=lambda: defaultdict(list))
    stops: list[Stop] = dataclass_field(default_factory=list)
    pit_laps: set[tuple[int, int]] = dataclass_field(default_factory=set)

    @property
    def cars(self) -> int:
        return len(self.field.cars)


def run_race(circuit: str, laps: int, seed: int) -> tuple[Field, list[tuple[float, Event]]]:
    """A whole race without publication, and its messages with their race time in seconds."""
    race = line_up(RaceSettings(circuit, laps, 60, seed))
    told: list[tuple[float, Event]] = []
    while any(car.state < 3 for car in race.cars):
        step(race)
        if race.events:
            told += [(race.time_s, event) for event in race.events]
            race.events.clear()
    return race, told


def logged(race: Field, told: Iterable[tuple[float, Event]]) -> Log:
    """Laps and stops of a race, from its statistics and its messages with their times."""
    log, index = Log(race), {car.code: car.index for car in race.cars}
    neutral: list[tuple[float, float]] = []
    since, entered = -1.0, dict[int, tuple[int, float, bool]]()
    for when, event in told:
        if event.type in NEUTRALISES:
            if NEUTRALISES[event.type] and since < 0:
                since = when
            elif not NEUTRALISES[event.type] and since >= 0:
                neutral.append((since * 1000, when * 1000))
                since = -1.0
        elif event.type == "pit_in":
            entered[index[event.driver_code]] = event.lap, when, since < 0
        elif event.type == "pit_out":
            car = index[event.driver_code]
            lap, began, green = entered.pop(car)
            log.stops.append(Stop(car, lap, began, when, green))
            log.pit_laps |= {(car, lap), (car, lap + 1)}
    if since >= 0:
        neutral.append((since * 1000, 1e12))
    log.pit_laps |= {(car, lap) for car, (lap, *_) in entered.items()}  # retired in the pits
    ends = [0] * log.cars
    for car, number, ms, _ in race.statistics.laps:
        start, end = ends[car], ends[car] + ms
        ends[car] = end
        slow = any(a < end and b > start for a, b in neutral)
        log.laps[number].append(Lap(car, number, start, end, not slow and (car, number) not in log.pit_laps))
    for laps in log.laps.values():
        laps.sort(key=lambda lap: lap.end)
    return log


def share(hits: int, of: int) -> float | None:
    """The share of hits; None where there is nothing to share."""
    return hits / of if of else None


def intervals(log: Log, first: int) -> list[list[tuple[Lap, Lap, int]]]:
    """By lap: (car ahead, car behind, ms between them) of neighbours at the line on ordinary laps."""
    found = []
    for number in sorted(log.laps):
        if number >= first:
            pairs = pairwise(log.laps[number])
            found.append([(a, b, b.end - a.end) for a, b in pairs if a.ordinary and b.ordinary])
    return found


def spacing(log: Log, first: int) -> Figures:
    """Intervals, intervals that stand still, and trains."""
    by_lap = intervals(log, first)
    every = [ms for lap in by_lap for _, _, ms in lap]
    n = len(every)

    def between(low: int, high: int) -> float | None:
        return share(sum(low <= ms < high for ms in every), n)

    still = pairs = in_trains = cars = 0
    for before, after in pairwise(by_lap):
        was = {(a.car, b.car): ms for a, b, ms in before}
        for a, b, ms in after:
            old = was.get((a.car, b.car))
            if old is not None and old < 1500 and ms < 1500:
                pairs += 1
                still += abs(ms - old) < 20
    for lap in by_lap:
        cars += len({each.car for a, b, _ in lap for each in (a, b)})
        train: list[int] = []
        previous = -1
        for a, b, ms in lap:
            if ms >= 1000 or a.car != previous:
                in_trains += len(train) if len(train) >= 3 else 0
                train = []
            if ms < 1000:
                train = [*(train or [a.car]), b.car]
            previous = b.car
        in_trains += len(train) if len(train) >= 3 else 0
    return {
        "iv_pinned": share(sum(PINNED_MS[0] <= ms <= PINNED_MS[1] for ms in every), n),
        "iv_lt1": between(0, 1000),
        "iv_05_1": between(500, 1000),
        "iv_1_2": between(1000, 2000),
        "iv_2_5": between(2000, 5000),
        "iv_gt5": between(5000, 10**9),
        "still_share": share(still, pairs),
        "cars_in_trains3": share(in_trains, cars),
    }


def stopping(log: Log) -> Figures:
    """When cars stop. Names that begin with an underscore are counts, to be pooled over races."""
    race, green = log.field, [stop for stop in log.stops if stop.green]
    fullest = max(Counter(stop.lap for stop in green).values(), default=0)
    changes = sorted([(stop.entered, 1) for stop in green] + [(stop.left, -1) for stop in green])
    inside = most = 0
    for _, change in changes:
        inside += change
        most = max(most, inside)
    firsts: dict[int, Stop] = {}
    for stop in sorted(log.stops, key=lambda stop: stop.entered):
        firsts.setdefault(stop.car, stop)
    laps = sorted(stop.lap / race.laps for stop in firsts.values() if stop.green)
    spread = quantile(laps, 0.9) - quantile(laps, 0.1) if len(laps) >= 5 else None
    finishers = [car for car in race.cars if car.state == FINISHED]
    mate, mates, rival, rivals = answers(log, green)
    return {
        "modal_share_green": fullest / log.cars,
        "inlane_max_green": float(most),
        "first_stop_spread": spread,
        "stops_per_car": statistics.mean(car.stops for car in finishers),
        "stops_under_flag": share(len(log.stops) - len(green), len(log.stops)),
        "_mate_same": float(mate[0]), "_mate_next": float(mate[1]), "_mates": float(mates),
        "_rival_same": float(rival[0]), "_rival_next": float(rival[1]), "_rivals": float(rivals),
    }  # fmt: skip


def answers(log: Log, green: list[Stop]) -> tuple[list[int], int, list[int], int]:
    """How often the team-mate, and the car 1 to 6 s ahead, stop on the same lap and on the next."""
    race = log.field
    laps_of: dict[int, set[int]] = defaultdict(set)
    for stop in log.stops:
        laps_of[stop.car].add(stop.lap)
    mate, rival, mates, rivals = [0, 0], [0, 0], 0, 0

    def recent(car: int, lap: int) -> bool:
        return any(lap - ANSWER_LAPS <= each < lap for each in laps_of[car])

    for car, lap, *_ in green:
        team = race.cars[car].team
        other = next(each for each in race.cars if each.team is team and each.index != car)
        if other.done >= lap and not recent(other.index, lap):
            mates += 1
            for n in (0, 1):
                mate[n] += lap + n in laps_of[other.index]
        order = log.laps.get(lap - 1, [])
        for a, b in pairwise(order):
            if b.car == car and 1000 <= b.end - a.end <= 6000 and not recent(a.car, lap):
                rivals += 1
                for n in (0, 1):
                    rival[n] += lap + n in laps_of[a.car]
    return mate, mates, rival, rivals


def quantile(ordered: list[float], part: float) -> float:
    """Interpolated between neighbours of a sorted list."""
    at = part * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def driving(log: Log, first: int) -> Figures:
    """Lap times in free air, and changes of place on the track."""
    race, scale = log.field, 90.0 / log.field.track.lap_s
    clear: dict[int, dict[int, Lap]] = defaultdict(dict)
    for number, laps in log.laps.items():
        for n, lap in enumerate(laps):
            if number >= first and lap.ordinary and (n == 0 or lap.end - laps[n - 1].end >= CLEAR_MS):
                clear[lap.car][number] = lap
    steps = []
    for by_number in clear.values():
        for number, lap in by_number.items():
            after = by_number.get(number + 1)
            if after:
                steps.append(((after.end - after.start) - (lap.end - lap.start)) / 1000 * scale)
    scatter = None
    if len(steps) > 20:
        middle = statistics.median(steps)
        scatter = 1.4826 * statistics.median(abs(each - middle) for each in steps) / 2**0.5
    changes = green_laps = 0
    leads = [laps[0].car for _, laps in sorted(log.laps.items())]
    for number in range(2, race.laps + 1):
        before = {lap.car: n for n, lap in enumerate(log.laps[number - 1])}
        now = [lap.car for lap in log.laps[number] if lap.ordinary and lap.car in before]
        if now:
            green_laps += 1
            changes += sum(before[a] > before[b] for n, a in enumerate(now) for b in now[n + 1 :])
    medians = sorted(
        statistics.median(lap.end - lap.start for lap in laps)
        for car in race.cars
        if (
            laps := [
                lap for each in log.laps.values() for lap in each if lap.car == car.index and lap.ordinary
            ]
        )
        and car.done > race.laps / 2
    )
    return {
        "lap_scatter": scatter,
        "track_changes_per_lap": changes / green_laps if green_laps else None,
        "lead_changes": float(sum(a != b for a, b in pairwise(leads))),
        "tenth_at_25": gap_at(log, round(0.25 * race.laps), 9),
        "fifteenth_at_75": gap_at(log, round(0.75 * race.laps), 14),
        "median_18th": 100.0 * (medians[17] / medians[0] - 1.0) if len(medians) >= 18 else None,
    }


def gap_at(log: Log, number: int, place: int) -> float | None:
    """Seconds from the leader to this place, from 0, at the end of a lap."""
    laps = log.laps[number]
    return (laps[place].end - laps[0].end) / 1000 if len(laps) > place else None


def result(log: Log) -> Figures:
    """The flag, and what was called on the way to it."""
    race = log.field
    order = [race.cars[i] for i in race.order if race.cars[i].state == FINISHED]
    gaps = [b.line_ms - a.line_ms for a, b in pairwise(order) if a.done == b.done]
    tenth = order[9] if len(order) > 9 and order[9].done == race.laps else None
    return {
        "winner_margin_s": (order[1].line_ms - order[0].line_ms) / 1000,
        "tenth_s": (tenth.line_ms - order[0].line_ms) / 1000 if tenth else None,
        "final_iv_pinned": share(sum(PINNED_MS[0] <= ms <= PINNED_MS[1] for ms in gaps), len(gaps)),
        "places_moved": statistics.mean(abs(car.grid - n) for n, car in enumerate(order, start=1)),
        "lapped_share": sum(car.done < race.laps for car in order) / len(order),
        "sc": float(race.statistics.safety_cars),
        "vsc": float(race.statistics.virtual),
    }


def measure(circuit: str, laps: int, seed: int) -> Figures:
    """Every figure of one race."""
    log = logged(*run_race(circuit, laps, seed))
    return spacing(log, FROM_LAP) | stopping(log) | driving(log, FROM_LAP) | result(log)
