"""The detector's marks: alarms against what was injected.

A fault counts when it began while its engine ran and the race was on, however small it is and however soon the
flag or a retirement cut it off. One planned for later never touched a reading, and is not asked for. A fault is
caught by the first alarm on its car that is raised while it lasts (a leak to the end of the race), or within
GRACE_TICKS after it, whatever the alarm is called. Further ones are repeats. Every alarm that no fault explains
is false; one raised before the fault is false and catches nothing. No point-wise figures and no point
adjustment: people answer events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Protocol

from races.analytics.alarms import Alarm

GRACE_TICKS = 20

# What the rule should call what was injected.
NAMES = {
    "leak": "overheating",
    "blocked_radiator": "overheating",
    "stuck_sensor": "stuck_sensor",
    "spike": "spike",
}


class Fault(Protocol):
    """One injected fault, its ticks inclusive."""

    @property
    def driver_code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def start_tick(self) -> int: ...
    @property
    def end_tick(self) -> int: ...
    @property
    def size_c(self) -> float: ...


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """An alarm placed in the race: its first tick instead of its instant."""

    driver_code: str
    kind: str
    start_tick: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one fault. `delay` is in samples from its beginning, None when it was missed."""

    fault: Fault
    alarm: RaisedAlarm | None

    @property
    def delay(self) -> int | None:
        return None if self.alarm is None else self.alarm.start_tick - self.fault.start_tick

    @property
    def named_right(self) -> bool:
        return self.alarm is not None and self.alarm.kind == NAMES.get(self.fault.kind)


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one race, or of many: scores add up."""

    findings: tuple[Finding, ...] = ()
    false_alarms: tuple[RaisedAlarm, ...] = ()
    repeats: tuple[RaisedAlarm, ...] = ()
    """Further alarms on a fault that was caught: neither found nor false, but somebody has to look at them."""

    @property
    def caught(self) -> int:
        return sum(finding.alarm is not None for finding in self.findings)

    @property
    def event_recall(self) -> float | None:
        """Share of the faults that were caught; None where nothing was injected."""
        return self.caught / len(self.findings) if self.findings else None

    @property
    def delay_samples(self) -> float | None:
        """The median delay over the faults that were caught; None where none was."""
        delays = [finding.delay for finding in self.findings if finding.delay is not None]
        return float(median(delays)) if delays else None

    def __add__(self, other: Score) -> Score:
        return Score(
            self.findings + other.findings,
            self.false_alarms + other.false_alarms,
            self.repeats + other.repeats,
        )

    def of_kind(self, kind: str) -> Score:
        """The findings of one kind of fault, without false alarms."""
        return Score(tuple(finding for finding in self.findings if finding.fault.kind == kind))


def raised(alarms: Iterable[Alarm], ticks: Mapping[int, int]) -> list[RaisedAlarm]:
    """Each alarm once, however often it changed, in order. `ticks` gives the tick of each instant (epoch ms)."""
    first = {(alarm.key, alarm.kind, alarm.start) for alarm in alarms}
    placed = [RaisedAlarm(key.rpartition(":")[2], kind, ticks[start]) for key, kind, start in first]
    return sorted(placed, key=lambda alarm: (alarm.start_tick, alarm.driver_code, alarm.kind))


def score(
    alarms: Iterable[RaisedAlarm], faults: Iterable[Fault], stopped: Mapping[str, int], last_tick: int
) -> Score:
    """Scores the alarms against the faults. `stopped` gives the tick at which each retired car's engine stopped."""
    placed = sorted(alarms, key=lambda alarm: alarm.start_tick)
    found = []
    for fault in faults:
        until = inf if fault.kind == "leak" else fault.end_tick + GRACE_TICKS
        its = [
            alarm
            for alarm in placed
            if alarm.driver_code == fault.driver_code and fault.start_tick <= alarm.start_tick <= until
        ]
        found.append((fault, its))
    # A fault planned for a car that had stopped by then isn't to be found, but explains what was raised.
    explained = {alarm for _, its in found for alarm in its}
    findings = tuple(
        Finding(fault, its[0] if its else None)
        for fault, its in found
        if fault.start_tick <= min(last_tick, stopped.get(fault.driver_code, last_tick))
    )
    first = {finding.alarm for finding in findings}
    return Score(
        findings,
        tuple(alarm for alarm in placed if alarm not in explained),
        tuple(alarm for alarm in placed if alarm in explained and alarm not in first),
    )
