"""What the result card holds once a race has ended: the winner, the own driver's race, the classification."""

from __future__ import annotations

from django.template.loader import render_to_string

from races.board.frames import CarFrame, Frame
from races.board.race_info import RaceInfo
from races.live.rendering.formatting import gap, lap_time
from races.live.rendering.header import GREY, RaceStatus
from races.live.rendering.tower import Cells


def result_cell(cells: Cells, frame: Frame | None, info: RaceInfo, status: RaceStatus) -> None:
    """The result card, empty until the last tick or until the race was stopped."""
    ended = frame is not None and (frame["phase"] == "over" or status.state in ("finished", "stopped"))
    inner = _result(frame, info, status) if frame and ended else ""
    cells["result"] = f'<div id="result">{inner}</div>'


def _result(frame: Frame, info: RaceInfo, status: RaceStatus) -> str:
    stopped = status.state == "stopped" or frame["flag"] == "red"
    colours = {car.code: car.colour for car in info.cars}
    rows = [
        {
            "car": car,
            "colour": colours.get(car["driver_code"], GREY),
            "own": car["driver_code"] == info.own_code,
            "gap": _gap(car, stopped),
            "best": lap_time(car["best_lap_s"]),
        }
        for car in frame["cars"]
    ]
    own = next((car for car in frame["cars"] if car["driver_code"] == info.own_code), frame["cars"][0])
    context = {
        "info": info,
        "stopped": stopped,
        "title": "Race stopped" if stopped else "Chequered flag",
        "winner": rows[0],
        "own_words": "" if own is frame["cars"][0] else _own_words(own, stopped),
        "rows": rows,
    }
    return render_to_string("races/live/result.html", context)


def _own_words(own: CarFrame, stopped: bool) -> str:
    """Says how the own driver's race ended: "Lando Norris finishes P7, 2 places gained"."""
    if own["status"] == "retired":
        return f"{own['driver_name']} did not finish"
    places = abs(own["gained"])
    moved = f", {places} place{'s' if places > 1 else ''} {'gained' if own['gained'] > 0 else 'lost'}"
    verb = "was" if stopped else "finishes"
    return f"{own['driver_name']} {verb} P{own['position']}{moved if places else ''}"


def _gap(car: CarFrame, stopped: bool) -> str:
    if car["status"] == "retired":
        return "Out"
    if car["position"] == 1:
        return "Leader" if stopped else "Winner"
    return gap(car["gap_s"], car["laps_down"])
