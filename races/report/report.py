"""The report of a race that has ended: from its rows to what its page shows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from races.board.race_info import RaceInfo
from races.board.stints import stints
from races.live.rendering.formatting import NONE, gap, lap_time
from races.live.rendering.panels import CONTROL_WORDS
from races.models import CommentaryLine, ControlMessage, Race, Result, moment
from races.recorder.race_recording import results as rows_of
from races.recorder.reader import last_frame
from races.report import charts
from races.report.charts import TYRES
from races.report.detector_score import engine_room
from races.report.findings import findings
from races.report.laps import Car, Point, neutral, points
from races.report.pace_charts import (
    Bins,
    deltas,
    dominance_map,
    faster,
    speed_chart,
    speed_table,
    times_chart,
    trace_chart,
    wear_chart,
    wear_table,
)
from races.report.preview import lap_chart_png
from races.report.speeds import speeds_of
from races.report.stops import moved, stops
from races.report.story import story
from races.sim import TICK_MS

CHOSEN_MOST = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the classification, in words."""

    car: Car
    result: Result
    place: str
    moved: str
    way: str
    gap: str
    best: str
    fastest: bool
    average: str


def report(race: Race, asked: Sequence[str], against: str = "average") -> dict[str, Any]:
    """Returns the template's context. asked: codes of the drivers whose gaps and times are to be shown; against: what
    the race trace compares with, the winner's average or a driver.
    """
    results = standing(race)
    cars = _cars(race, results)
    begun = race.status != Race.Status.STOPPED or race.control.filter(type="lights_out").exists()
    chosen = _chosen(cars, asked)
    bests = [result.best_lap_s for result in results if result.best_lap_s is not None]
    best = min(bests, default=None)
    rows = [_row(car, result, best) for car, result in zip(cars, results, strict=True)]
    control = list(race.control.all())
    finished = race.status == Race.Status.FINISHED
    paragraph = story(cars, control, race.laps, finished) if begun and cars and cars[0].points else None
    against = against if any(car.code == against for car in cars) else "average"
    pair = compared(cars, chosen)
    speeds = speeds_of(race) if pair else {}
    found = stops(control, TICK_MS / 1000 * race.pace)
    places = moved(cars)
    spans = neutral(race.control.values_list("type", "lap"), race.laps)
    owners = [owner.code for owner in faster(pair, speeds) if owner]
    return {
        "race": race,
        "rows": rows,
        "winner": rows[0] if rows else None,
        "own": next((row for row in rows if row.car.own), None),
        "fastest": next((row for row in rows if row.fastest), None),
        "cars": cars,
        "chosen": chosen,
        "too_many": sum(car.code in asked for car in cars) > CHOSEN_MOST,
        "begun": begun,
        "outcome": _outcome(race, cars, begun),
        "story": paragraph,
        "against": against,
        "pair": pair,
        "won": [(car, owners.count(car.code)) for car in pair],
        "stretches": len(owners),
        "charts": _charts(race, cars, chosen, against) | _speed_charts(race, pair, speeds),
        "tables": _tables(cars, against),
        "wear_head": ["Laps on the set", *TYRES.values()],
        "wear_rows": wear_table(cars, spans),
        "speed_head": ["Share of the lap", *(car.code for car in pair)],
        "speed_rows": speed_table(pair, speeds),
        "stops": found,
        "lane_known": any(stop.lane_s is not None for stop in found),
        "moved": places,
        "findings": findings(cars, chosen, against, spans, places),
        "commentary": [_said(race.tick_at(line.timestamp), line) for line in race.commentary.all()],
        "control": [_said(row.tick, row) for row in control if row.type != "overtake"],
        "engines": engine_room(race) if race.anomaly_detection and race.recorded_tick >= 0 else None,
        "can_replay": race.recorded_tick >= 0,
    }


def standing(race: Race) -> list[Result]:
    """The classification; of a race that failed on the way there is none, only its last order."""
    if results := list(race.results.all()):
        return results
    frame = last_frame(race)
    averages = {car["driver_name"]: car["average_speed_kmh"] for car in frame["cars"]} if frame else {}
    return rows_of(race, frame, averages) if frame else []


def _said(tick: int, line: CommentaryLine | ControlMessage) -> dict[str, Any]:
    """Adds its moment in the replay to a line."""
    return {"tick": tick, "at": moment(tick), "word": CONTROL_WORDS.get(line.type, ""), "line": line}


def _outcome(race: Race, cars: Sequence[Car], begun: bool) -> str:
    """How long it took, or where it was ended; empty where that is not known."""
    if race.status == Race.Status.STOPPED:
        return f"Red flag on lap {race.lap} of {race.laps}." if begun else "The race had not begun."
    last = cars[0].points[-1] if cars and cars[0].points else None
    if race.status != Race.Status.FINISHED or not last or last.lap != race.laps or not last.crossed_s:
        return ""
    return f"{race.laps} lap{'' if race.laps == 1 else 's'} in {race_time(last.crossed_s)}."


def race_time(seconds: float) -> str:
    """Writes 1:17:22.345, or 17:22.345 for less than an hour."""
    hours, rest = divmod(round(seconds * 1000), 3_600_000)
    minutes, ms = divmod(rest, 60_000)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{ms // 1000:02d}.{ms % 1000:03d}"


def _cars(race: Race, results: Sequence[Result]) -> list[Car]:
    colours = {entry.driver_code: entry.colour for entry in race.entries.all()}
    timed = points(race.lap_set.all())
    seen: set[str] = set()
    cars = []
    for result in results:
        code = result.driver_code
        cars.append(
            Car(
                code=code,
                name=result.driver_name,
                colour=colours.get(code, "#8a93a3"),
                own=code == race.driver_code,
                grid=result.grid,
                status=result.status,
                second=result.team_name in seen,
                points=timed.get(code, ()),
                stints=stints(result.stints, result.laps),
            )
        )
        seen.add(result.team_name)
    return cars


def _chosen(cars: Sequence[Car], asked: Sequence[str]) -> list[str]:
    """Returns the drivers that were asked for; without any, the own driver, the podium and the two cars around."""
    codes = [car.code for car in cars]
    found = [code for code in codes if code in asked]
    if found:
        return found[:CHOSEN_MOST]
    own = next((place for place, car in enumerate(cars) if car.own), 0)
    near = {0, 1, 2, own - 1, own, own + 1}
    return [code for place, code in enumerate(codes) if place in near]


def _row(car: Car, result: Result, best: float | None) -> Row:
    retired = result.status == "retired"
    gained = result.grid - result.position if result.grid else 0
    speed = result.average_speed_kmh
    behind = gap(result.gap_s, result.laps_down)
    first = "Winner" if result.status == "finished" else "Leader"
    return Row(
        car=car,
        result=result,
        place=str(result.position),
        moved=f"▲{gained}" if gained > 0 else f"▼{-gained}" if gained < 0 else "·",
        way="up" if gained > 0 else "down" if gained < 0 else "",
        gap="Out" if retired else behind if result.position > 1 else first,
        best=lap_time(result.best_lap_s),
        fastest=best is not None and result.best_lap_s == best,
        average=NONE if speed is None else f"{speed:.1f}",
    )


def preview_png(race: Race) -> bytes:
    """Returns the lap chart as a picture, drawn at the first call."""
    return _preview(race.pk, race.status)


@lru_cache(maxsize=32)
def _preview(race_id: uuid.UUID, status: str) -> bytes:
    race = Race.objects.get(pk=race_id)
    cars = _cars(race, standing(race))
    return lap_chart_png(cars, max(_laps(cars), default=1))


def compared(cars: Sequence[Car], chosen: Sequence[str]) -> list[Car]:
    """Returns the two cars whose speeds are compared: the own one, and the best of the others that were chosen."""
    shown = [car for car in cars if car.code in chosen and len(car.points) > 1]
    own = next((car for car in shown if car.own), shown[0] if shown else None)
    others = [car for car in shown if car is not own]
    return [own, others[0]] if own and others else []


def _speed_charts(race: Race, pair: Sequence[Car], speeds: Mapping[str, Bins]) -> dict[str, SafeString]:
    outline = RaceInfo.from_json(race.frozen).track.outline if race.frozen else ()
    drawn = {"speeds": speed_chart(pair, speeds), "dominance": dominance_map(pair, speeds, outline)}
    return {name: mark_safe(svg) for name, svg in drawn.items()}  # noqa: S308  # drawing escapes what it is given


def _charts(race: Race, cars: Sequence[Car], chosen: Sequence[str], against: str) -> dict[str, SafeString]:
    laps = max(_laps(cars), default=0)
    if not laps:
        return {}
    cut = {Race.Status.STOPPED: "red flag", Race.Status.FAILED: "end"}.get(Race.Status(race.status), "")
    spans = neutral(race.control.values_list("type", "lap"), laps + bool(cut))
    drawn = {"places": charts.lap_chart(cars, laps, spans, cut), "stints": charts.stint_chart(cars, laps)}
    if laps > 1:  # a line needs two ends
        drawn["gaps"] = charts.gap_chart(cars, chosen, laps, spans)
        drawn["times"] = times_chart([car for car in cars if car.code in chosen], laps, spans)
        drawn["trace"] = trace_chart(cars, chosen, against, laps, spans)
        drawn["wear"] = wear_chart(cars, spans)
    return {name: mark_safe(svg) for name, svg in drawn.items()}  # noqa: S308  # drawing escapes what it is given


def _laps(cars: Sequence[Car]) -> list[int]:
    return sorted({point.lap for car in cars for point in car.points})


def _tables(cars: Sequence[Car], against: str) -> dict[str, list[tuple[int, list[str]]]]:
    """Makes the tables behind the charts: a row a lap, a column a car."""
    words: dict[str, Callable[[Point], str]] = {
        "places": lambda point: str(point.position),
        "gaps": lambda point: gap(point.gap_s or None),
        "times": lambda point: lap_time(point.time_s),
    }
    by_car = [{point.lap: point for point in car.points} for car in cars]
    traced = [dict(found) for found in deltas(cars, against).values()]
    trace = [(lap, [f"{row[lap]:+.3f}" if lap in row else NONE for row in traced]) for lap in _laps(cars)]
    return {"trace": trace} | {
        name: [(lap, [say(row[lap]) if lap in row else NONE for row in by_car]) for lap in _laps(cars)]
        for name, say in words.items()
    }
