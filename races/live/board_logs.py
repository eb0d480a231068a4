"""The parts of the board that are logs: notes in order of their event time, and engine readings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from races.live.board_records import (
    Anomaly,
    BrokenRecord,
    Note,
    Record,
    Sample,
    Trace,
    millis,
    optional_number,
)

NOTES_KEPT = 40
IDS_KEPT = 5000  # more than any race has
TRACE_SECONDS = 60
TRACED = 4  # charts on the page: the own driver and the newest alarms


class Alarms(Protocol):
    """One race's alarm rule: takes a reading by its key (race id, colon, driver code) and instant, gives the alarms
    that opened, changed or ended: plain data with `driver_code`, `kind`, `start` (epoch ms), `end` (None while it
    lasts), `severity`. Passed in, so that the board needs no analytics of its own."""

    def __call__(self, key: str, ts: int, record: Record) -> list[dict[str, Any]]: ...


class NoteLog:
    """The newest notes, newest first, each id once however often and in whatever order it comes."""

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
        self.notes = sorted([note, *self.notes], key=_instant, reverse=True)[:NOTES_KEPT]
        return True


def _instant(note: Note) -> tuple[int, str]:
    """A tick has several events at one instant; their ordinals, padded, keep their order."""
    return note["at"], note["id"].rjust(12, "0")


class EngineLog:
    """Readings by car and instant."""

    def __init__(self, alarms: Callable[[], Alarms] | None = None) -> None:
        self.newest: dict[str, Anomaly] = {}
        self._rule = alarms() if alarms else None
        self._alarms: dict[str, dict[tuple[str, int], dict[str, Any]]] = {}
        self._samples: dict[str, dict[int, Sample]] = {}
        self._last: dict[str, set[int]] = {}

    def add(self, key: Record, record: Record) -> bool:
        code, ts = str(key["key"]).rpartition(":")[2], millis(key["ts"])
        reading = optional_number(record, "engine_temperature")
        if reading is None or not code:
            raise BrokenRecord("engine_temperature")
        seen = self._last.setdefault(code, set())
        if ts in seen:
            return False
        self._remember(seen, ts)
        bounds = optional_number(record, "lower_bound"), optional_number(record, "upper_bound")
        flag = bool(record.get("is_anomaly"))
        self._sample(code, ts, (reading, *bounds, flag))
        forecast = optional_number(record, "forecast_value")
        for alarm in self._rule(str(key["key"]), ts, record) if self._rule else ():
            self._alarms.setdefault(alarm["driver_code"], {})[alarm["kind"], alarm["start"]] = alarm
        self._fold(code, Anomaly(ts=ts, reading=reading, forecast=forecast, lower=bounds[0], upper=bounds[1],
                                 flag=flag, flags=0, alarm=None, alarms=0))  # fmt: skip
        return True

    @staticmethod
    def _remember(seen: set[int], ts: int) -> None:
        seen.add(ts)
        if len(seen) > 1000:
            seen -= set(sorted(seen)[:500])

    def _sample(self, code: str, ts: int, sample: Sample) -> None:
        """One sample a second; a flagged one wins over its neighbours, or the chart would hide it."""
        samples = self._samples.setdefault(code, {})
        second = ts // 1000
        if second not in samples or sample[3]:
            samples[second] = sample
        if len(samples) > TRACE_SECONDS:
            del samples[min(samples)]

    def _fold(self, code: str, anomaly: Anomaly) -> None:
        before = self.newest.get(code)
        if before and anomaly["ts"] < before["ts"]:
            return  # late: it has its place in the trace, the newest stays the newest
        anomaly["flags"] = (before["flags"] if before else 0) + anomaly["flag"]
        alarms = self._alarms.get(code, {})
        anomaly["alarm"] = max(alarms.values(), key=_standing, default=None)
        anomaly["alarms"] = len(alarms)
        self.newest = {**self.newest, code: anomaly}

    def traces(self, own: str) -> dict[str, Trace]:
        alarmed = sorted(self.newest, key=lambda code: -(_start(self.newest[code]) or 0))
        alarmed = [code for code in alarmed if self.newest[code]["alarm"]]
        codes = [own, *(code for code in alarmed if code != own)][:TRACED]
        return {
            code: Trace(samples=[self._samples[code][s] for s in sorted(self._samples[code])])
            for code in codes
            if code in self._samples
        }


def _standing(alarm: dict[str, Any]) -> tuple[bool, int]:
    """What lasts comes before what is over, the newest first."""
    return alarm["end"] is None, int(alarm["start"])


def _start(anomaly: Anomaly | None) -> int | None:
    alarm = anomaly and anomaly["alarm"]
    return int(alarm["start"]) if alarm else None
