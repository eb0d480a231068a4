"""A race by laps, from what was timed at the line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from races.board.stints import Stint


class Timed(Protocol):
    """One car's lap as the recorder stored it: position and gap as the tower showed them just after the line."""

    driver_code: str
    lap: int
    time_s: float | None
    position: int
    gap_s: float | None
    tyre: str
    tyre_age: int


@dataclass(frozen=True, slots=True)
class Point:
    """The end of one lap. crossed_s: race time at the line, None where a lap before it is not known.
    position and gap_s: at the line, among those who ended the same lap. tyre_age: laps that the set had done before."""

    lap: int
    time_s: float | None
    crossed_s: float | None
    position: int
    gap_s: float | None
    tyre: str
    tyre_age: int = 0


@dataclass(frozen=True, slots=True)
class Car:
    """One car's race, in the order of the classification."""

    code: str
    name: str
    colour: str
    own: bool
    grid: int
    status: str
    second: bool  # the second car of its team, which has the same colour
    points: tuple[Point, ...]
    stints: tuple[Stint, ...]


def points(laps: Iterable[Timed]) -> dict[str, tuple[Point, ...]]:
    """Returns the laps of each driver, by code and in order."""
    rows = sorted(laps, key=lambda row: (row.driver_code, row.lap))
    timed: dict[str, list[Point]] = {}
    for row in rows:
        mine = timed.setdefault(row.driver_code, [])
        point = Point(
            row.lap, row.time_s, _crossed(mine, row), row.position, row.gap_s, row.tyre[:1], row.tyre_age
        )
        mine.append(point)
    placed = _placed(timed)
    return {code: tuple(placed[code, point.lap] for point in mine) for code, mine in timed.items()}


def _crossed(before: Sequence[Point], row: Timed) -> float | None:
    """Adds lap times up to race time; None where the recorder missed a lap."""
    if row.time_s is None or row.lap != len(before) + 1:
        return None
    if not before:
        return row.time_s
    return None if before[-1].crossed_s is None else round(before[-1].crossed_s + row.time_s, 3)


def _placed(timed: Mapping[str, Sequence[Point]]) -> dict[tuple[str, int], Point]:
    """The order at the line, lap by lap; what the tower showed where not all times of a lap are known."""
    by_lap: dict[int, list[tuple[str, Point]]] = {}
    for code, mine in timed.items():
        for point in mine:
            by_lap.setdefault(point.lap, []).append((code, point))
    placed = {}
    for lap, ended in by_lap.items():
        times = {code: point.crossed_s for code, point in ended if point.crossed_s is not None}
        known = len(times) == len(ended)
        order = sorted(times, key=lambda code: times[code])
        for code, point in ended:
            placed[code, lap] = (
                replace(point, position=order.index(code) + 1, gap_s=round(times[code] - times[order[0]], 3))
                if known
                else point
            )
    return placed


def neutral(events: Iterable[tuple[str, int]], laps: int) -> list[tuple[str, int, int]]:
    """(kind, first lap, last lap) behind the safety car, real or virtual, from (type, the leader's lap) in order."""
    spans: list[tuple[str, int, int]] = []
    begun: tuple[str, int] | None = None
    for kind, lap in events:
        if begun and kind in ("green", "red_flag", "chequered", "vsc", "safety_car"):
            spans.append((*begun, max(lap, begun[1])))
            begun = None
        if kind in ("vsc", "safety_car"):
            begun = kind, lap
    if begun:
        spans.append((*begun, laps))
    return spans
