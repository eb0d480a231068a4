"""The cells of one car and the tower that holds them.

A cell is `<b id="gap-NOR">…</b>`: the name of its column, then the car's code; the page swaps it by its id. The names
stand once, in COLUMNS: the headings carry to the script what it has to know of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from races.board.frames import CarFrame, Frame
from races.board.pit_rejoin import pit_loss, rejoin
from races.board.race_info import RaceInfo
from races.board.stints import Stint
from races.live.rendering.formatting import NONE, gap, lap_time, places_won
from races.sim import TWO_COMPOUNDS_FROM

Cells = dict[str, str]
CATCHING_S = 0.2  # a lap: less is the scatter of lap times
BAR = 40  # steps of the bar of an average speed
MARKS = {"": ""} | {mark: f' class="{mark}"' for mark in ("purple", "green")}
BADGES = {"retired": ("out", "OUT"), "pit": ("pit", "PIT"), "finished": ("fin", "FIN")}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `name` is the beginning of its cells' ids (gap-VER), and the class that the styles know it by.

    glows: a change of it is lit; compare: what the pit wall calls it, empty where it is not compared there.
    """

    name: str
    heading: str
    meaning: str
    glows: bool = False
    compare: str = ""


COLUMNS = (
    Column("pos", "P", "Position", glows=True, compare="Position"),
    Column("won", "±", "Places gained or lost since the grid"),
    Column("who", "Driver", "Driver, in the team's colour; press to follow"),
    Column("name", '<span class="visually-hidden">Name</span>', "The driver's surname"),
    Column(
        "state",
        '<span class="visually-hidden">State</span>',
        "In the pit, out, in overtake mode, or attacking within a second; ◆ an alarm on the engine",
    ),
    Column("gap", "Gap", "Gap to the leader", compare="Gap to leader"),
    Column("int", "Interval", "Interval to the car ahead"),
    Column("last", "Last lap", "Last lap", glows=True, compare="Last lap"),
    Column("best", "Best lap", "Best lap", glows=True, compare="Best lap"),
    Column("s1", "S1", "Newest first sector", glows=True, compare="Sector 1"),
    Column("s2", "S2", "Newest second sector", glows=True, compare="Sector 2"),
    Column("s3", "S3", "Newest third sector", glows=True, compare="Sector 3"),
    Column("tyre", "Tyre", "Tyre and its age in laps", glows=True, compare="Tyre"),
    Column(
        "plan",
        "Stints",
        "Tyres so far, as long as their laps; hollow while the second compound is still to come",
    ),
)
FIGURES = tuple(column.name for column in COLUMNS[5:])  # the columns after the state


def attackers(cars: Sequence[CarFrame]) -> set[str]:
    """The codes of the cars that fight for a place: the first of each queue, within a second of a car that is not
    itself within a second of the next. Behind it most of a young field runs in the same second and fights for nothing.
    """
    return {car["driver_code"] for ahead, car in pairwise(cars) if car["battle"] and not ahead["battle"]}


def _badge(car: CarFrame, attacks: bool) -> tuple[str, str]:
    if car["status"] in BADGES:
        return BADGES[car["status"]]
    kind = " ".join(name for name, true in (("bat", attacks), ("ot", car["overtake_mode"])) if true)
    return kind, "OT" if car["overtake_mode"] else "&lt;1 s" if attacks else ""


def _nearing(car: CarFrame, attacks: bool) -> str:
    """Marks the interval of a car that fights for a place, and of one that catches the car ahead."""
    catches = car["status"] == "racing" and (car.get("catching_s") or 0.0) >= CATCHING_S
    kinds = " ".join(name for name, true in (("near", attacks), ("catching", catches)) if true)
    return f' class="{kinds}"' if kinds else ""


def _gap_texts(car: CarFrame, phase: str) -> tuple[str, str]:
    if phase == "grid" or car["status"] == "retired":
        return "", ""
    if car["position"] == 1:
        return "Winner" if car["status"] == "finished" else "Leader", NONE
    return gap(car["gap_s"], car["laps_down"]), gap(car["interval_s"])


def fast_cells(cells: Cells, car: CarFrame, phase: str, attacks: bool = False) -> None:
    """Writes the cells that people read five times a second."""
    code = car["driver_code"]
    way = "up" if car["gained"] > 0 else "down" if car["gained"] < 0 else ""
    kind, badge = _badge(car, attacks)
    near = _nearing(car, attacks)
    behind, interval = _gap_texts(car, phase)
    marks = car["sector_marks"]
    first, second, third = car["sectors"]
    cells[f"pos-{code}"] = f'<b id="pos-{code}">{car["position"] or NONE}</b>'
    cells[f"won-{code}"] = f'<b id="won-{code}" class="{way}">{places_won(car["gained"])}</b>'
    cells[f"state-{code}"] = f'<b id="state-{code}" class="{kind}">{badge}</b>'
    cells[f"gap-{code}"] = f'<b id="gap-{code}">{behind}</b>'
    cells[f"int-{code}"] = f'<b id="int-{code}"{near}>{interval}</b>'
    cells[f"last-{code}"] = f'<b id="last-{code}"{MARKS[car["lap_mark"]]}>{lap_time(car["last_lap_s"])}</b>'
    cells[f"best-{code}"] = f'<b id="best-{code}"{MARKS[car["best_mark"]]}>{lap_time(car["best_lap_s"])}</b>'
    cells[f"s1-{code}"] = f'<b id="s1-{code}"{MARKS[marks[0]]}>{lap_time(first)}</b>'
    cells[f"s2-{code}"] = f'<b id="s2-{code}"{MARKS[marks[1]]}>{lap_time(second)}</b>'
    cells[f"s3-{code}"] = f'<b id="s3-{code}"{MARKS[marks[2]]}>{lap_time(third)}</b>'


def slow_cells(cells: Cells, car: CarFrame, laps: int) -> None:
    """Writes the cells that people read once in a while. laps: the race's distance."""
    code, tyre = car["driver_code"], escape(car["tyre"][:1].upper())
    kind = f' class="t{tyre}"' if tyre in ("S", "M", "H") else ""
    age = f"<i>{car['tyre_age']}</i>" if tyre else ""
    cells[f"tyre-{code}"] = f'<b id="tyre-{code}"{kind}>{tyre}{age}</b>'
    cells[f"plan-{code}"] = f'<b id="plan-{code}">{_plan(car, laps)}</b>'


def _plan(car: CarFrame, laps: int) -> str:
    """Draws the stints of a car as a bar as long as the race, from M1 H14 (compound and first lap), with its text."""
    parsed = [(part[:1], int(part[1:])) for part in car["stints"].split() if part[1:].isdecimal()]
    starts = [first for _, first in parsed[1:]] + [max(car["lap"], 1) + 1]
    spans = [(escape(kind), first, end - first) for (kind, first), end in zip(parsed, starts, strict=False)]
    bars = "".join(
        f'<rect class="t{kind}" x="{first - 1}" width="{max(length, 0)}" height="6"/>'
        for kind, first, length in spans
    )
    needs = laps >= TWO_COMPOUNDS_FROM and len({kind for kind, *_ in spans}) == 1
    still = needs and car["status"] in ("racing", "pit") and car["lap"] > 0
    words = ", ".join(str(Stint(kind, first, first + length - 1)) for kind, first, length in spans[:-1])
    said = f"{words} {'◌' if still else ''}".strip()
    done = max(car["lap"], 1)
    bars += f'<rect class="rest" x="{done}" width="{max(laps - done, 0)}" height="6"/>' if still else ""
    box = f'viewBox="0 0 {max(laps, 1)} 6" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg {box}>{bars}</svg><span class="visually-hidden">{said}</span>'


def alarm_cells(cells: Cells, frame: Frame, info: RaceInfo) -> None:
    """Writes the sign of an alarm that stands into the car's row, and how many stand into the header."""
    alarms = {code: found["alarm"] for code, found in frame["anomalies"].items() if found["alarm"]}
    standing = {code: alarm for code, alarm in alarms.items() if alarm.get("end") is None}
    for car in info.cars:
        alarm, said = standing.get(car.code), ">"
        if alarm is not None:
            kind = escape(str(alarm.get("kind", "")).replace("_", " "))
            severity = alarm.get("severity")
            severity = severity if severity in ("info", "warning", "critical") else "info"
            said = f' class="{severity}" title="{kind}">◆'
        cells[f"alarm-{car.code}"] = f'<b id="alarm-{car.code}"{said}</b>'
    count = len(standing)
    words = "" if not count else f"◆ {count}<span> engine alarm{'s' if count > 1 else ''}</span>"
    cells["bell"] = f'<b id="bell">{words}</b>'


def average_cells(cells: Cells, cars: Sequence[CarFrame]) -> None:
    """Writes the average speeds for their list, with bars from the slowest car to the fastest: from zero they would
    differ by a pixel. A car that is out has none: the records of its standing still count as well, so that its average
    would only fall."""
    running = {
        car["driver_code"]: car["average_speed_kmh"]
        for car in cars
        if car["status"] != "retired" and car["average_speed_kmh"] is not None
    }
    slowest, fastest = min(running.values(), default=0.0), max(running.values(), default=0.0)
    for car in cars:
        code, out = car["driver_code"], car["status"] == "retired"
        speed = running.get(code)
        full = 0 if speed is None else round(BAR * (speed - slowest) / ((fastest - slowest) or 1))
        words = "OUT" if out else NONE if speed is None else f"{speed:.1f}"
        cells[f"bar-{code}"] = f'<progress id="bar-{code}" max="{BAR}" value="{full}"></progress>'
        kind = ' class="out"' if out else ""
        cells[f"speed-{code}"] = f'<b id="speed-{code}"{kind}>{words}</b>'


def rejoin_cells(
    cells: Cells, cars: Sequence[CarFrame], info: RaceInfo, flag: str, over: bool = False
) -> None:
    """Writes where each car would rejoin after a stop now; nothing once the race is over."""
    loss = pit_loss(info.pit_loss_s, flag)
    for car in cars:
        code = car["driver_code"]
        out = None if over else rejoin(cars, code, loss)
        words = "" if out is None else f"P{out.position}"
        if out and out.ahead:
            words += f", {out.ahead[1]:.1f} s behind {out.ahead[0]}"
        if out and out.behind:
            words += f", {out.behind[1]:.1f} s ahead of {out.behind[0]}"
        cells[f"rejoin-{code}"] = f'<b id="rejoin-{code}">{words}</b>'


def surname(name: str) -> str:
    """Returns the last word of a name, as the tower has room for; the row's title has the whole name."""
    return name.split()[-1] if name.split() else name


def chip(colour: str) -> str:
    """The team's colour, as a presentation attribute: the page's policy forbids inline styles."""
    box = 'viewBox="0 0 4 16" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg class="chip" {box}><rect width="4" height="16" fill="{escape(colour)}"/></svg>'


def tower(info: RaceInfo, cars: Sequence[tuple[str, str]], cells: Mapping[str, str]) -> str:
    """The whole table, rows in order; `cars` are codes with names."""
    head = "".join(map(_heading, COLUMNS))
    rows = "".join(_row(info, code, name, cells) for code, name in cars)
    return (
        f'<table id="tower"><caption>Timing tower: {escape(info.circuit_name)}</caption>'
        f'<thead><tr>{head}</tr></thead><tbody id="rows">{rows}</tbody></table>'
    )


def _heading(column: Column) -> str:
    compare = f' data-compare="{column.compare}"' if column.compare else ""
    glows = " data-glows" if column.glows else ""
    title = f'<abbr title="{column.meaning}">{column.heading}</abbr>'
    return f'<th scope="col" class="{column.name}"{glows}{compare}>{title}</th>'


def _row(info: RaceInfo, code: str, name: str, cells: Mapping[str, str]) -> str:
    entry = next((car for car in info.cars if car.code == code), None)
    colour, team = (entry.colour, entry.team) if entry else ("#8a93a3", "")
    own = ' class="own"' if code == info.own_code else ""
    title = f"{name}, {team}" if team else name
    who = (
        f'<th scope="row" class="who">{chip(colour)}<button type="button" class="code" '
        f'data-follow="{code}" aria-pressed="false" title="{escape(title)}">{code}</button>'
        f"{'<em></em>' if own else ''}</th>"  # the page says whose: everybody gets the same table
        f'<td class="name">{escape(surname(name))}</td>'
    )
    state = f'<td class="state">{cells[f"state-{code}"]}{cells.get(f"alarm-{code}", "")}</td>'
    tds = "".join(f'<td class="{name}">{cells[f"{name}-{code}"]}</td>' for name in FIGURES)
    rejoin = f'<td class="rejoin" hidden>{cells[f"rejoin-{code}"]}</td>'
    before = "".join(f'<td class="{name}">{cells[f"{name}-{code}"]}</td>' for name in ("pos", "won"))
    return f'<tr id="row-{code}" data-c="{code}"{own}>{before}{who}{state}{tds}{rejoin}</tr>'
