"""One driver's race in words: each change of place at a line, each stop, slow lap and alarm, and how the race ended.

A story follows from its facts alone: laps, messages of race control, alarms, each with its instant. They may come in
any order and more than once, so the live page and a replay tell the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from races.board.frames import CarFrame, Note, OwnStory, Record, event_of

SLOW = 1.03  # of the driver's median so far: more than the scatter of lap times
FINE_PACE = 5  # beyond it a tick says too little of when a car entered the pit lane
KNOWN_LAPS = 3  # clean laps, before a lap can be called slow
NEUTRAL = ("safety_car", "vsc")
OTHERS = (*NEUTRAL, "green", "red_flag", "lights_out")  # messages without a driver that belong to every story
TRAFFIC = ("pit_in", "retirement")  # of others: they explain a place
Span = tuple[int, int]  # from an instant to an instant


class LapEnd(NamedTuple):
    """The end of one lap of the car: the place at the line, the time in seconds, the tyres and their age before it."""

    lap: int
    at: int
    position: int
    time_s: float | None
    tyre: str
    tyre_age: int


class OwnRace:
    """Collects the facts of one driver's race. pace: race seconds for each second of wall time."""

    def __init__(self, code: str, pace: int) -> None:
        self._code, self._pace = code, pace
        self.grid, self._at = 0, -1
        self._laps: dict[int, LapEnd] = {}
        self._control: dict[tuple[int, int], Record] = {}
        self._alarms: list[Mapping[str, Any]] = []
        self._before: CarFrame | None = None
        self._story: OwnStory | None = None

    def car(self, car: CarFrame, at: int) -> None:
        """Takes the driver's car of a tick. One that is not later than the newest tells nothing new."""
        if at <= self._at:
            return
        self._at = at
        before, self._before = self._before, car
        if car["grid"] and not self.grid:
            self.grid, self._story = car["grid"], None
        if before is None:
            return
        finished = car["status"] == "finished" and before["status"] != "finished"
        if finished or (car["lap"] > before["lap"] >= 1):
            number = car["lap"] if finished else car["lap"] - 1
            self.lap(
                LapEnd(number, at, car["position"], car["last_lap_s"], before["tyre"], before["tyre_age"])
            )

    def lap(self, end: LapEnd) -> None:
        if end.lap not in self._laps:
            self._laps[end.lap] = end
            self._story = None

    def control(self, record: Record) -> None:
        """Takes a message of race control, and keeps those that belong to this driver's story."""
        mine = self._code in (record["driver_code"], record["other_code"])
        if mine or record["type"] in OTHERS or record["type"] in TRAFFIC:
            self._control[record["tick"], event_of(record)] = record
            self._story = None

    def alarms(self, alarms: Sequence[Mapping[str, Any]]) -> None:
        """Takes all alarms on the driver's engine so far, as they are known now."""
        if list(alarms) != self._alarms:
            self._alarms, self._story = list(alarms), None

    def story(self) -> OwnStory:
        if self._story is None:
            self._story = tell(
                self._code, self.grid, self._pace, self._laps.values(), self._control.values(), self._alarms
            )
        return self._story

    def until(self, now: int) -> OwnStory:
        """Tells the story as it was at an instant."""
        laps = [end for end in self._laps.values() if end.at <= now]
        control = [record for record in self._control.values() if record["timestamp"] <= now]
        alarms = [
            {**alarm, "end": None} if alarm["end"] is not None and alarm["end"] > now else alarm
            for alarm in self._alarms
            if alarm["start"] <= now
        ]
        return tell(self._code, self.grid, self._pace, laps, control, alarms)


def tell(
    code: str,
    grid: int,
    pace: int,
    laps: Iterable[LapEnd],
    control: Iterable[Record],
    alarms: Iterable[Mapping[str, Any]],
) -> OwnStory:
    """Tells the story that these facts make. Instants are epoch milliseconds."""
    ends = sorted(laps)
    messages = sorted(control, key=lambda record: (record["timestamp"], event_of(record)))
    own = [record for record in messages if record["driver_code"] == code]
    clean = _clean_laps(ends, messages, code)
    notes = _places(code, grid, ends, messages) + _slow_laps(ends, clean) + _alarm_notes(alarms, ends)
    notes += [note for record in messages if (note := _announced(record, code, grid, pace, ends, own))]
    pits = [record for record in own if record["type"] in ("pit_in", "pit_out")]
    inside = bool(pits) and pits[-1]["type"] == "pit_in"
    stops = [record for record in pits if record["type"] == "pit_out"]
    return {
        "notes": sorted(notes, key=lambda note: (note["at"], note["id"]), reverse=True),
        "pit_since": pits[-1]["timestamp"] if inside else None,
        "stop": (stops[-1]["timestamp"], float(stops[-1]["value"] or 0.0)) if stops else None,
        "fade": _fade(ends, clean),
    }


def _clean_laps(ends: Sequence[LapEnd], messages: Sequence[Record], code: str) -> set[int]:
    """Laps that tell of pace: not the first, none with a stop, none in which the race was neutralised."""
    neutral: list[Span] = []
    since: int | None = None
    for record in messages:
        if record["type"] in NEUTRAL:
            since = record["timestamp"] if since is None else since
        elif record["type"] in ("green", "red_flag") and since is not None:
            neutral.append((since, record["timestamp"]))
            since = None
    if since is not None:
        neutral.append((since, 2**62))
    pits = [
        record["timestamp"]
        for record in messages
        if record["driver_code"] == code and record["type"] in ("pit_in", "pit_out")
    ]
    return {
        end.lap
        for before, end in pairwise(ends)
        if end.time_s is not None
        and end.lap == before.lap + 1
        and not any(before.at <= at <= end.at for at in pits)
        and not any(first < end.at and last > before.at for first, last in neutral)
    }


def _slow_laps(ends: Sequence[LapEnd], clean: set[int]) -> list[Note]:
    notes: list[Note] = []
    times: list[float] = []
    for end in ends:
        if end.lap not in clean or end.time_s is None:
            continue
        usual = median(times) if len(times) >= KNOWN_LAPS else None
        if usual is not None and end.time_s > usual * SLOW:
            text = (
                f"Lap {end.lap} in {_time(end.time_s)}, {end.time_s - usual:.1f} s slower than usual"
                f"{_on(end)}."
            )
            notes.append(_note(f"s{end.lap}", end.at, "slow", end.lap, text))
        times.append(end.time_s)
    return notes


def _fade(ends: Sequence[LapEnd], clean: set[int]) -> tuple[float, int] | None:
    """Says what the newest lap lost on the best one of its stint, where it is so slow that the tyres must be gone."""
    if not ends or ends[-1].lap not in clean or ends[-1].time_s is None:
        return None
    newest = ends[-1]
    stint = [end for end in ends if end.lap in clean and end.lap > newest.lap - newest.tyre_age]
    times = [(end.time_s, end.lap) for end in stint if end.time_s]
    if not times:
        return None
    best_s, lap = min(times, key=lambda found: found[0])
    return (round(ends[-1].time_s - best_s, 1), lap) if ends[-1].time_s > best_s * SLOW else None


def _places(code: str, grid: int, ends: Sequence[LapEnd], messages: Sequence[Record]) -> list[Note]:
    """Notes each change of place from line to line, with the passes or stops in between that explain it."""
    notes = []
    start = LapEnd(0, 0, grid, None, "", 0)
    for before, end in pairwise([start, *ends]):
        if not before.position or before.position == end.position:
            continue
        between = [record for record in messages if before.at < record["timestamp"] <= end.at]
        way = "Up" if end.position < before.position else "Down"
        lap = "the opening lap" if end.lap == 1 else f"lap {end.lap}"
        why = _why(code, before.position, end.position, between)
        text = f"{way} from P{before.position} to P{end.position} on {lap}{why}."
        notes.append(_note(f"l{end.lap}", end.at, "place", end.lap, text))
    return notes


def _why(code: str, before: int, now: int, between: Sequence[Record]) -> str:
    def others(kind: str, mine: str, other: str) -> list[str]:
        found = [r[other] for r in between if r["type"] == kind and r[mine] == code]
        return list(dict.fromkeys(found))

    if any(r["driver_code"] == code and r["type"] in ("pit_in", "pit_out") for r in between):
        return ", with a stop"
    passed, by = (
        others("overtake", "driver_code", "other_code"),
        others("overtake", "other_code", "driver_code"),
    )
    if now < before and passed:
        return f", past {_listed(passed)}"
    if now > before and by:
        return f", passed by {_listed(by)}"
    if any(r["driver_code"] == code and r["type"] == "off_track" for r in between):
        return ", after a mistake"
    for kind, words in (("pit_in", "in the pits"), ("retirement", "out of the race")):
        ahead = [r["driver_code"] for r in between if r["type"] == kind and 0 < r["position"] <= before]
        if now < before and ahead:
            return f", with {_listed(list(dict.fromkeys(ahead)))} {words}"
    return ""


def _listed(codes: Sequence[str]) -> str:
    if len(codes) > 3:
        return f"{', '.join(codes[:2])} and {len(codes) - 2} others"
    return " and ".join([", ".join(codes[:-1]), codes[-1]] if len(codes) > 1 else codes)


def _announced(
    record: Record, code: str, grid: int, pace: int, ends: Sequence[LapEnd], own: Sequence[Record]
) -> Note | None:
    """Makes a note of a message of race control; None for one that tells nothing of this driver by itself."""
    kind, at = record["type"], record["timestamp"]
    if record["driver_code"] != code and kind != "lights_out":
        return None
    before = next((end for end in reversed(ends) if end.at <= at), None)
    lap = record["lap"] or (before.lap + 1 if before else 0)
    text = ""
    if kind == "lights_out":
        text = f"Off the line from P{grid}." if grid else ""
    elif kind == "pit_in":
        worn = before and before._replace(tyre_age=before.tyre_age + 1)  # by the lap that ended there
        text = f"Into the pits from P{record['position']}{_on(worn)}."
    elif kind == "pit_out":
        entered = [r["timestamp"] for r in own if r["type"] == "pit_in" and r["timestamp"] <= at]
        entered = entered if pace <= FINE_PACE else []
        lane = f", {(at - entered[-1]) / 1000 * pace:.0f} s in the lane" if entered else ""
        text = f"Out of the pits in P{record['position']}: {record['value'] or 0:.1f} s stationary{lane}."
    elif kind == "retirement":
        text = f"Out of the race: {_after_the_name(record)}."
    elif kind == "off_track":
        text = f"{_after_the_name(record).capitalize()}."
    elif kind == "fastest_lap":
        text = f"The fastest lap so far: {_time(record['value'])}." if record["value"] else ""
    elif kind == "finish":
        won = grid - record["position"] if grid else 0
        moved = f", {abs(won)} place{'s' if abs(won) > 1 else ''} {'up' if won > 0 else 'down'} on the grid"
        text = f"Finishes P{record['position']}{moved if won else ''}."
    return _note(f"e{event_of(record)}t{record['tick']}", at, kind, lap, text) if text else None


def _after_the_name(record: Record) -> str:
    """Returns what race control says of a car, after its number and code."""
    text = str(record["message"])
    return (text.partition(") ")[2] or text).replace(" - ", ", ").lower()


def _alarm_notes(alarms: Iterable[Mapping[str, Any]], ends: Sequence[LapEnd]) -> list[Note]:
    """Notes the beginning and the end of each alarm. Only its end says how bad it was."""
    notes = []
    for alarm in alarms:
        kind = str(alarm.get("kind", "")).replace("_", " ")
        for name, at in (("a", alarm["start"]), ("z", alarm["end"])):
            if at is None:
                continue
            size = alarm.get("size_c")
            over = f"The engine alarm is over: {kind}" + (f", {size:.1f} °C at most." if size else ".")
            text = over if name == "z" else f"Engine alarm: {kind}."
            lap = next((end.lap + 1 for end in reversed(ends) if end.at <= at), 1)
            notes.append(_note(f"{name}{alarm['start']}{alarm.get('kind', '')}", at, "alarm", lap, text))
    return notes


def _on(end: LapEnd | None) -> str:
    if end is None or not end.tyre:
        return ""
    return f" on {end.tyre.lower()}s {end.tyre_age} lap{'' if end.tyre_age == 1 else 's'} old"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes}:{rest / 1000:06.3f}" if minutes else f"{rest / 1000:.3f}"


def _note(identity: str, at: int, kind: str, lap: int, text: str) -> Note:
    return Note(id=identity, at=int(at), kind=kind, code="", lap=lap, text=text, drivers=[])
