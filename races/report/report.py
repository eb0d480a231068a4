"""The report of a race that has ended: from its rows to what its page shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from races.live.rendering.formatting import NONE, gap, lap_time
from races.live.rendering.panels import CONTROL_WORDS
from races.models import CommentaryLine, ControlMessage, Race, Result, moment
from races.recorder.race_recording import results as rows_of
from races.recorder.reader import last_frame
from races.report import charts
from races.report.detector_score import EngineRoom, engine_room
from races.report.laps import Car, Point, neutral, points, stints

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


def report(race: Race, asked: Sequence[str]) -> dict[str, Any]:
    """The template's context. asked: codes of the drivers whose gaps and times are to be shown."""
    results = standing(race)
    cars = _cars(race, results)
    begun = race.status != Race.Status.STOPPED or race.control.filter(type="lights_out").exists()
    chosen = _chosen(cars, asked)
    rows = _rows(cars, results)
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
        "charts": _charts(race, cars, chosen),
        "tables": _tables(cars),
        "commentary": [_said(race.tick_at(line.timestamp), line) for line in race.commentary.all()],
        "control": [_said(row.tick, row) for row in race.control.exclude(type="overtake")],
        "engines": _engines(race),
        "can_replay": race.recorded_tick >= 0,
    }


def standing(race: Race) -> list[Result]:
    """The classification; of a race that failed on the way there is none, only its last order."""
    return list(race.results.all()) or _as_it_stood(race)


def _as_it_stood(race: Race) -> list[Result]:
    frame = last_frame(race)
    averages = {car["driver_name"]: car["average_speed_kmh"] for car in frame["cars"]} if frame else {}
    return rows_of(race, frame, averages) if frame else []


def _engines(race: Race) -> EngineRoom | None:
    return engine_room(race) if race.anomaly_detection and race.recorded_tick >= 0 else None


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
    return f"{_laps_words(race.laps)} in {race_time(last.crossed_s)}."


def _laps_words(laps: int) -> str:
    return f"{laps} lap{'' if laps == 1 else 's'}"


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


def _rows(cars: Sequence[Car], results: Sequence[Result]) -> list[Row]:
    bests = [result.best_lap_s for result in results if result.best_lap_s is not None]
    best = min(bests, default=None)
    return [_row(car, result, best) for car, result in zip(cars, results, strict=True)]


def _row(car: Car, result: Result, best: float | None) -> Row:
    retired = result.status == "retired"
    gained = result.grid - result.position if result.grid else 0
    speed = result.average_speed_kmh
    behind = gap(result.gap_s, result.laps_down)
    return Row(
        car=car,
        result=result,
        place=str(result.position),
        moved=f"▲{gained}" if gained > 0 else f"▼{-gained}" if gained < 0 else "·",
        way="up" if gained > 0 else "down" if gained < 0 else "",
        gap="Out" if retired else behind if result.position > 1 else _first(result),
        best=lap_time(result.best_lap_s),
        fastest=best is not None and result.best_lap_s == best,
        average=NONE if speed is None else f"{speed:.1f}",
    )


def _first(result: Result) -> str:
    return "Winner" if result.status == "finished" else "Leader"


def _charts(race: Race, cars: Sequence[Car], chosen: Sequence[str]) -> dict[str, SafeString]:
    laps = max(_laps(cars), default=0)
    if not laps:
        return {}
    cut = {Race.Status.STOPPED: "red flag", Race.Status.FAILED: "end"}.get(Race.Status(race.status), "")
    spans = neutral(race.control.values_list("type", "lap"), laps + bool(cut))
    drawn = {"places": charts.lap_chart(cars, laps, spans, cut), "stints": charts.stint_chart(cars, laps)}
    if laps > 1:  # a line needs two ends
        drawn["gaps"] = charts.gap_chart(cars, chosen, laps, spans)
        drawn["times"] = charts.times_chart([car for car in cars if car.code in chosen], laps, spans)
    return {name: mark_safe(svg) for name, svg in drawn.items()}  # noqa: S308  # drawing escapes what it is given


def _laps(cars: Sequence[Car]) -> list[int]:
    return sorted({point.lap for car in cars for point in car.points})


def _tables(cars: Sequence[Car]) -> dict[str, list[tuple[int, list[str]]]]:
    """Makes the tables behind the charts: a row a lap, a column a car."""
    words: dict[str, Callable[[Point], str]] = {
        "places": lambda point: str(point.position),
        "gaps": lambda point: gap(point.gap_s or None),
        "times": lambda point: lap_time(point.time_s),
    }
    by_car = [{point.lap: point for point in car.points} for car in cars]
    return {
        name: [(lap, [say(row[lap]) if lap in row else NONE for row in by_car]) for lap in _laps(cars)]
        for name, say in words.items()
    }
