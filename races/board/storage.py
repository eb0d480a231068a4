"""How frames and engine readings are stored: JSON without what the database keeps elsewhere, compressed.

A frame's logs (commentary, race control, engines) have tables of their own, so a stored frame carries none.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import orjson

from races.board.frames import Frame, no_story

LOGS = ("commentary", "control", "anomalies", "traces", "own")
READING = ("engine_temperature", "forecast_value", "lower_bound", "upper_bound", "is_anomaly")
Reading = tuple[str, int, dict[str, Any]]


def pack_frames(frames: Iterable[Frame]) -> bytes:
    """Packs frames. Cars have the same fields in all of them, so the names are written once."""
    rows = []
    names: list[str] = []
    for frame in frames:
        head = {name: value for name, value in frame.items() if name not in LOGS and name != "cars"}
        names = names or list(frame["cars"][0])
        rows.append(
            [head, [[car.get(name) for name in names] for car in cast(list[dict[str, Any]], frame["cars"])]]
        )
    return zlib.compress(orjson.dumps([names, rows]), 3)


def unpack_frames(data: bytes) -> list[Frame]:
    names, rows = orjson.loads(zlib.decompress(data))
    frames = []
    for head, rows_of_cars in rows:
        logs = {"commentary": [], "control": [], "anomalies": {}, "traces": {}, "own": no_story()}
        cars = [dict(zip(names, car, strict=True)) for car in rows_of_cars]
        frames.append(cast(Frame, {**head, "cars": cars, **logs}))
    return frames


def pack_readings(readings: Iterable[tuple[str, int, Mapping[str, Any]]]) -> bytes:
    """Packs readings: engine (a driver's code or a team), epoch milliseconds and anomaly record."""
    rows = [[code, ts, *(record.get(name) for name in READING)] for code, ts, record in readings]
    return zlib.compress(orjson.dumps(rows), 3)


def unpack_readings(data: bytes) -> Iterator[Reading]:
    for engine, ts, *values in orjson.loads(zlib.decompress(data)):
        yield engine, ts, dict(zip(READING, values, strict=True))
