"""The picture that other sites show of a report's address: the lap chart, 1200 by 630, as a PNG.

Previews take no SVG. These are plain lines on a plain ground; a library for pictures would be more than they need."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise

from races.report.laps import Car

WIDTH, HEIGHT, MARGIN = 1200, 630, 50
GROUND, OTHER = (14, 18, 25), (138, 147, 163)
THICK, THIN = 4, 2  # px to each side of a line's middle
Colour = tuple[int, int, int]


def lap_chart_png(cars: Sequence[Car], laps: int) -> bytes:
    """Draws each car's place from the grid to the flag in its team's colour, the own one thick and on top."""
    rows = [bytearray(bytes(GROUND) * WIDTH) for _ in range(HEIGHT)]
    across, down = (WIDTH - 2 * MARGIN) / max(laps, 1), (HEIGHT - 2 * MARGIN) / max(len(cars) - 1, 1)
    for car in sorted(cars, key=lambda car: car.own):
        places = ([(0, car.grid)] if car.grid else []) + [(point.lap, point.position) for point in car.points]
        line = [(MARGIN + lap * across, MARGIN + (place - 1) * down) for lap, place in places]
        _draw(rows, line, _colour(car.colour), THICK if car.own else THIN)
    raw = b"".join(b"\0" + row for row in rows)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", head), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")):
        png += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return png


def _draw(rows: list[bytearray], line: Sequence[tuple[float, float]], colour: Colour, wide: int) -> None:
    """Draws a line that never goes back to the left, column by column."""
    for (x, y), (to_x, to_y) in pairwise(line):
        steep = (to_y - y) / max(to_x - x, 1e-9)
        reach = wide + abs(steep) / 2
        for column in range(round(x), round(to_x) + 1):
            middle = y + (column - x) * steep
            for row in range(max(round(middle - reach), 0), min(round(middle + reach), HEIGHT - 1) + 1):
                rows[row][column * 3 : column * 3 + 3] = bytes(colour)


def _colour(text: str) -> Colour:
    """Reads #rrggbb; a grey for anything else."""
    try:
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
    except ValueError:
        return OTHER
    return red, green, blue
