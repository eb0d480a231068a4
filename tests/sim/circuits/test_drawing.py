"""The outline: closed, without a crossing that the real one does not have, and the shape of the real one."""

import json
from collections.abc import Iterator
from itertools import pairwise
from math import cos, dist, hypot, radians
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.sim.circuits.circuit import Circuit, load_circuit
from races.sim.circuits.geometry import Point, Segment, closing_gap, stations
from tests.sim.circuits.published import PUBLISHED, every_circuit

OUTLINES = Path(__file__).parent / "outlines"  # of bacinger/f1-circuits, commit 4c9c9aa
DEGREE_M = 111_320.0


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _crossings(outline: tuple[Point, ...]) -> Iterator[tuple[int, int]]:
    edges = list(pairwise([*outline, outline[0]]))
    for i, first in enumerate(edges):
        for j in range(i + 2, len(edges)):
            if _cross(*first, *edges[j]):
                yield i, j


@every_circuit
def test_segments_end_where_they_began(circuit: Circuit) -> None:
    metres, turned = closing_gap(circuit.segments)
    assert metres < 0.05
    assert turned < 1e-6


@every_circuit
def test_the_outline_is_closed_and_even(circuit: Circuit) -> None:
    outline = circuit.drawing.outline
    gaps = [dist(a, b) for a, b in pairwise([*outline, outline[0]])]
    assert 200 <= len(outline) <= 400
    assert max(gaps) == pytest.approx(
        sorted(gaps)[len(gaps) // 2], rel=0.02
    )  # no jump, not at the line either


@every_circuit
def test_only_suzuka_crosses_itself(circuit: Circuit) -> None:
    assert len(list(_crossings(circuit.drawing.outline))) == (1 if circuit.slug == "suzuka" else 0)


@every_circuit
def test_the_drawing_lies_in_its_box(circuit: Circuit) -> None:
    drawing = circuit.drawing
    assert max(drawing.width, drawing.height) == 1000
    for x, y in (*drawing.outline, *drawing.pit_lane):
        assert 0 < x < drawing.width
        assert 0 < y < drawing.height


@every_circuit
def test_the_pit_lane_joins_the_track(circuit: Circuit) -> None:
    lane = circuit.drawing.pit_lane
    assert dist(lane[0], circuit.point(circuit.pit.entry)) < 3
    assert dist(lane[-1], circuit.point(circuit.pit.exit)) < 3
    assert dist(lane[len(lane) // 2], circuit.point((circuit.pit.entry - 1 + circuit.pit.exit) / 2)) > 5


@every_circuit
def test_the_arrow_points_along_the_track(circuit: Circuit) -> None:
    (x, y), (to_x, to_y) = circuit.point(0.0), circuit.point(0.004)
    ahead, (dx, dy) = hypot(to_x - x, to_y - y), circuit.drawing.direction
    assert (dx * (to_x - x) + dy * (to_y - y)) / ahead > 0.98


@given(st.sampled_from(list(PUBLISHED)), st.floats(0, 1), st.floats(0, 0.01))
def test_the_drawing_moves_as_the_car_does(slug: str, share: float, driven: float) -> None:
    circuit = load_circuit(slug)
    length = sum(dist(a, b) for a, b in pairwise([*circuit.drawing.outline, circuit.drawing.outline[0]]))
    assert dist(circuit.point(share), circuit.point(share + driven)) <= driven * length * 1.03 + 1e-6


@given(st.floats(20, 500), st.floats(10, 170), st.sampled_from(["left", "right"]))
def test_an_arc_and_back_is_the_start(radius: float, angle: float, side: str) -> None:
    half = Segment.parse({side: radius, "angle": 180.0})
    straight = Segment.parse({"straight": angle})
    metres, turned = closing_gap([straight, half, straight, half])
    assert metres < 1e-6
    assert turned < 1e-9
    assert stations([straight, half, straight, half], 0.0, 8)[0].x == 0.0


def _projected(path: Path) -> list[Point]:
    feature = json.loads(path.read_text(encoding="utf-8"))["features"][0]
    degrees = feature["geometry"]["coordinates"][:-1]
    east = DEGREE_M * cos(radians(degrees[0][1]))
    return [(lon * east, lat * DEGREE_M) for lon, lat in degrees]


def _centred(points: list[Point], length: float) -> list[Point]:
    """Scaled to the length and moved so that the middle of the line itself lies at the origin."""
    edges = list(pairwise([*points, points[0]]))
    parts = [dist(a, b) for a, b in edges]
    x = sum((a[0] + b[0]) / 2 * part for (a, b), part in zip(edges, parts, strict=True)) / sum(parts)
    y = sum((a[1] + b[1]) / 2 * part for (a, b), part in zip(edges, parts, strict=True)) / sum(parts)
    scale = length / sum(parts)
    return [((px - x) * scale, (py - y) * scale) for px, py in points]


@every_circuit
def test_the_outline_is_the_measured_one(circuit: Circuit) -> None:
    data = json.loads(Path(f"races/sim/circuits/data/{circuit.slug}.json").read_text(encoding="utf-8"))
    name = data["measured_from"]["outline"].split()[1].rstrip(",")
    real = _centred(_projected(OUTLINES / f"{name}.geojson"), circuit.length_m)
    line = stations(circuit.segments, radians(circuit.start_heading_deg), 800)
    drawn = _centred([(at.x, at.y) for at in line], circuit.length_m)
    furthest = max(min(dist(point, near) for near in drawn) for point in real)
    assert furthest < 8.0  # m, half a track's width, of a circuit 1 to 2.5 km across
