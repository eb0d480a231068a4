"""Records to send: one complete example a role, and what reading them back takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from races.streams.consumer import Message, Tail

NOW_MS = int(time.time()) * 1000  # not a constant: Kafka drops what is older than a topic's retention
RACE = "0b6b1a6e-7e2f-4a26-8c5e-31b8c2a6f3a1"
BASE_POSITION: dict[str, Any] = {
    "driver_name": "Lando Norris",
    "position": 3,
    "timestamp": NOW_MS,
    "race_id": RACE,
    "team_name": "McLaren",
    "speed": 287.31,
}
POSITION = BASE_POSITION | {
    "driver_code": "NOR",
    "driver_number": 1,
    "tick": 312,
    "field_size": 22,
    "phase": "race",
    "lights": 0,
    "flag": "yellow",
    "yellow_sector": 2,
    "race_time_s": 736.2,
    "lap": 9,
    "laps": 12,
    "lap_fraction": 0.4123,
    "gap_s": 3.21,
    "interval_s": None,
    "laps_down": 0,
    "last_lap_s": 81.234,
    "best_lap_s": 80.9,
    "sector_1_s": 26.1,
    "sector_2_s": 27.1,
    "sector_3_s": None,
    "tyre": "MEDIUM",
    "tyre_age": 8,
    "stints": "S1 M2",
    "stops": 1,
    "pit": False,
    "status": "racing",
    "grid": 5,
    "overtake_mode": True,
    "events": 2,
}
VALUES: dict[str, dict[str, Any]] = {
    "positions": POSITION,
    "race_control": {
        "race_id": RACE,
        "tick": 313,
        "timestamp": NOW_MS,
        "type": "overtake",
        "driver_code": "NOR",
        "lap": 9,
        "message": "NOR passes PÉR for P3 — at last",
        "event": 17,
        "other_code": "PER",
        "position": 3,
        "value": None,
    },
    "car_metrics": {
        "team_name": "McLaren",
        "timestamp": NOW_MS,
        "engine_temperature": 104.25,
        "race_id": RACE,
        "driver_code": "NOR",
        "lap": 9,
        "tick": 312,
    },
    "avg_speed": {"avg_speed": 231.75},
    "commentary": {
        "id": f"{RACE}:17",
        "message": "Norris dives past Pérez!",
        "timestamp": NOW_MS,
        "type": "highlight",
        "race_id": RACE,
        "drivers": ["NOR", "PER"],
    },
    "car_metrics_anomalies": {
        "team_name": "McLaren",
        "engine_temperature": 119.5,
        "is_anomaly": True,
        "forecast_value": 104.0,
        "lower_bound": 101.5,
        "upper_bound": 106.5,
        "rmse": None,
    },
}
KEYS: dict[str, str | dict[str, Any] | None] = {
    "positions": RACE,
    "race_control": RACE,
    "car_metrics": f"{RACE}:NOR",
    "avg_speed": {"driver_name": "Lando Norris", "race_id": RACE},
    "commentary": None,
    "car_metrics_anomalies": {"key": f"{RACE}:NOR", "ts": NOW_MS},
}


def eventually(what: str, holds: Callable[[], bool], seconds: float = 15.0) -> None:
    """Waits on a condition; fails with its name."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.01)


def read(tail: Tail, count: int, seconds: float = 15.0) -> list[Message]:
    """Exactly `count` messages, and none behind them."""
    found: list[Message] = []
    end = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        found += tail.poll(1000, 0.05)
    found += tail.poll(1000, 0.05)
    assert len(found) == count, f"{len(found)} messages instead of {count}"
    return found


def settle(tail: Tail, seconds: float = 15.0) -> None:
    """The tail knows where it starts, so that what is sent from now on comes after that."""
    eventually("the tail is assigned", lambda: tail.poll(1, 0.01) == [] and tail.state.ok, seconds)
