"""The engine room: what was put into the readings, what the detector made of it, and its marks."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from races.analytics.score import RaisedAlarm, Score, score
from races.models import Race, moment
from races.report.fault_curves import fault_curve
from races.report.replay_engines import engines_of
from races.report.svg import chart, labels, text
from races.sim import TICK_MS

FAULTS = {
    "leak": "coolant leak",
    "blocked_radiator": "blocked radiator",
    "stuck_sensor": "stuck sensor",
    "spike": "sensor spike",
}
ROW, FOOT = 26, 20
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One injected fault and what became of it. delay_s is on the stream's clock, as everybody who watched had it."""

    code: str
    fault: str
    size_c: float
    at: str
    caught_as: str
    delay_s: float | None
    named_right: bool
    curve: SafeString  # its temperatures; empty where they are not recorded


@dataclass(frozen=True, slots=True)
class EngineRoom:
    score: Score
    faults: tuple[FaultRow, ...]
    false_alarms: tuple[
        tuple[str, str, str, bool], ...
    ]  # code, what it was called, when, the car out by then
    unreached: int  # planned, but the car had stopped or the race was over
    median_delay_s: float | None
    chart: SafeString

    @property
    def missed(self) -> int:
        return len(self.faults) - self.score.caught


def engine_room(race: Race) -> EngineRoom:
    faults = list(race.faults.all())
    retirements = race.control.filter(type="retirement").values_list("driver_code", "tick")
    stopped = dict(reversed(retirements))
    raised = [
        RaisedAlarm(alarm.driver_code, alarm.kind, race.tick_at(alarm.start_ms))
        for alarm in race.alarms.all()
    ]
    marks = score(raised, faults, stopped, race.recorded_tick)
    delay = marks.delay_samples
    return EngineRoom(
        score=marks,
        faults=tuple(_fault_rows(race, marks)),
        false_alarms=tuple(
            (
                a.driver_code,
                words(a.kind),
                moment(a.start_tick),
                a.start_tick > stopped.get(a.driver_code, race.recorded_tick),
            )
            for a in marks.false_alarms
        ),
        unreached=len(faults) - len(marks.findings),
        median_delay_s=None if delay is None else delay * TICK_MS / 1000,
        chart=mark_safe(_chart(marks, race.recorded_tick)),  # noqa: S308  # drawing escapes what it is given
    )


def words(kind: str) -> str:
    return kind.replace("_", " ")


def _fault_rows(race: Race, marks: Score) -> list[FaultRow]:
    """The faults, those that nobody noticed first: they have most to teach."""
    engines = engines_of(race).cars
    return [
        FaultRow(
            code=found.fault.driver_code,
            fault=FAULTS.get(found.fault.kind, words(found.fault.kind)),
            size_c=found.fault.size_c,
            at=moment(found.fault.start_tick),
            caught_as=words(found.alarm.kind) if found.alarm else "",
            delay_s=None if found.delay is None else found.delay * TICK_MS / 1000,
            named_right=found.named_right,
            curve=fault_curve(
                race,
                engines.get(found.fault.driver_code),
                found.fault,
                found.alarm.start_tick if found.alarm else None,
            ),
        )
        for found in sorted(marks.findings, key=lambda found: found.alarm is not None)
    ]


def round_ticks(span: int) -> list[int]:
    """Returns four to ten ticks of the axis, at round seconds. span: the last tick."""
    seconds = span * TICK_MS / 1000
    step = next((step for step in STEPS_S if seconds / step <= 10), STEPS_S[-1])
    return [round(step * n * 1000 / TICK_MS) for n in range(1, int(seconds / step) + 1)]


def _chart(marks: Score, last: int) -> str:
    """A row a car: bars are faults, triangles the alarms that caught them, crosses false alarms."""
    codes = sorted(
        {found.fault.driver_code for found in marks.findings} | {a.driver_code for a in marks.false_alarms}
    )
    rows = {code: index * ROW for index, code in enumerate(codes)}
    height, span = ROW * len(codes), max(last, 1)
    drawn = "".join(f'<line class="rule" x2="100%" y1="{y + ROW}" y2="{y + ROW}"/>' for y in rows.values())
    for found in marks.findings:
        fault, y = found.fault, rows[found.fault.driver_code]
        start, end = fault.start_tick / span, min(fault.end_tick, last) / span
        kind = "caught" if found.alarm else "missed"
        name = FAULTS.get(fault.kind, fault.kind)
        drawn += (
            f'<rect class="fault {kind}" x="{start:.2%}" width="{max(end - start, 0.004):.2%}" y="{y + 5}" '
            f'height="{ROW - 10}"><title>{fault.driver_code}: {name}, {kind}</title></rect>'
        )
        if found.alarm:
            drawn += text(found.alarm.start_tick / span, y + 18, "▲", "caught")
    for alarm in marks.false_alarms:
        drawn += text(alarm.start_tick / span, rows[alarm.driver_code] + 18, "×", "false")
    for tick in round_ticks(span):
        drawn += text(tick / span, height + 16, moment(tick), "axis")
    left = labels(((y + 18, code, "") for code, y in rows.items()), height + FOOT, "left")
    title = f"{len(marks.findings)} faults, {marks.caught} caught, {len(marks.false_alarms)} false alarms."
    return chart(title, height + FOOT, left, "", "", drawn, ("time of the replay", "car"))
