"""From flagged readings to alarms: the written rule that board, recorder and score share.

The rule sees nothing but the records of the anomalies topic, so it is the same whoever wrote the flags.

    stuck sensor   the same reading REPEATS times in a row
    spike          a flagged reading at least JUMP_C off its forecast, less what the whole field did in that
                   instant; it ends when the reading is back half way, or after SPIKE_SAMPLES
    overheating    hotter than the field's warm end by more than EXCESS_C, for so long that what lies above
                   EXCESS_C adds up to HEAT_C; or LIMIT_C three times in a row, whatever the field does

The field is the reference for what all cars share: circuit, load, weather, safety car. Its warm end is the
reading that WARM_SHARE of the cars keep below: half a field that cools in the pit lane pulls the median down,
and every car that stayed out would look hot. Only heat counts as lasting: a car in the pits or retired cools
down, and that is no fault. Nor is one that cools more slowly than the field: an engine COOLING_C under its own last
ten seconds opens no alarm. A reading in a spike or from a stuck sensor tells nothing about heat and adds none.

Severity: critical is coolant that boils (BOILING_C at 2.5 bar) or SERIOUS_C over the field's warm end; warning
an engine that overheats, a sensor that lies by SERIOUS_C or has stuck for BLIND samples; info a smaller spike and
a sensor that has just stuck.

A statement that passes on flagged rows only (the original lab's) leaves nothing to compare with: there a run
of flagged rows is one alarm, info at first, a warning from the third row, critical from BOILING_C. It ends with its
last row once the race is RUN_GAP_MS further, or over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Literal, NamedTuple

from races.analytics.alarm_frames import Frame, Frames, Sample, sample_of

Kind = Literal["spike", "overheating", "stuck_sensor", "flagged"]
Severity = Literal["critical", "warning", "info"]
Direction = Literal["high", "low", "none"]

REPEATS = 10
BLIND = 25  # five seconds: by then a leak could begin unseen
JUMP_C = 4.5
SPIKE_SAMPLES = 10
WARM_SHARE = 0.8
EXCESS_C = 3.0
HEAT_C = 20.0  # degree-samples
HEAT_STEP_C = 3.0  # one sample adds no more: seven in a row, longer than a spike
COOLER_C = 2.0  # overheating ends this far below EXCESS_C
SMOOTHING = 0.2
COOLING_C = 2.0
MEMORY = 0.02  # of a car's own level: some fifty samples
LIMIT_C = 130.0
BOILING_C = 127.0  # water at 2.5 bar
SERIOUS_C = 10.0
ENGINE_OFF_C = 12.0  # this far below the field's median an engine is not part of the field
SMALLEST_FIELD = 5
RUN_GAP_MS = 30_000  # flagged rows only: a longer pause ends the run


@dataclass(frozen=True, slots=True)
class Alarm:
    """One event on one car; (key, kind, start) is its identity.

    `start` is when the rule raised it and `end` when it was over, None while it lasts, both in epoch milliseconds.
    `size_c` is the largest deviation so far from forecast, field or bound, None where none is known. `reading` is
    the most extreme one.
    """

    key: str
    kind: Kind
    severity: Severity
    direction: Direction
    start: int
    end: int | None
    size_c: float | None
    reading: float


class Field(NamedTuple):
    """What all cars did at one instant: their warm end, None where they are too few to tell, and surprise."""

    level: float | None
    surprise: float


def field_of(frame: Frame) -> Field:
    readings = [sample.reading for sample in frame.values()]
    if len(readings) < SMALLEST_FIELD:
        return Field(None, 0.0)
    middle = median(readings)
    running = sorted(reading for reading in readings if reading > middle - ENGINE_OFF_C)
    level = running[int(WARM_SHARE * (len(running) - 1))]
    surprises = [s.reading - s.forecast for s in frame.values() if s.forecast is not None]
    return Field(level, median(surprises) if len(surprises) >= SMALLEST_FIELD else 0.0)


class _Car:
    """The three rules on one car, sample by sample."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.alarms: dict[Kind, Alarm] = {}
        self._last: float | None = None
        self._repeats = 0
        self._normal = 0.0
        self._spike_left = 0
        self._excess = self._heat = 0.0
        self._own_level: float | None = None
        self._above_limit = 0

    def step(self, ts: int, sample: Sample, field: Field) -> Iterator[Alarm]:
        released = "stuck_sensor" in self.alarms
        self._repeats = self._repeats + 1 if sample.reading == self._last else 1
        self._last = sample.reading
        if self._repeats == REPEATS:
            yield self._open("stuck_sensor", "info", "none", ts, 0.0, sample.reading)
        elif self._repeats == BLIND:
            yield from self._grow("stuck_sensor", "warning", 0.0, sample.reading)
        elif self._repeats == 1 and "stuck_sensor" in self.alarms:
            yield from self._close("stuck_sensor", ts)
        if "stuck_sensor" in self.alarms:
            return
        # a sensor that comes back jumps to the truth
        if not released and (sample.flag or "spike" in self.alarms):
            size = sample.surprise
            if (alarm := self.alarms.get("spike")) is not None:
                self._spike_left -= 1
                off = sample.reading - self._normal
                if alarm.direction == "low":
                    off = -off
                if off < (alarm.size_c or 0.0) / 2 or not self._spike_left:
                    yield from self._close("spike", ts)
                else:
                    yield from self._grow("spike", _spike_severity(off), off, sample.reading)
            elif sample.flag and size is not None and abs(size - field.surprise) >= JUMP_C:
                self._normal, self._spike_left = sample.reading - size, SPIKE_SAMPLES
                direction: Direction = "high" if size > 0 else "low"
                yield self._open("spike", _spike_severity(size), direction, ts, abs(size), sample.reading)
        if "spike" not in self.alarms:
            yield from self._overheating(ts, sample.reading, field)

    def _overheating(self, ts: int, reading: float, field: Field) -> Iterator[Alarm]:
        level = reading if self._own_level is None else self._own_level
        self._own_level = level + (reading - level) * MEMORY
        cools = (reading < self._own_level - COOLING_C) and "overheating" not in self.alarms
        excess = 0.0 if field.level is None or cools else reading - field.level
        self._excess += (excess - self._excess) * SMOOTHING
        self._heat = max(0.0, self._heat + min(excess - EXCESS_C, HEAT_STEP_C))
        self._above_limit = self._above_limit + 1 if reading >= LIMIT_C else 0
        hot = (self._heat >= HEAT_C and self._excess > EXCESS_C) or self._above_limit >= 3
        severity: Severity = (
            "critical"
            if self._excess >= SERIOUS_C
            or (reading >= BOILING_C and (field.level is None or field.level + self._excess >= BOILING_C))
            else "warning"
        )
        if "overheating" not in self.alarms:
            if hot:
                yield self._open("overheating", severity, "high", ts, self._excess, reading)
        elif self._excess < EXCESS_C - COOLER_C and not self._above_limit:
            self._heat = 0.0
            yield from self._close("overheating", ts)
        else:
            yield from self._grow("overheating", severity, self._excess, reading)

    def _open(
        self, kind: Kind, severity: Severity, direction: Direction, ts: int, size: float, reading: float
    ) -> Alarm:
        alarm = Alarm(self.key, kind, severity, direction, ts, None, round(size, 1), reading)
        self.alarms[kind] = alarm
        return alarm

    def _grow(self, kind: Kind, severity: Severity, size: float, reading: float) -> Iterator[Alarm]:
        """Raises severity and size, which never fall. A change of less than one degree is not reported."""
        alarm = self.alarms[kind]
        worse = _worse(severity, alarm.severity)
        size = round(max(abs(size), alarm.size_c or 0.0), 1)
        if worse != alarm.severity or size >= (alarm.size_c or 0.0) + 1:
            extreme = min if alarm.direction == "low" else max
            self.alarms[kind] = replace(
                alarm, severity=worse, size_c=size, reading=extreme(reading, alarm.reading)
            )
            yield self.alarms[kind]

    def _close(self, kind: Kind, ts: int) -> Iterator[Alarm]:
        alarm = self.alarms.pop(kind, None)
        if alarm is not None:
            yield replace(alarm, end=ts)


class _Flagged:
    """A car of which only flagged rows are passed on: one alarm as long as they go on."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._alarm: Alarm | None = None
        self._newest = self._rows = 0

    def step(self, ts: int, sample: Sample, over: bool) -> Iterator[Alarm]:
        yield from self.silent_at(ts)
        self._newest = max(ts, self._newest)
        self._rows = 1 if self._alarm is None else self._rows + 1
        severity: Severity = "warning" if self._rows >= 3 else "info"
        if sample.reading >= BOILING_C:
            severity = "critical"
        size = sample.surprise
        deviation = None if size is None else round(abs(size), 1)
        if (alarm := self._alarm) is not None:
            extreme = min if alarm.direction == "low" else max
            raised = replace(
                alarm,
                severity=_worse(severity, alarm.severity),
                size_c=max((one for one in (deviation, alarm.size_c) if one is not None), default=None),
                reading=extreme(sample.reading, alarm.reading),
            )
        else:
            direction: Direction = "none" if size is None else "high" if size > 0 else "low"
            raised = Alarm(self.key, "flagged", severity, direction, ts, None, deviation, sample.reading)
        changed = replace(raised, end=self._newest if over else None)
        if changed != self._alarm:
            self._alarm = changed
            yield changed

    def silent_at(self, ts: int) -> Iterator[Alarm]:
        if ts - self._newest > RUN_GAP_MS:
            yield from self.end()
            self._alarm = None

    def end(self) -> Iterator[Alarm]:
        """Ends the alarm at its last flagged row, as nothing is known of what followed. A late row moves the end on."""
        if self._alarm is not None and self._alarm.end is None:
            self._alarm = replace(self._alarm, end=self._newest)
            yield self._alarm


def _spike_severity(size: float) -> Severity:
    return "warning" if abs(size) >= SERIOUS_C else "info"


_RANK: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}


def _worse(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=_RANK.__getitem__)


class AlarmRule:
    """Alarms of one race: a fold over its anomaly records.

    Once every car has been seen, records may come in any order within half a minute and more than once.
    """

    def __init__(self) -> None:
        self._frames = Frames()
        self._cars: dict[str, _Car] = {}
        self._flagged: dict[str, _Flagged] = {}
        self._over = False
        self._whole = False  # unflagged rows come too

    def feed(self, key: str, ts: int, record: Mapping[str, Any]) -> list[Alarm]:
        """The alarms that this record opened, changed or ended. key: that of the metric; ts: epoch ms."""
        sample = sample_of(record)
        if sample is None:
            return []
        self._whole = self._whole or sample.flag is not True
        if not self._whole:
            flagged = self._flagged.setdefault(key, _Flagged(key))
            return list(flagged.step(ts, sample, self._over))
        return [alarm for at, frame in self._frames.add(key, ts, sample) for alarm in self.judge(at, frame)]

    def reached(self, ts: int, over: bool) -> list[Alarm]:
        """Runs of flagged rows that have ended, now that the race has come to this instant, or is over."""
        self._over = self._over or over
        cars = self._flagged.values()
        return [alarm for car in cars for alarm in (car.end() if over else car.silent_at(ts))]

    def flush(self) -> list[Alarm]:
        """No more records: judge what still waited for others of its instant, and end runs of flagged rows."""
        return self.reached(0, over=True) + [
            alarm for at, frame in self._frames.rest() for alarm in self.judge(at, frame)
        ]

    def judge(self, ts: int, frame: Frame) -> Iterator[Alarm]:
        """The alarms of one whole instant. Each instant must be later than the one before; `feed` sees to that."""
        field = field_of(frame)
        for key in sorted(frame):
            car = self._cars.get(key)
            if car is None:
                car = self._cars[key] = _Car(key)
            yield from car.step(ts, frame[key], field)
