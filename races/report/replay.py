"""A finished race from the recorder's history, at any tick: what every page showed then, and nothing of what came
later. Nothing is simulated again; frames come from their chunks, words and readings from their tables."""

from __future__ import annotations

import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Any

from races.board.frames import Frame, Note, note_of_commentary, note_of_control
from races.board.logs import NOTES_KEPT, note_order
from races.board.own_race import OwnRace
from races.board.race_info import RaceInfo
from races.board.storage import unpack_frames
from races.live.rendering.header import RaceStatus
from races.live.rendering.screen import Screen
from races.models import BoardChunk, Race
from races.recorder.reader import commentary_record, control_record, fill_own_race, lap_starts
from races.report.replay_engines import Engines, engines_of
from races.streams.topics import ROLES

SPEEDS = (0.5, 1, 2, 4, 8)
MOST_FRAMES, LARGEST_STEP = 50, 8
RACES_KEPT = 8
CHUNKS_KEPT = 512  # of one second each: some megabytes


class ReplayScreen(Screen):
    """A page may begin at any tick, so what the live page writes once a second is looked at every time: then what
    a page shows follows from its tick alone."""

    def _empty(self) -> None:
        """Says in each panel that nothing comes from the topics now."""
        super()._empty()
        for role in ROLES:
            self._cells[f"footer-{role}"] = f'<b id="footer-{role}">as recorded</b>'

    def is_due(self, turn: int, tick: int) -> bool:
        return True


def snapshot(race: Race, tick: int) -> str:
    """Every top-level element of the page at a tick, to be swapped by id."""
    return screen_at(race, tick).snapshot()


def screen_at(race: Race, tick: int) -> ReplayScreen:
    """Returns the screen at the tick, or just before it where the recorder missed it."""
    info = RaceInfo.from_json(race.frozen)
    screen = ReplayScreen(info, anomaly_on=race.anomaly_detection)
    for frame in _with_logs(race, info, [_frame(race, tick)]):
        _show(screen, race, frame)
    return screen


def messages(race: Race, tick: int, step: int, count: int) -> list[tuple[int, str]]:
    """(tick, message) for a page that shows `tick`: `count` times `step` ticks on, fewer at the race's end."""
    last = last_tick(race)
    ticks = [min(at, last) for at in range(tick + step, tick + step * count + step, step) if at - step < last]
    info = RaceInfo.from_json(race.frozen)
    screen = ReplayScreen(info, anomaly_on=race.anomaly_detection)
    frames = _with_logs(race, info, [_frame(race, at) for at in (tick, *ticks)])
    sent = [_show(screen, race, frame) for frame in frames]
    return list(zip(ticks, sent[1:], strict=True))


def last_tick(race: Race) -> int:
    return max(race.recorded_tick, 0)


def _show(screen: Screen, race: Race, frame: Frame | None) -> str:
    if frame is None:
        return ""
    message = screen.show(frame)
    stopped = race.status == Race.Status.STOPPED and frame["tick"] >= race.recorded_tick
    # the race's own end is news only at its end
    return message + screen.set_status(RaceStatus("stopped" if stopped else "running"))


def _frame(race: Race, tick: int) -> Frame | None:
    """The newest frame up to the tick; None before the first one recorded."""
    chunks = BoardChunk.objects.filter(race=race, first_tick__lte=tick).order_by("-first_tick")
    first = chunks.values_list("first_tick", flat=True).first()
    if first is None:
        return None
    frames = stored_frames(race.pk, first)
    return frames[bisect_right(frames, tick, key=itemgetter("tick")) - 1]


@lru_cache(maxsize=CHUNKS_KEPT)
def stored_frames(race_id: uuid.UUID, first_tick: int) -> list[Frame]:
    """Returns the frames of one chunk of an ended race, which never changes: cached, and not to be written to."""
    return unpack_frames(bytes(BoardChunk.objects.get(race_id=race_id, first_tick=first_tick).data))


def _with_logs(race: Race, info: RaceInfo, frames: list[Frame | None]) -> Iterator[Frame | None]:
    """The frames with the words and readings that had come by then; each frame later than the one before."""
    known = [frame for frame in frames if frame is not None]
    if not known:
        yield from frames
        return
    first, last = known[0]["timestamp"], known[-1]["timestamp"]
    starts, entered = lap_starts(race), {car.code for car in info.cars}
    commentary = _Notes(
        note_of_commentary(commentary_record(race, row), bisect_right(starts, row.timestamp), entered)
        for row in _rows(race.commentary, first, last)
    )
    shown = race.control.exclude(type="overtake")  # the board leaves them out as well
    control = _Notes(
        note_of_control(control_record(race, row), bisect_left(starts, row.timestamp), info.laps)
        for row in _rows(shown, first, last)
    )
    engines = engines_of(race) if race.anomaly_detection else Engines()
    own = _own_race(race.pk, len(engines.alarms.get(info.own_code, [])))
    for frame in frames:
        if frame is None:
            yield None
            continue
        now = frame["timestamp"]
        own.grid = next((car["grid"] for car in frame["cars"] if car["driver_code"] == info.own_code), 0)
        full = frame.copy()
        full["commentary"], full["control"] = commentary.until(now), control.until(now)
        full["anomalies"] = engines.newest(now)
        full["traces"] = engines.traces(now, info.own_code)
        full["own"] = own.until(now)
        yield full


def _rows(rows: Any, first: int, last: int) -> list[Any]:
    """Returns the rows that the page shows at `first`, and those that come until `last`."""
    before = rows.filter(timestamp__lte=first).order_by("-timestamp", "-id")[:NOTES_KEPT]
    coming = rows.filter(timestamp__gt=first, timestamp__lte=last) if last > first else ()
    return [*reversed(before), *coming]


@lru_cache(maxsize=RACES_KEPT)
def _own_race(race_id: uuid.UUID, alarms: int) -> OwnRace:
    """Reads the own driver's facts of an ended race. alarms: how many there are, part of the cache's key."""
    race = Race.objects.get(pk=race_id)
    info = RaceInfo.from_json(race.frozen)
    own = OwnRace(info.own_code, info.pace)
    fill_own_race(own, race)
    own.alarms(engines_of(race).alarms.get(info.own_code, []) if alarms else [])
    return own


class _Notes:
    """Keeps notes in the order of their instants, as the board does."""

    def __init__(self, notes: Iterable[Note]) -> None:
        self._notes = sorted(notes, key=note_order)

    def until(self, now: int) -> list[Note]:
        end = bisect_right(self._notes, now, key=lambda note: note["at"])
        return self._notes[max(0, end - NOTES_KEPT) : end][::-1]
