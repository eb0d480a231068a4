"""The header and the hidden elements that steer the page: its state, the order of the rows, the dots."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from races.board.frames import Frame
from races.board.race_info import RaceInfo
from races.live.rendering.flags import safety_car_dot
from races.live.rendering.formatting import clock, flag_words, lap_time
from races.live.rendering.tower import Cells

GREY = "#8a93a3"  # a car that is not in the entry list
DOTS = {"retired": "r", "pit": "p", "finished": "f"}


@dataclass(frozen=True, slots=True)
class RaceStatus:
    """What the race's row in the database says. `waiting_for`: why no ticks come just now, in words."""

    state: str = "running"
    reason: str = ""
    waiting_for: str = ""


def state_cells(cells: Cells, frame: Frame) -> None:
    sector = f" y{frame['yellow_sector']}" if frame["flag"] == "yellow" else ""
    kinds = f"{frame['phase']} f-{frame['flag']}{sector} l{frame['lights']}"
    cells["st"] = f'<i id="st" class="{escape(kinds)}" hidden></i>'
    cells["order"] = f'<i id="order" hidden>{" ".join(car["driver_code"] for car in frame["cars"])}</i>'


def dots_cell(cells: Cells, frame: Frame, info: RaceInfo) -> None:
    """Every car's share of the lap in ten-thousandths and a letter for its state, in the info's order."""
    by_code = {car["driver_code"]: car for car in frame["cars"]}
    shown = []
    for entry in info.cars:
        car = by_code.get(entry.code)
        shown.append(
            f"{int(car['lap_fraction'] * 10_000) % 10_000}{DOTS.get(car['status'], '')}" if car else ""
        )
    dots = " ".join(shown) + safety_car_dot(frame, info)
    cells["dots"] = f'<i id="dots" data-tick="{frame["tick"]}" hidden>{dots}</i>'


def head_cells(cells: Cells, frame: Frame) -> None:
    words = flag_words(frame["flag"], frame["yellow_sector"], frame["phase"])
    cells["lap"] = f'<b id="lap">{frame["lap"]}</b>'
    cells["clock"] = f'<b id="clock">{clock(frame["race_time_s"])}</b>'
    flag = "none" if frame["phase"] == "grid" else escape(frame["flag"])
    cells["flag"] = f'<b id="flag" class="f-{flag}">{escape(words)}</b>'
    first, done = frame["cars"][0], 0.0
    if frame["phase"] in ("flag", "over"):
        done = 1.0
    elif first["lap"]:
        done = max(first["lap"] - 1 + first["lap_fraction"], 0) / max(frame["laps"], 1)
    share = round(done * 500)
    cells["bar"] = f'<progress id="bar" max="500" value="{share}"></progress>'
    leader = first["driver_name"] if frame["phase"] != "grid" else ""
    leads = f" Leader: {escape(leader)}." if leader else ""
    cells["say"] = f'<span id="say">{escape(words)}.{leads}</span>'


def fastest_cell(cells: Cells, frame: Frame) -> None:
    fastest = frame["fastest"]
    words = f"{fastest['driver_code']} {lap_time(fastest['lap_s'])}" if fastest else "none yet"
    cells["fastest"] = f'<b id="fastest">{words}</b>'


STATUS_WORDS = {
    "queued": "Waiting for a worker to take the race. It starts by itself.",
    "running": "",
    "finished": "",
    "stopped": "Red flag: this race was stopped. The order is the classification as it stood.",
    "failed": "This race failed.",
}


BAND_S = 10.0  # behind; from here on the page says so across its whole width


def status_cell(cells: Cells, status: RaceStatus, behind_s: float = 0.0) -> None:
    """The band that says what is wrong or what is waited for. behind_s: how far this page is behind the race."""
    words = STATUS_WORDS.get(status.state, status.state)
    if status.state == "failed" and status.reason:
        words += f" {status.reason}"
    if status.state in ("queued", "running") and status.waiting_for:
        words = f"Waiting: {status.waiting_for}"
    late = status.state == "running" and behind_s >= BAND_S
    if late:
        words = f"This page is {behind_s:.0f} s behind: more races run than this machine can show in time."
    kind = "waiting" if late or (status.waiting_for and status.state == "running") else status.state
    cells["status"] = f'<p id="status" class="{escape(kind)}">{escape(words)}</p>'
