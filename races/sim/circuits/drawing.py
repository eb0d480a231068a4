"""A circuit as the page draws it: points in a box of at most 1000 by 1000, y downwards, north up."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, sin

from races.sim.circuits.geometry import Point, Station, offset

BOX = 1000.0
MARGIN = 30.0
PIT_LANE_ASIDE_M = 22.0  # wider than the real one, so that it can be seen beside the track
PIT_LANE_POINTS = 40


@dataclass(frozen=True, slots=True)
class Drawing:
    width: float
    height: float
    outline: tuple[Point, ...]  # equally spaced by distance from the line; the last joins the first
    pit_lane: tuple[Point, ...]  # from entry to exit, equally spaced by the track beside it
    direction: Point  # unit vector of driving at the finish line


def pit_lane(line: Sequence[Station], entry: float, exit_: float, left: bool) -> list[Point]:
    """The pit lane in metres, beside the track from `entry` over the line to `exit_`."""
    shares = [k / PIT_LANE_POINTS for k in range(PIT_LANE_POINTS + 1)]
    span = (exit_ - entry) % 1.0
    beside = [line[round((entry + span * share) * len(line)) % len(line)] for share in shares]
    reach = PIT_LANE_ASIDE_M if left else -PIT_LANE_ASIDE_M
    # It leaves the track and joins it over a sixth of its length.
    ramps = [min(1.0, 6 * min(share, 1 - share)) for share in shares]
    return offset(beside, [reach * ramp * ramp * (3 - 2 * ramp) for ramp in ramps])


def draw(line: Sequence[Station], points: int, pit: Sequence[Point]) -> Drawing:
    """The outline from every so-many-th station; `points` divides their number."""
    every = len(line) // points
    track = [(at.x, at.y) for at in line[::every]]
    xs, ys = [x for x, _ in (*track, *pit)], [y for _, y in (*track, *pit)]
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    scale = (BOX - 2 * MARGIN) / max(right - left, top - bottom)

    def placed(point: Point) -> Point:
        return (
            round(MARGIN + (point[0] - left) * scale, 2),
            round(MARGIN + (top - point[1]) * scale, 2),
        )

    return Drawing(
        width=round((right - left) * scale + 2 * MARGIN, 2),
        height=round((top - bottom) * scale + 2 * MARGIN, 2),
        outline=tuple(map(placed, track)),
        pit_lane=tuple(map(placed, pit)),
        direction=(cos(line[0].heading), -sin(line[0].heading)),
    )
