"""The centreline of a circuit from its straights and arcs.

Lengths are metres, angles degrees in the data and radians in here, headings anticlockwise from east.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, hypot, pi, radians, sin

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight (curvature 0) or an arc; a positive curvature (1/m) turns left."""

    length: float
    curvature: float = 0.0
    turn: int | None = None  # the official number, where the arc belongs to a numbered turn

    @property
    def angle(self) -> float:
        """Change of heading, radians, positive to the left."""
        return self.length * self.curvature

    @classmethod
    def parse(cls, entry: dict[str, float]) -> "Segment":
        """One entry of a data file: {"straight": m} or {"left" | "right": radius, "angle": degrees}."""
        if "straight" in entry:
            return cls(float(entry["straight"]))
        side, sign = ("left", 1.0) if "left" in entry else ("right", -1.0)
        radius, turn = float(entry[side]), entry.get("turn")
        return cls(radius * radians(entry["angle"]), sign / radius, None if turn is None else int(turn))


@dataclass(frozen=True, slots=True)
class Station:
    """A point of the centreline, with the heading and curvature there."""

    x: float
    y: float
    heading: float
    curvature: float


def _along(start: Station, segment: Segment, distance: float) -> Station:
    """The station `distance` metres into a segment that begins at `start`; exact, as the chord is."""
    half = distance * segment.curvature / 2
    chord = distance if abs(half) < 1e-9 else distance * sin(half) / half
    x = start.x + chord * cos(start.heading + half)
    y = start.y + chord * sin(start.heading + half)
    return Station(x, y, start.heading + 2 * half, segment.curvature)


def _joints(segments: Sequence[Segment], heading: float) -> list[Station]:
    """Where each segment begins, and after them where the last one ends."""
    joints = [Station(0.0, 0.0, heading, segments[0].curvature)]
    for segment in segments:
        joints.append(_along(joints[-1], segment, segment.length))
    return joints


def closing_gap(segments: Sequence[Segment]) -> tuple[float, float]:
    """How far the end misses the start: metres, and radians off a whole number of turns."""
    end = _joints(segments, 0.0)[-1]
    return hypot(end.x, end.y), abs((end.heading + pi) % (2 * pi) - pi)


def stations(segments: Sequence[Segment], heading: float, count: int) -> list[Station]:
    """`count` stations equally spaced by distance from the line; the closing gap is spread over the lap.

    Rounded radii and angles miss the start by centimetres; spread, the outline closes exactly.
    """
    joints = _joints(segments, heading)
    ends = list(accumulate(segment.length for segment in segments))
    length, off = ends[-1], joints[-1]
    found = []
    for k in range(count):
        distance = length * k / count
        index = min(bisect_right(ends, distance), len(segments) - 1)
        into = distance - (ends[index - 1] if index else 0.0)
        at = _along(joints[index], segments[index], into)
        found.append(Station(at.x - off.x * k / count, at.y - off.y * k / count, at.heading, at.curvature))
    return found


def offset(line: Sequence[Station], sideways: Sequence[float]) -> list[Point]:
    """The points `sideways` metres to the left of each station."""
    return [
        (at.x - aside * sin(at.heading), at.y + aside * cos(at.heading))
        for at, aside in zip(line, sideways, strict=True)
    ]
