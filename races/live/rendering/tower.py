"""The cells of one car and the tower that holds them. A cell is `<b id="gNOR">…</b>`: one letter for the
column, then the car's code; the page swaps it by its id. Colour classes: p purple, g green, y yellow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from races.board.frames import CarFrame
from races.board.pit_rejoin import pit_loss, rejoin
from races.board.race_info import RaceInfo
from races.live.rendering.formatting import NONE, gap, lap_time

Cells = dict[str, str]
MARKS = {"purple": ' class="p"', "green": ' class="g"', "yellow": ' class="y"', "": ""}
BADGES = {"retired": ("out", "OUT"), "pit": ("pit", "PIT"), "finished": ("fin", "FIN")}
COLUMNS = (
    # letter of the cell, class of the column, heading, its meaning
    ("p", "pos", "P", "Position"),
    ("d", "won", "±", "Places gained or lost since the grid"),
    ("", "who", "Driver", "Driver, in the team's colour; press to follow"),
    (
        "s",
        "sta",
        '<span class="visually-hidden">State</span>',
        "In the pit, out, in overtake mode, or attacking within a second",
    ),
    ("g", "gap", "Gap", "Gap to the leader"),
    ("i", "int", "Interval", "Interval to the car ahead"),
    ("l", "last", "Last lap", "Last lap"),
    ("b", "best", "Best lap", "Best lap"),
    ("x", "sec", "S1", "Newest first sector"),
    ("y", "sec", "S2", "Newest second sector"),
    ("z", "sec", "S3", "Newest third sector"),
    ("t", "tyre", "Tyre", "Tyre and its age in laps"),
    ("h", "hist", "Stints", "Tyres before this one, with their laps"),
    ("n", "stops", "Stops", "Pit stops"),
    (
        "a",
        "avg",
        "Avg",
        "Average speed of all records so far, those standing still too; none once the car is out",
    ),
)


def attackers(cars: Sequence[CarFrame]) -> set[str]:
    """Who is within a second of a car that is not itself within a second of the next: the head of each queue, where
    a place is fought for. Behind it most of a young field runs in the same second and fights for nothing.
    """
    return {car["driver_code"] for ahead, car in pairwise(cars) if car["battle"] and not ahead["battle"]}


def _badge(car: CarFrame, attacks: bool) -> tuple[str, str]:
    if car["status"] in BADGES:
        return BADGES[car["status"]]
    kind = " ".join(name for name, true in (("bat", attacks), ("ot", car["overtake_mode"])) if true)
    return kind, "OT" if car["overtake_mode"] else "&lt;1 s" if attacks else ""


def _gained(gained: int) -> tuple[str, str]:
    if gained > 0:
        return "up", f"▲{gained}"
    return ("dn", f"▼{-gained}") if gained < 0 else ("", "·")


def _gap_texts(car: CarFrame, phase: str) -> tuple[str, str]:
    if phase == "grid" or car["status"] == "retired":
        return "", ""
    if car["position"] == 1:
        return "Leader", NONE
    return gap(car["gap_s"], car["laps_down"]), gap(car["interval_s"])


def fast_cells(cells: Cells, car: CarFrame, phase: str, attacks: bool = False) -> None:
    """What is read five times a second."""
    code = car["driver_code"]
    way, places = _gained(car["gained"])
    kind, badge = _badge(car, attacks)
    near = ' class="near"' if car["battle"] else ""
    behind, interval = _gap_texts(car, phase)
    marks = car["sector_marks"]
    first, second, third = car["sectors"]
    cells["p" + code] = f'<b id="p{code}">{car["position"] or NONE}</b>'
    cells["d" + code] = f'<b id="d{code}" class="{way}">{places}</b>'
    cells["s" + code] = f'<b id="s{code}" class="{kind}">{badge}</b>'
    cells["g" + code] = f'<b id="g{code}">{behind}</b>'
    cells["i" + code] = f'<b id="i{code}"{near}>{interval}</b>'
    cells["l" + code] = f'<b id="l{code}"{MARKS[car["lap_mark"]]}>{lap_time(car["last_lap_s"])}</b>'
    cells["b" + code] = f'<b id="b{code}"{MARKS[car["best_mark"]]}>{lap_time(car["best_lap_s"])}</b>'
    cells["x" + code] = f'<b id="x{code}"{MARKS[marks[0]]}>{lap_time(first)}</b>'
    cells["y" + code] = f'<b id="y{code}"{MARKS[marks[1]]}>{lap_time(second)}</b>'
    cells["z" + code] = f'<b id="z{code}"{MARKS[marks[2]]}>{lap_time(third)}</b>'


def slow_cells(cells: Cells, car: CarFrame) -> None:
    """What is read once in a while."""
    code, tyre = car["driver_code"], escape(car["tyre"][:1].upper())
    kind = f' class="t{tyre}"' if tyre in ("S", "M", "H") else ""
    age = f"<i>{car['tyre_age']}</i>" if tyre else ""
    cells["t" + code] = f'<b id="t{code}"{kind}>{tyre}{age}</b>'
    cells["h" + code] = f'<b id="h{code}">{_history(car["stints"])}</b>'
    cells["n" + code] = f'<b id="n{code}">{car["stops"]}</b>'


def average_cells(cells: Cells, car: CarFrame) -> None:
    """The average speed, in the tower and in its own list. A car that is out stands still, and its records count
    all the same: what its topic says falls until the end, and is not set beside those that race."""
    code, speed = car["driver_code"], car["average_speed_kmh"]
    average = NONE if speed is None else f"{speed:.1f}"
    out = car["status"] == "retired"
    cells["a" + code] = f'<b id="a{code}">{NONE if out else average}</b>'
    cells["w" + code] = f'<progress id="w{code}" max="300" value="{0 if out else speed or 0:.0f}"></progress>'
    cells["v" + code] = f'<b id="v{code}" class="out">OUT</b>' if out else f'<b id="v{code}">{average}</b>'


def _history(stints: str) -> str:
    """Stints as M1 H14 (compound and first lap) become the laps of those that are over: M13."""
    parsed = [(part[:1], int(part[1:])) for part in stints.split() if part[1:].isdecimal()]
    spans = [(kind, following - first) for (kind, first), (_, following) in pairwise(parsed)]
    return "".join(f'<i class="t{escape(kind)}">{escape(kind)}{laps}</i>' for kind, laps in spans)


def rejoin_cells(
    cells: Cells, cars: Sequence[CarFrame], info: RaceInfo, flag: str, over: bool = False
) -> None:
    """Nobody stops any more when the race is over."""
    loss = pit_loss(info.pit_loss_s, flag)
    for car in cars:
        code = car["driver_code"]
        out = None if over else rejoin(cars, code, loss)
        words = "" if out is None else f"P{out.position}"
        if out and out.ahead:
            words += f", {out.ahead[1]:.1f} s behind {out.ahead[0]}"
        if out and out.behind:
            words += f", {out.behind[1]:.1f} s ahead of {out.behind[0]}"
        cells["r" + code] = f'<b id="r{code}">{words}</b>'


def surname(name: str) -> str:
    """The last word, as the tower has room for; the title of the row has the whole name."""
    return name.split()[-1] if name.split() else name


def chip(colour: str) -> str:
    """The team's colour, as a presentation attribute: the page's policy forbids inline styles."""
    box = 'viewBox="0 0 4 16" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg class="chip" {box}><rect width="4" height="16" fill="{escape(colour)}"/></svg>'


def tower(info: RaceInfo, cars: Sequence[tuple[str, str]], cells: Mapping[str, str]) -> str:
    """The whole table, rows in order; `cars` are codes with names."""
    head = "".join(
        f'<th scope="col" class="{name}"><abbr title="{meaning}">{heading}</abbr></th>'
        for _, name, heading, meaning in COLUMNS
    )
    rows = "".join(_row(info, code, name, cells) for code, name in cars)
    return (
        f'<table id="tower"><caption>Timing tower: {escape(info.circuit_name)}</caption>'
        f'<thead><tr>{head}</tr></thead><tbody id="rows">{rows}</tbody></table>'
    )


def _row(info: RaceInfo, code: str, name: str, cells: Mapping[str, str]) -> str:
    entry = next((car for car in info.cars if car.code == code), None)
    colour, team = (entry.colour, entry.team) if entry else ("#8a93a3", "")
    own = ' class="own"' if code == info.own_code else ""
    title = f"{name}, {team}" if team else name
    who = (
        f'<th scope="row" class="who">{chip(colour)}<button type="button" class="code" '
        f'data-follow="{code}" aria-pressed="false" title="{escape(title)}">{code}</button>'
        f'<span class="name">{escape(surname(name))}</span>'
        f"{'<em></em>' if own else ''}</th>"  # the page says whose: everybody gets the same table
    )
    tds = "".join(
        f'<td class="{name}">{cells[letter + code]}</td>' if letter else who for letter, name, _, _ in COLUMNS
    )
    return f'<tr id="R{code}" data-c="{code}"{own}>{tds}<td class="re" hidden>{cells["r" + code]}</td></tr>'
