"""The own driver's line: one sentence and one figure in every state of the car; a wide page adds more."""

from __future__ import annotations

from html import escape
from math import ceil

from races.board.frames import CarFrame, Frame
from races.board.pit_rejoin import pit_loss, rejoin
from races.board.race_info import RaceInfo
from races.board.tick import BATTLE_S
from races.live.rendering.formatting import gap
from races.live.rendering.tower import CATCHING_S, Cells

STOP_SHOWN_MS = 6_000  # of the stream's time
UNDER = {"vsc": "virtual safety car", "safety_car": "safety car"}


def own_cell(cells: Cells, frame: Frame, info: RaceInfo) -> None:
    """Writes the line with each tick, as the intervals in the tower that it repeats."""
    cells["own"] = f'<span id="own">{_line(frame, info)}</span>'


def _line(frame: Frame, info: RaceInfo) -> str:
    cars, code, story = frame["cars"], info.own_code, frame["own"]
    place = next((index for index, car in enumerate(cars) if car["driver_code"] == code), None)
    if place is None:
        return ""
    car, ahead = cars[place], cars[place - 1] if place else None
    name = f"<b>{code}</b>"
    if car["status"] == "retired":
        return f"{name} is out of the race, on lap {car['lap']}"
    line = f"<b>{code} P{car['position']}</b>"
    if frame["phase"] == "grid":
        behind = f", behind {ahead['driver_code']}{_on(ahead)}" if ahead else ", on pole"
        return f"{line} on the grid{_on(car)}{behind}"
    if car["status"] == "finished" or frame["phase"] == "over":
        places, way = abs(car["gained"]), "up" if car["gained"] > 0 else "down"
        moved = f", {places} place{'s' if places > 1 else ''} {way} on the grid" if places else ""
        return f"{line}, finished{moved}"
    if car["status"] == "pit":
        since = story["pit_since"]
        timer = f" for {(frame['timestamp'] - since) / 1000 * info.pace:.0f} s" if since else ""
        return f"{line}, in the pit lane{timer}{_alarm(frame, code)}"
    return line + _racing(frame, car, ahead) + _alarm(frame, code)


def _racing(frame: Frame, car: CarFrame, ahead: CarFrame | None) -> str:
    """What matters most of a car on the track: its stop just now, the flag, tyres that are gone, or the car ahead."""
    story, now = frame["own"], frame["timestamp"]
    if story["stop"] and 0 <= now - story["stop"][0] <= STOP_SHOWN_MS:
        return f", out of the pit after {story['stop'][1]:.1f} s"
    apart = car["interval_s"]
    if ahead is None or apart is None:
        where = ", leading" if ahead is None else ""
    else:
        where = f", {gap(apart)[1:]} s behind {ahead['driver_code']}"
    if frame["flag"] in UNDER:
        return f'{where}<span class="more"> under the {UNDER[frame["flag"]]}</span>'
    if story["fade"]:
        lost, lap = story["fade"]
        return f", tyres fading: {lost:.1f} s a lap slower than on lap {lap}"
    if ahead is None or apart is None:
        return where
    mode = ", overtake mode" if car["overtake_mode"] else ""
    catching = car.get("catching_s") or 0.0
    if catching < CATCHING_S or apart < BATTLE_S:
        return f"{mode}{where}"
    laps = ceil(apart / catching)
    there = (
        f", there in {laps} lap{'s' if laps > 1 else ''}" if laps <= frame["laps"] - car["lap"] + 1 else ""
    )
    return f"{mode}{where}, catching {catching:.1f} s a lap{there}"


def more_cell(cells: Cells, frame: Frame, info: RaceInfo) -> None:
    """Writes what goes along once a second: the car behind, the lap, and where a stop now would bring the car out."""
    words = _more(frame, info) if frame["phase"] == "race" else ""
    cells["own-more"] = f'<span id="own-more" class="more">{words}</span>'


def _more(frame: Frame, info: RaceInfo) -> str:
    cars = frame["cars"]
    place = next((n for n, car in enumerate(cars) if car["driver_code"] == info.own_code), None)
    if place is None or cars[place]["status"] not in ("racing", "pit"):
        return ""
    car, words = cars[place], ""
    behind = cars[place + 1] if place + 1 < len(cars) else None
    if behind and behind["interval_s"] is not None:
        words = f", {gap(behind['interval_s'])[1:]} s ahead of {behind['driver_code']}"
    words += f" · lap {car['lap']} of {frame['laps']}"
    out = rejoin(cars, car["driver_code"], pit_loss(info.pit_loss_s, frame["flag"]))
    if out is not None and car["lap"] < frame["laps"]:  # nobody stops on the last lap
        words += f" · a stop: P{out.position}"
        words += f", {out.ahead[1]:.1f} s behind {out.ahead[0]}" if out.ahead else ""
        words += f", {out.behind[1]:.1f} s ahead of {out.behind[0]}" if out.behind else ""
    return words


def _on(car: CarFrame) -> str:
    return f" on {escape(car['tyre'].lower())}s" if car["tyre"] else ""


def _alarm(frame: Frame, code: str) -> str:
    alarm = frame["anomalies"][code]["alarm"] if code in frame["anomalies"] else None
    if alarm is None or alarm.get("end") is not None:
        return ""
    return f', <em class="ill">engine alarm: {escape(str(alarm.get("kind", "")).replace("_", " "))}</em>'
