"""The track as inline SVG, and the cars that the page's script moves along its outline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import dist, hypot
from typing import Any

from django.template.loader import render_to_string

from races.board.race_info import Point, RaceInfo

WIDTH, HEIGHT, MARGIN = 1000.0, 640.0, 60.0
RING = 235.0  # radius of the view that has the lap as a circle
SAFETY_CAR = "SC"  # its code on the map; a driver's has three letters
NAME_OFF, NAME_ROOM = 36.0, 30.0  # a sector's name from the middle of the track, and from the rest of it
CORNER_OFF, CORNER_ROOM = (
    27.0,
    22.0,
)  # a corner's number from the middle of the track, and from everything else


def fit(points: Sequence[Point], others: Sequence[Point]) -> tuple[list[Point], list[Point]]:
    """Both lines in the picture's box, turned by a quarter where that makes the track larger."""
    lines, everything = (points, others), [*points, *others]
    xs, ys = [x for x, _ in everything], [y for _, y in everything]
    wide, high = max(max(xs) - min(xs), 1e-9), max(max(ys) - min(ys), 1e-9)
    inner_w, inner_h = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    if high > wide * 1.15:
        turned = [[(y, -x) for x, y in line] for line in lines]
        return fit(turned[0], turned[1])
    scale = min(inner_w / wide, inner_h / high)
    left = (WIDTH - wide * scale) / 2 - min(xs) * scale
    top = (HEIGHT - high * scale) / 2 - min(ys) * scale
    fitted = [[(round(x * scale + left, 1), round(y * scale + top, 1)) for x, y in line] for line in lines]
    return fitted[0], fitted[1]


def _line(points: Sequence[Point]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _sectors(info: RaceInfo, outline: Sequence[Point]) -> list[dict[str, Any]]:
    one, two = info.track.sectors
    count, sectors = len(outline), []
    for number, (start, end) in enumerate(((0.0, one), (one, two), (two, 1.0)), 1):
        line = [outline[at % count] for at in range(round(start * count), round(end * count) + 1)]
        x, y = _beside(outline, line)
        sectors.append({"number": number, "points": _line(line), "x": f"{x:.1f}", "y": f"{y:.1f}"})
    return sectors


def _beside(outline: Sequence[Point], line: Sequence[Point]) -> Point:
    """Where a sector's name stands: off the cars' way, beside the track where there is room nearest to its middle."""
    middle = len(line) // 2
    best, best_room = line[middle], -1.0
    for at in sorted(range(1, len(line) - 1), key=lambda at: abs(at - middle)):
        for side in (NAME_OFF, -NAME_OFF):
            place = _off(line[at - 1], line[at], line[at + 1], side)
            room = min(dist(place, point) for point in outline)
            if room > best_room + 1:
                best, best_room = place, room
        if best_room > NAME_ROOM:
            break
    return best


def _off(before: Point, point: Point, after: Point, by: float) -> Point:
    along = hypot(after[0] - before[0], after[1] - before[1]) or 1.0
    dx, dy = (after[1] - before[1]) / along * by, (before[0] - after[0]) / along * by
    return point[0] + dx, point[1] + dy


def _across(outline: Sequence[Point], share: float, reach: float) -> str:
    """A line across the track at a share of the lap, `reach` to each side of its middle."""
    at, count = round(share * len(outline)), len(outline)
    before, here, after = (outline[(at + step) % count] for step in (-1, 0, 1))
    (x, y), (to_x, to_y) = (_off(before, here, after, by) for by in (-reach, reach))
    return f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"


def _arrow(outline: Sequence[Point]) -> str:
    """A triangle beside the line that points the way the cars go."""
    count = len(outline)
    at = max(count // 80, 1)
    before, here, after = outline[at - 1], outline[at], outline[(at + 1) % count]
    beside = _off(before, here, after, 26)
    along = dist(before, after) or 1.0
    dx, dy = (after[0] - before[0]) / along, (after[1] - before[1]) / along
    corners = ((1.6, 0.0), (-1.0, 0.9), (-1.0, -0.9))
    return _line(
        [
            (round(beside[0] + 9 * (dx * a - dy * b), 1), round(beside[1] + 9 * (dy * a + dx * b), 1))
            for a, b in corners
        ]
    )


def corner_labels(info: RaceInfo, outline: Sequence[Point], names: Sequence[Point]) -> list[dict[str, Any]]:
    """The numbers of the corners: on the inside of the bend, where no label of a car stands, or else outside. A number
    that would lie on the track or on another one is left out."""
    count, taken, found = len(outline), list(names), []
    for number, share in info.track.corners:
        at = round(share * count)
        before, here, after = (outline[(at + step) % count] for step in (-3, 0, 3))
        turn = (here[0] - before[0]) * (after[1] - here[1]) - (here[1] - before[1]) * (after[0] - here[0])
        inside = -CORNER_OFF if turn > 0 else CORNER_OFF
        for place in (_off(before, here, after, inside), _off(before, here, after, -inside)):
            on_track = min(dist(place, point) for point in outline) < CORNER_ROOM - 2
            if not on_track and all(dist(place, other) > CORNER_ROOM for other in taken):
                taken.append(place)
                found.append({"number": number, "x": f"{place[0]:.1f}", "y": f"{place[1]:.1f}"})
                break
    return found


@lru_cache(maxsize=64)  # the same for everybody who opens the page of a race
def track_map(info: RaceInfo) -> str:
    """The track as SVG, and above it one button for each car: a browser moves those without drawing anything."""
    if len(info.track.outline) < 3:
        return '<p class="empty">This race has no circuit to draw.</p>'
    outline, pit = fit(info.track.outline, info.track.pit)
    sectors = _sectors(info, outline)
    names = [(float(sector["x"]), float(sector["y"])) for sector in sectors]
    context = {
        "info": info,
        "width": f"{WIDTH:g}",
        "height": f"{HEIGHT:g}",
        "entry": f"{info.track.pit_entry:g}",
        "exit": f"{info.track.pit_exit:g}",
        "codes": " ".join([*(car.code for car in info.cars), SAFETY_CAR]),
        "outline": _line(outline),
        "pit": _line(pit),
        "sectors": sectors,
        "corners": corner_labels(info, outline, names),
        "finish": _across(outline, 0.0, 17),
        "boundaries": [_across(outline, share, 11) for share in info.track.sectors],
        "detection": None if info.track.detection is None else _across(outline, info.track.detection, 15),
        "arrow": _arrow(outline),
        "ring": {
            "x": f"{WIDTH / 2:g}",
            "y": f"{HEIGHT / 2:g}",
            "r": f"{RING:g}",
            "top": f"{HEIGHT / 2 - RING - 17:g}",
        },
        "cars": sorted(info.cars, key=lambda car: car.code == info.own_code),  # the own one last, so on top
    }
    return render_to_string("races/live/track_map.html", context)


def outline_svg(outline: Sequence[Point]) -> str:
    """A circuit's shape alone, for cards."""
    if len(outline) < 3:
        return ""
    fitted, _ = fit(outline, ())
    return (
        f'<svg class="outline" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" aria-hidden="true">'
        f'<polygon points="{_line(fitted)}"/></svg>'
    )
