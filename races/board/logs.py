"""Logs of the board: notes in the order of their event time, and engine readings with their alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from races.analytics.alarm_frames import Sample, sample_of
from races.analytics.alarms import Alarm, AlarmRule
from races.board.frames import Anomaly, Note, Record, Trace

NOTES_KEPT = 64  # so that why a safety car is out outlives every car's stop behind it
IDS_KEPT = 5000  # more than any race has
TRACE_SECONDS = 60


class NoteLog:
    """Keeps the newest notes, newest first, each id once in whatever order and however often it comes."""

    def __init__(self, notes: list[Note]) -> None:
        self.notes = notes
        self._seen = dict.fromkeys(note["id"] for note in notes)

    def add(self, note: Note) -> bool:
        if note["id"] in self._seen:
            return False
        self._seen[note["id"]] = None
        if len(self._seen) > IDS_KEPT:
            del self._seen[next(iter(self._seen))]
        # a new list each time: frames already given out keep theirs
        self.notes = sorted([note, *self.notes], key=note_order, reverse=True)[:NOTES_KEPT]
        return True

    def begun(self, lap: int, at: int) -> None:
        """Takes in that the leader has begun a lap: a line of that tick may have come before the tick itself."""
        for index, note in enumerate(self.notes):
            if note["at"] >= at and note["lap"] < lap:
                self.notes = [*self.notes[:index], {**note, "lap": lap}, *self.notes[index + 1 :]]


def note_order(note: Note) -> tuple[int, str]:
    """Orders notes by their instant, and the events of one tick by their padded ordinals."""
    return note["at"], note["id"].rjust(24, "0")


class EngineLog:
    """Keeps readings and alarms by engine: a driver's code, or a team where no code is known."""

    def __init__(self) -> None:
        self.newest: dict[str, Anomaly] = {}
        self._rule = AlarmRule()
        self._alarms: dict[str, dict[tuple[str, int], dict[str, Any]]] = {}
        self._samples: dict[str, dict[int, Sample]] = {}
        self._traces: dict[str, Trace] = {}  # as far as they are drawn
        self._last: dict[str, set[int]] = {}

    def add(self, code: str, ts: int, record: Record) -> bool:
        """Takes a reading; returns True for a new one. ts: epoch milliseconds."""
        sample = sample_of(record)
        seen = self._last.setdefault(code, set())
        if sample is None or ts in seen:
            return False
        seen.add(ts)
        if len(seen) > 1000:
            seen -= set(sorted(seen)[:500])
        self._sample(code, ts, sample)
        self._note(self._rule.feed(code, ts, record))
        before = self.newest.get(code)
        if before and ts < before["ts"]:
            return True  # late: it has its place in the trace, the newest stays the newest
        flags = (before["flags"] if before else 0) + bool(sample.flag)
        anomaly = Anomaly(ts=ts, reading=sample.reading, forecast=sample.forecast, lower=sample.lower,
                          upper=sample.upper, flag=bool(sample.flag), flags=flags, alarm=None,
                          alarms=0)  # fmt: skip
        self.newest = {**self.newest, code: self._with_alarms(code, anomaly)}
        return True

    def reached(self, ts: int, over: bool) -> None:
        """Ends the alarms that end because nothing more comes."""
        for code in self._note(self._rule.reached(ts, over)):
            self.newest = {**self.newest, code: self._with_alarms(code, self.newest[code].copy())}

    def _note(self, alarms: Iterable[Alarm]) -> set[str]:
        """Keeps the alarms and returns the codes of the engines that they are on."""
        records = [alarm_record(alarm) for alarm in alarms]
        for alarm in records:
            self._alarms.setdefault(alarm["driver_code"], {})[alarm["kind"], alarm["start"]] = alarm
        return {alarm["driver_code"] for alarm in records} & self.newest.keys()

    def _with_alarms(self, code: str, anomaly: Anomaly) -> Anomaly:
        alarms = self._alarms.get(code, {})
        anomaly["alarm"] = max(  # one that lasts goes before one that is over, then the newest
            alarms.values(), key=lambda alarm: (alarm["end"] is None, int(alarm["start"])), default=None
        )
        anomaly["alarms"] = len(alarms)
        return anomaly

    def _sample(self, code: str, ts: int, sample: Sample) -> None:
        """Keeps one sample a second; a flagged one wins over its neighbours, or the chart would hide it."""
        samples = self._samples.setdefault(code, {})
        self._traces.pop(code, None)
        second = ts // 1000
        if second not in samples or sample.flag:
            samples[second] = sample
        if len(samples) > TRACE_SECONDS:
            del samples[min(samples)]

    def alarms(self, code: str) -> list[dict[str, Any]]:
        """Returns all alarms on one engine, each as it is known now."""
        return list(self._alarms.get(code, {}).values())

    def traces(self, own: str) -> dict[str, Trace]:
        """Returns the trace of every engine: those with an alarm, the newest first, the own one, all others."""
        starts = {code: max(start for _, start in alarms) for code, alarms in self._alarms.items() if alarms}
        for code in self._samples.keys() - self._traces.keys():
            self._traces[code] = trace_of(self._samples[code])
        return {code: self._traces[code] for code in in_order(self._samples, starts, own)}


def in_order(codes: Iterable[str], starts: Mapping[str, int], own: str) -> list[str]:
    """Orders engines: the newest alarm first, then the own one, then by code. starts: when each engine's newest alarm
    began."""
    return sorted(codes, key=lambda code: (-starts.get(code, 0), code != own, code))


def trace_of(samples: Mapping[int, Sample]) -> Trace:
    """Returns the minute that ends with the newest sample. A second may have none."""
    before = max(samples) - TRACE_SECONDS
    seconds = sorted(second for second in samples if second > before)
    return Trace(samples=[samples[second] for second in seconds], seconds=seconds)


def alarm_record(alarm: Alarm) -> dict[str, Any]:
    """An alarm as plain data: the key becomes the code of the driver, or of the team where no code is known."""
    return {
        "driver_code": alarm.key.rpartition(":")[2],
        "kind": alarm.kind,
        "severity": alarm.severity,
        "direction": alarm.direction,
        "start": alarm.start,
        "end": alarm.end,
        "size_c": alarm.size_c,
        "reading": alarm.reading,
    }
