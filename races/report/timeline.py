"""The replay's timeline: the laps, the flags and the events of a race, each at its tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from django.db.models import Min
from django.utils.safestring import SafeString, mark_safe

from races.live.rendering.formatting import FLAG_WORDS
from races.models import Race, moment
from races.report.svg import lap_steps

FLAGS = ("yellow", "vsc", "safety_car", "red_flag")
SIGNS = {"lead": "1", "out": "×", "stop": "▼", "alarm": "◆", "flag": "", "finish": "⚑"}
HIGH, FLAG_HIGH = 24, 14  # px


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a viewer may want to see again. kind: a key of SIGNS; words: "Albon out", without a full stop."""

    tick: int
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class FlagSpan:
    """A flag that was out from its first tick to its last."""

    flag: str
    first: int
    last: int


def events(race: Race) -> list[Event]:
    """The flags, retirements, changes of the lead, engine alarms and the own driver's stops, in order."""
    names = {entry.driver_code: entry.driver_name.split()[-1] for entry in race.entries.all()}
    found = [
        Event(span.first, "flag", FLAG_WORDS.get(span.flag.removesuffix("_flag"), span.flag))
        for span in flag_spans(race)
    ]
    for row in race.control.filter(type__in=("retirement", "pit_in", "chequered")):
        who = names.get(row.driver_code, row.driver_code)
        if row.type == "retirement":
            found.append(Event(row.tick, "out", f"{who} out"))
        elif row.type == "pit_in" and row.driver_code == race.driver_code:
            found.append(Event(row.tick, "stop", f"{who} stops"))
        elif row.type == "chequered":
            found.append(Event(row.tick, "finish", "Chequered flag"))
    found += [Event(tick, "lead", f"{names.get(code, code)} leads") for tick, code in _leaders(race)]
    alarms = [
        (max(race.tick_at(alarm.start_ms), 0), alarm) for alarm in race.alarms.all() if alarm.driver_code
    ]
    found += [
        Event(tick, "alarm", f"Engine alarm, {names.get(alarm.driver_code, alarm.driver_code)}")
        for tick, alarm in alarms
    ]
    return sorted(found, key=lambda event: (event.tick, event.words))


def flag_spans(race: Race) -> list[FlagSpan]:
    """The flags that were out, in order; a flag that another one replaces ends with it."""
    spans: list[FlagSpan] = []
    begun: tuple[str, int] | None = None
    kinds = (*FLAGS, "green", "chequered")
    for row in race.control.filter(type__in=kinds):
        if begun and row.type != begun[0]:
            spans.append(FlagSpan(*begun, row.tick))
            begun = None
        if row.type in FLAGS and begun is None:
            begun = row.type, row.tick
    if begun:
        spans.append(FlagSpan(*begun, max(race.recorded_tick, begun[1])))
    return spans


def _leaders(race: Race) -> list[tuple[int, str]]:
    """The tick at which each new leader took the lead: by a pass, or seen at the line."""
    passes = race.control.filter(type="overtake", position=1).values_list("tick", "driver_code")
    lines = race.lap_set.filter(position=1).values_list("tick", "driver_code")
    found: list[tuple[int, str]] = []
    for tick, code in sorted([*passes, *lines]):
        if not found or found[-1][1] != code:
            found.append((tick, code))
    return found[1:]  # the first one leads from the start


def lap_ticks(race: Race) -> list[tuple[int, int]]:
    """(lap, the tick at which the leader completed it), in order."""
    rows = race.lap_set.order_by("lap").values("lap").annotate(first=Min("tick"))
    return [(row["lap"], row["first"]) for row in rows]


def timeline(race: Race, last: int) -> SafeString:
    """Draws the timeline as SVG. Each event is a link to its tick, which works without script as well."""
    span = max(last, 1)
    laps, flags, marks = lap_ticks(race), flag_spans(race), events(race)
    drawn = _laps(laps, span)
    for flag in flags:
        x, wide = flag.first / span, max(flag.last - flag.first, 1) / span
        drawn += f'<rect class="f-{flag.flag}" x="{x:.2%}" width="{wide:.2%}" height="{FLAG_HIGH}"/>'
    drawn += "".join(_links(marks, span))
    svg = f'<svg class="marks" height="{HIGH}" role="group" aria-label="Events of the race">{drawn}</svg>'
    return mark_safe(svg)  # noqa: S308  # what is not a number is escaped


def _laps(laps: Sequence[tuple[int, int]], span: int) -> str:
    named = set(lap_steps(len(laps)))
    return "".join(
        f'<line class="lap" x1="{tick / span:.2%}" x2="{tick / span:.2%}" y1="{FLAG_HIGH}" y2="{HIGH}"/>'
        + (
            f'<text class="lap" x="{tick / span:.2%}" y="{HIGH - 1}" dx="-3">{lap}</text>'
            if lap in named
            else ""
        )
        for lap, tick in laps
    )


def _links(marks: Iterable[Event], span: int) -> list[str]:
    links = []
    for mark in marks:
        words, at, x = escape(mark.words), moment(mark.tick), f"{mark.tick / span:.2%}"
        links.append(
            f'<a href="?tick={mark.tick}" data-kind="{mark.kind}" data-words="{words}" aria-label="{at}, {words}">'
            f'<title>{at} {words}</title><rect class="hit" x="{x}" width="10" height="{HIGH}"/>'
            f'<text class="k-{mark.kind}" x="{x}" y="11">{SIGNS[mark.kind]}</text></a>'
        )
    return links
