"""A made-up race for the page's tests: every field filled, deterministic, no physics meant."""

from __future__ import annotations

import math
from typing import Any

from races.board.board import Board
from races.board.frames import Frame
from races.board.race_info import CarInfo, RaceInfo, TrackInfo

RACE_ID = "0c7a5a56-1f0e-4a9e-9a51-5a2f3c1d9b11"
START = 1_780_000_000_000
TEAMS = {
    "McLaren": ("#FF8000", "NOR Lando Norris 1", "PIA Oscar Piastri 81"),
    "Mercedes": ("#27F4D2", "RUS George Russell 63", "ANT Kimi Antonelli 12"),
    "Red Bull": ("#3671C6", "VER Max Verstappen 3", "HAD Isack Hadjar 6"),
    "Ferrari": ("#E80020", "LEC Charles Leclerc 16", "HAM Lewis Hamilton 44"),
    "Williams": ("#64C4FF", "ALB Alexander Albon 23", "SAI Carlos Sainz 55"),
    "Racing Bulls": ("#6692FF", "LAW Liam Lawson 30", "LIN Arvid Lindblad 41"),
    "Aston Martin": ("#229971", "ALO Fernando Alonso 14", "STR Lance Stroll 18"),
    "Haas": ("#B6BABD", "OCO Esteban Ocon 31", "BEA Oliver Bearman 87"),
    "Audi": ("#FF2D00", "HUL Nico Hülkenberg 27", "BOR Gabriel Bortoleto 5"),
    "Alpine": ("#0093CC", "GAS Pierre Gasly 10", "COL Franco Colapinto 43"),
    "Cadillac": ("#444444", "PER Sergio Pérez 11", "BOT Valtteri Bottas 77"),
}


def _cars() -> tuple[CarInfo, ...]:
    cars = []
    for team, (colour, *drivers) in TEAMS.items():
        for driver in drivers:
            code, first, last, number = driver.split()
            cars.append(CarInfo(code, f"{first} {last}", int(number), team, colour))
    return tuple(cars)


def _outline() -> tuple[tuple[float, float], ...]:
    points = []
    for n in range(200):
        angle = math.tau * n / 200
        radius = 300 + 60 * math.sin(3 * angle) + 30 * math.cos(5 * angle)
        points.append((round(1.5 * radius * math.cos(angle), 1), round(radius * math.sin(angle), 1)))
    return tuple(points)


def info(own: str = "NOR", laps: int = 12) -> RaceInfo:
    outline = _outline()
    pit = tuple((0.9 * x, 0.9 * y) for x, y in (*outline[194:], *outline[:7]))
    track = TrackInfo(outline, pit, 0.97, 0.03, (0.31, 0.68))
    return RaceInfo(RACE_ID, "monza", "Monza", laps, 12, 7, own, _cars(), "Italy", 5793.0, track,
                    {"green": 22.0, "vsc": 16.0, "safety_car": 11.0})  # fmt: skip


GRID_TICKS = 32
LAP_S = 81.0
SECONDS_A_TICK = 2.4


def _distance(index: int, time_s: float) -> float:
    """Laps covered: a steady pace by car with a swing, so that places change now and then."""
    swing = 0.004 * math.sin(time_s / 60 + index * 1.7) if time_s > 0 else 0
    return max(time_s, 0) / (LAP_S + 0.09 * index) + swing - 0.0016 * index


def tick(number: int, race: RaceInfo) -> list[dict[str, Any]]:
    """The positions of one tick: 22 records in order of position."""
    time_s = (number - GRID_TICKS) * SECONDS_A_TICK
    cars = race.cars
    order = sorted(range(len(cars)), key=lambda index: -_distance(index, time_s))
    leader = _distance(order[0], time_s)
    out = leader >= race.laps
    records = []
    for place, index in enumerate(order):
        covered = _distance(index, time_s)
        ahead = _distance(order[place - 1], time_s) if place else covered
        car = cars[index]
        stopped = index == 20 and time_s > 300
        stint = 6 + index % 3
        lap = 0 if time_s < 0 else math.floor(max(covered, 0)) + 1
        pit = lap == stint + 1 and covered % 1 < 0.03
        last = LAP_S + 0.09 * index + round(0.8 * math.sin(lap + index), 3) if lap > 1 else None
        records.append({
            "driver_name": car.name, "position": place + 1, "timestamp": START + number * 200,
            "race_id": race.race_id, "team_name": car.team, "speed": 0.0 if time_s < 0 else 231.4,
            "driver_code": car.code, "driver_number": car.number, "tick": number, "field_size": len(cars),
            "phase": "grid" if time_s < 0 else "over" if out else "race",
            "lights": min(number // 5, 5) if time_s < 0 else 0,
            "flag": _flag(time_s, out), "yellow_sector": 2 if _flag(time_s, out) == "yellow" else 0,
            "race_time_s": time_s, "lap": lap, "laps": race.laps, "lap_fraction": round(covered % 1, 5),
            "gap_s": None if place == 0 or stopped else round((leader - covered) * LAP_S, 3),
            "interval_s": None if place == 0 or stopped else round((ahead - covered) * LAP_S, 3),
            "laps_down": 0, "last_lap_s": last and round(last, 3),
            "best_lap_s": last and round(min(last, LAP_S + 0.09 * index), 3),
            "sector_1_s": last and round(last * 0.31, 3), "sector_2_s": last and round(last * 0.37, 3),
            "sector_3_s": last and round(last * 0.32, 3),
            "tyre": "MEDIUM" if lap <= stint else "HARD", "tyre_age": lap if lap <= stint else lap - stint,
            "stints": "M1" if lap <= stint else f"M1 H{stint + 1}", "stops": int(lap > stint), "pit": pit,
            "status": "retired" if stopped else "pit" if pit else "finished" if out else "racing",
            "grid": index + 1, "overtake_mode": False,
        })  # fmt: skip
    return records


def _flag(time_s: float, out: bool) -> str:
    if out:
        return "chequered"
    return {5: "yellow", 6: "safety_car", 9: "vsc"}.get(int(time_s // 60), "green")


def event(number: int, ordinal: int, kind: str, code: str, message: str) -> dict[str, Any]:
    return {"race_id": RACE_ID, "tick": number, "timestamp": START + number * 200, "type": kind,
            "driver_code": code, "lap": 1, "message": message, "event": ordinal, "other_code": "",
            "position": 0, "value": None}  # fmt: skip


def reading(number: int, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A reading of an engine and its key."""
    value = {"engine_temperature": 115.0 + number % 7, "is_anomaly": number % 9 == 0, "forecast_value": 117.0,
             "lower_bound": 114.0, "upper_bound": 120.0}  # fmt: skip
    return value, {"key": f"{RACE_ID}:{code}", "ts": START + number * 200}


def feed(board: Board, number: int) -> Frame:
    """Puts everything that comes in one tick onto a board, with comments that are sometimes late."""
    at = START + (number - (3 if number % 11 == 0 else 0)) * 200
    if number % 4 == 0:
        board.apply(
            "commentary",
            {
                "id": f"c{number}",
                "message": f"words <{number}>",
                "timestamp": at,
                "type": "info",
                "race_id": None,
            },
        )
    if number % 6 == 0:
        board.apply("race_control", event(number, number, "pit_in", "NOR", "NOR pits"))
    board.apply(
        "avg_speed", {"avg_speed": 200 + number / 7}, {"driver_name": "Lando Norris", "race_id": RACE_ID}
    )
    board.apply("car_metrics_anomalies", *reading(number, "NOR"))
    return next(frame for record in tick(number, board.info) if (frame := board.apply("positions", record)))
