"""Commentary, race control, average speeds and the pipeline strip."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from races.board.frames import Note
from races.board.race_info import RaceInfo
from races.flink.engine_status import EngineStatus
from races.lib.throughput import Throughput
from races.live.rendering.formatting import age
from races.live.rendering.tower import Cells, chip, surname

# Seconds after which a topic's silence is a sign. Race control has none: it speaks when something happens.
QUIET_S = {"positions": 3, "car_metrics": 5, "avg_speed": 5, "car_metrics_anomalies": 5, "commentary": 30}
Cars = Mapping[str, tuple[str, str, str]]  # by code: name, surname and colour
LIT = 3  # cars that a line lights at most
INSPECTED = ("commentary", "control")
LATE_S = 3.0  # from here on an age is a sign
CONTROL_WORDS = {
    "lights_out": "Start", "fastest_lap": "Fastest", "pit_in": "Pit", "pit_out": "Pit exit", "off_track": "Wide",
    "retirement": "Out", "yellow": "Yellow", "vsc": "VSC", "vsc_ending": "VSC ends", "safety_car": "SC",
    "safety_car_ending": "SC ends", "lapped_cars": "Lapped", "green": "Green", "last_lap": "Last lap",
    "chequered": "Flag", "finish": "Finish", "red_flag": "Red", "place": "Place", "slow": "Slow", "alarm": "Engine",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stream:
    """One topic as the feed sees it, of all races together: records a second, records still to read."""

    role: str
    rate: float
    lag: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The whole stream: `feed` is the feed's state in a word or two."""

    streams: tuple[Stream, ...]
    sockets: int
    feed: str = "reading"
    behind_s: float = 0.0  # behind Kafka
    engine: EngineStatus | None = None  # of a Flink of one's own


def note_item(note: Note, name: str = "", cars: Cars | None = None) -> str:
    """Writes a line. name: the list, where its lines are records that one can look inside. cars: who may be lit."""
    kind = escape(note["kind"])
    at = f"L{note['lap']}" if note["lap"] else "Grid"
    word = CONTROL_WORDS.get(note["kind"], "")
    badge = f"<em>{word}</em>" if word else ""
    behind = f' data-cell="{name}:{escape(note["id"])}" data-at="{note["at"]}"' if name in INSPECTED else ""
    text, codes = escape(note["text"]), [*note["drivers"]][:LIT] if cars else []
    if cars and codes:
        colours = {name: cars[code] for code in codes for name in cars[code][:2]}
        text = re.sub("|".join(map(re.escape, colours)), lambda name: _lit(colours, name[0]), text)
    lit = " ".join(codes)
    lit = lit and f' data-lit="{lit}"'
    return f'<li class="k-{kind}"{behind}{lit}><time>{at}</time>{badge}<span>{text}</span></li>'


def _lit(colours: dict[str, tuple[str, str, str]], name: str) -> str:
    """Writes a name with its team's colour where it stands first, and as it is from then on."""
    if name not in colours:
        return name
    *both, colour = colours[name]
    for said in both:
        colours.pop(said, None)
    return f'<b class="lit">{chip(colour)}{name}</b>'


def cars_by_code(info: RaceInfo) -> Cars:
    """Returns each driver's name and surname, ready for HTML, and the team's colour."""
    return {car.code: (escape(car.name), escape(surname(car.name)), car.colour) for car in info.cars}


def notes_list(name: str, notes: Sequence[Note], cars: Cars | None = None) -> str:
    return f'<ol id="{name}">{"".join(note_item(note, name, cars) for note in notes)}</ol>'


def _rate(rate: float) -> str:
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def new_notes(name: str, old: Sequence[Note], new: Sequence[Note], cars: Cars | None = None) -> str:
    """Returns what turns the shown list into the new one: items on top, or the whole list where one came late."""
    if old is new or list(old) == list(new):
        return ""
    top = next((index for index, note in enumerate(new) if old and note["id"] == old[0]["id"]), None)
    if top and [*new[:top], *old][: len(new)] == list(new):
        items = "".join(note_item(note, name, cars) for note in new[:top])
        return f'<ol hx-swap-oob="afterbegin:#{name}">{items}</ol>'
    return notes_list(name, new, cars)


def speed_list(info: RaceInfo, cells: Cells) -> str:
    items = "".join(
        f'<li data-c="{car.code}"{" class=own" if car.code == info.own_code else ""}>{chip(car.colour)}'
        f"<span>{car.code}</span>{cells.get(f'bar-{car.code}', '')}{cells.get(f'speed-{car.code}', '')}</li>"
        for car in info.cars
    )
    return f'<ul id="speeds">{items}</ul>'


def pipeline_cells(cells: Cells, pipeline: Pipeline, paces: Mapping[str, Throughput]) -> None:
    """Writes the strip, which tells of whole topics, and the footers, which tell of this race's records."""
    for stream in pipeline.streams:
        role, footer, old = stream.role, "nothing yet", ""
        if (pace := paces.get(role)) is not None:
            footer = f"{_rate(pace.rate)} · newest {age(pace.age_s)}"
            old = ' class="quiet"' if pace.age_s > QUIET_S.get(role, pace.age_s) else ""
        cells[f"footer-{role}"] = f'<b id="footer-{role}"{old}>{footer}</b>'
        cells[f"lag-{role}"] = f'<b id="lag-{role}">{_rate(stream.rate)}, lag {stream.lag}</b>'
    late = pipeline.behind_s >= LATE_S
    words = f"{pipeline.behind_s:.0f} s behind" if late else pipeline.feed
    quiet = ' class="quiet"' if late else ""
    cells["feed"] = f'<b id="feed"{quiet}>{escape(words)}</b>'
    cells["sockets"] = f'<b id="sockets">{pipeline.sockets}</b>'
    if pipeline.engine is not None:
        cells["engine"] = engine_cell(pipeline.engine)


def engine_cell(engine: EngineStatus) -> str:
    """Each statement links to its page on Flink's dashboard; the words of one that does not run are shown at once."""
    links = [_engine_link(engine.url, engine.words, "Flink's dashboard", engine.ok)]
    links += [
        _engine_link(one.url, one.name if one.ok else f"{one.name} {one.words}", one.words, one.ok)
        for one in engine.statements
    ]
    return f'<b id="engine">{" ".join(links)}</b>'


def _engine_link(url: str, words: str, title: str, ok: bool) -> str:
    quiet = "" if ok else ' class="quiet"'
    return f'<a href="{escape(url)}" title="{escape(title)}"{quiet} target="_blank" rel="noopener">{escape(words)}</a>'
