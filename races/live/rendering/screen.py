"""One race as HTML. A Screen holds what every spectator's page holds: cells by their id. A page begins with
the snapshot and then gets, once a tick, one message with the cells that changed, the same for everybody.

Page load, socket and replay all come from here, so they cannot drift apart. What nobody reads five times a
second changes once a second, each part at another tick: the browser that draws it may be an old phone, and no tick
should bring it everything. Strings are built by hand: a tick has 250 cells and a millisecond and a half.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.safestring import SafeString, mark_safe

from races.board.frames import Frame, Note, blank_car
from races.board.logs import NOTES_KEPT
from races.board.race_info import RaceInfo
from races.lib.throughput import Throughput
from races.live.rendering import engines, flags, header, own_line, panels, result, tower
from races.live.rendering.header import RaceStatus
from races.live.rendering.panels import Pipeline
from races.streams.topics import ROLES

SLOW_TICKS = 5  # one second
# Cells that stand by themselves on the page. All others are inside the tower or the list of speeds.
STANDALONE_CELLS = ("st", "order", "dots", "lap", "clock", "flag", "bar", "say", "own", "own-more", "band", "bell",
                    "fastest", "status", "result")  # fmt: skip


class Screen:
    """What a page of this race shows. `show` moves it on and returns the message that moves the pages on."""

    def __init__(self, info: RaceInfo, *, anomaly_on: bool = True, status: RaceStatus | None = None) -> None:
        self.info = info
        self.frame: Frame | None = None
        self._anomaly_on, self._cars = anomaly_on, panels.cars_by_code(info)
        self.status = status or RaceStatus()
        self._behind_s = 0.0
        self._cells: dict[str, str] = {}
        self._rows: list[tuple[str, str]] = []
        self._commentary: list[Note] = []
        self._control: list[Note] = []
        self._story: list[Note] = []
        self._empty()

    def _empty(self) -> None:
        """Fills the screen as it is before the first tick: the field in the order of the entry list."""
        for name, text in (("lap", "0"), ("clock", "0:00:00")):
            self._cells[name] = f'<b id="{name}">{text}</b>'
        self._cells["st"] = '<i id="st" class="waiting" hidden></i>'
        self._cells["order"] = '<i id="order" hidden></i>'
        self._cells["dots"] = '<i id="dots" hidden></i>'
        self._cells["flag"] = '<b id="flag" class="">Waiting for the start</b>'
        self._cells["bar"] = '<progress id="bar" max="500" value="0"></progress>'
        self._cells["say"] = '<span id="say"></span>'
        self._cells["own"] = '<span id="own"></span>'
        self._cells["own-more"] = '<span id="own-more" class="more"></span>'
        self._cells["band"] = '<p id="band"></p>'
        self._cells["bell"] = '<b id="bell"></b>'
        for entry in self.info.cars:
            self._cells[f"alarm-{entry.code}"] = f'<b id="alarm-{entry.code}"></b>'
        self._cells["fastest"] = '<b id="fastest">none yet</b>'
        grid = [blank_car(car) for car in self.info.cars]
        for car in grid:
            tower.fast_cells(self._cells, car, "grid")
            tower.slow_cells(self._cells, car, self.info.laps)
        tower.average_cells(self._cells, grid)
        tower.rejoin_cells(self._cells, grid, self.info, "green")
        self._rows = [(car.code, car.name) for car in self.info.cars]
        header.status_cell(self._cells, self.status)
        result.result_cell(self._cells, None, self.info, self.status)
        for role in ROLES:
            self._cells[f"footer-{role}"] = f'<b id="footer-{role}">waiting for the first record</b>'
            self._cells[f"lag-{role}"] = f'<b id="lag-{role}">–</b>'
        self._cells["feed"] = '<b id="feed">–</b>'
        self._cells["engine"] = '<b id="engine">–</b>'
        self._cells["sockets"] = '<b id="sockets">–</b>'
        self._cells["charts"] = '<div id="charts"><p class="empty">Waiting for the first readings.</p></div>'
        self._cells["earlier"] = '<div id="earlier"></div>'
        self._cells["field"] = '<ul id="field"></ul>'
        self._cells["alarms"] = '<b id="alarms">no alarms</b>'

    def show(self, frame: Frame) -> str:
        """The message from what was shown to this frame; empty for a frame older than the one shown."""
        if self.frame is not None and frame["tick"] < self.frame["tick"]:
            return ""
        rows = [(car["driver_code"], car["driver_name"]) for car in frame["cars"]]
        other_field = sorted(rows) != sorted(self._rows)
        new: dict[str, str] = {}
        self._fast(new, frame)
        whole = other_field or frame["phase"] == "over"
        for turn, cells in enumerate(ONCE_A_SECOND):
            if whole or self.is_due(turn, frame["tick"]):
                cells(self, new, frame)
        message = self._changed(new)
        self.frame, self._rows = frame, rows
        notes = self._notes(frame)
        # where the field itself changed there are no rows yet to put cells in
        return self.snapshot() if other_field else message + notes

    def is_due(self, turn: int, tick: int) -> bool:
        """True once a second, at the tick of this turn or the first one shown after it."""
        shown = self.frame["tick"] if self.frame else -SLOW_TICKS
        return (tick - turn) // SLOW_TICKS != (shown - turn) // SLOW_TICKS

    def _changed(self, new: dict[str, str]) -> str:
        message = "".join(cell for name, cell in new.items() if self._cells.get(name) != cell)
        self._cells.update(new)
        return message

    def _fast(self, new: dict[str, str], frame: Frame) -> None:
        header.state_cells(new, frame)
        header.dots_cell(new, frame, self.info)
        header.head_cells(new, frame)
        own_line.own_cell(new, frame, self.info)
        flags.band_cell(new, frame, self.info)
        if self._anomaly_on:
            tower.alarm_cells(new, frame, self.info)
        phase, attackers = frame["phase"], tower.attackers(frame["cars"])
        for car in frame["cars"]:
            tower.fast_cells(new, car, phase, car["driver_code"] in attackers)

    def _tyres(self, new: dict[str, str], frame: Frame) -> None:
        for car in frame["cars"]:
            tower.slow_cells(new, car, frame["laps"])

    def _averages(self, new: dict[str, str], frame: Frame) -> None:
        tower.average_cells(new, frame["cars"])

    def _lines(self, new: dict[str, str], frame: Frame) -> None:
        header.fastest_cell(new, frame)
        own_line.more_cell(new, frame, self.info)
        result.result_cell(new, frame, self.info, self.status)
        over = frame["phase"] in ("flag", "over")
        tower.rejoin_cells(new, frame["cars"], self.info, frame["flag"], over)

    def _engines(self, new: dict[str, str], frame: Frame) -> None:
        if self._anomaly_on:
            engines.engine_cells(new, frame, self.info)

    def _notes(self, frame: Frame) -> str:
        message = panels.new_notes("commentary", self._commentary, frame["commentary"], self._cars)
        message += panels.new_notes("control", self._control, frame["control"])
        story = frame["own"]["notes"][:NOTES_KEPT]
        message += panels.new_notes("story", self._story, story)
        self._commentary, self._control = frame["commentary"], frame["control"]
        self._story = story
        return message

    def set_status(self, status: RaceStatus) -> str:
        """The message for a change of the race's own status."""
        new: dict[str, str] = {}
        self.status = status
        header.status_cell(new, status, self._behind_s)
        result.result_cell(new, self.frame, self.info, status)
        return self._changed(new)

    def set_pipeline(self, pipeline: Pipeline, paces: Mapping[str, Throughput]) -> str:
        """The message for how the stream does; paces: throughput of this race's own records, by role."""
        new: dict[str, str] = {}
        self._behind_s = pipeline.behind_s
        panels.pipeline_cells(new, pipeline, paces)
        header.status_cell(new, self.status, self._behind_s)
        return self._changed(new)

    def fragments(self) -> Mapping[str, SafeString]:
        """Every top-level element by name: the template puts each in its place."""
        parts = {name: self._cells[name] for name in STANDALONE_CELLS}
        parts |= {name: cell for name, cell in self._cells.items() if name.startswith(("footer-", "lag-"))}
        parts |= {
            name: self._cells[name]
            for name in ("engine", "feed", "sockets", "charts", "earlier", "field", "alarms")
        }
        parts["tower"] = tower.tower(self.info, self._rows, self._cells)
        parts["speeds"] = panels.speed_list(self.info, self._cells)
        parts["commentary"] = panels.notes_list("commentary", self._commentary, self._cars)
        parts["story"] = panels.notes_list("story", self._story)
        parts["control"] = panels.notes_list("control", self._control)
        return {name.replace("-", "_"): mark_safe(part) for name, part in parts.items()}  # noqa: S308  # each cell escapes what it shows

    def snapshot(self) -> str:
        """One message that makes any page of this race show what this screen shows."""
        return "".join(self.fragments().values())


ONCE_A_SECOND = (
    Screen._tyres,
    Screen._averages,
    Screen._lines,
    Screen._engines,
)  # a turn a tick, once a second each


def screen_of(
    info: RaceInfo, frame: Frame | None, *, anomaly_on: bool = True, status: RaceStatus | None = None
) -> Screen:
    """Makes a screen of one frame: for a first page, and for each stop of a replay."""
    screen = Screen(info, anomaly_on=anomaly_on, status=status)
    if frame is not None:
        screen.show(frame)
    return screen
