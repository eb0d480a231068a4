"""The temperature around an injected fault: what the detector saw, and what it made of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import isnan

from django.utils.safestring import SafeString, mark_safe

from races.analytics.score import Fault
from races.models import Race
from races.report.replay_engines import Readings
from races.report.svg import WIDE, chart, labels, line, text

BEFORE, AFTER = 75, 75  # ticks shown before and after the fault
HEIGHT, POINTS = 120, 160


def fault_curve(race: Race, car: Readings | None, fault: Fault, alarm_tick: int | None) -> SafeString:
    """Draws the readings around a fault with their expected band, the fault's own span, and its alarm; nothing where no
    readings are recorded."""
    first, last = fault.start_tick - BEFORE, min(fault.end_tick + AFTER, race.recorded_tick)
    since, until = race.event_ms(first), race.event_ms(last)
    if car is None or until <= since:
        return SafeString()
    start, end = bisect_left(car.at, since), bisect_right(car.at, until)
    places = range(start, end, max((end - start) // POINTS, 1))
    shown = [value for place in places for value in (car.reading[place], car.lower[place], car.upper[place])]
    known = [value for value in shown if not isnan(value)]
    if len(places) < 2 or not known:
        return SafeString()
    low, high = min(known) - 0.5, max(known) + 0.5

    def x(at: int) -> float:
        return (at - since) / (until - since)

    def y(value: float) -> float:
        return HEIGHT * (high - value) / (high - low)

    begin, stop = x(race.event_ms(fault.start_tick)), min(x(race.event_ms(fault.end_tick)), 1.0)
    drawn = (
        f'<rect class="span" x="{begin * WIDE:.0f}" width="{(stop - begin) * WIDE:.0f}" height="{HEIGHT}"/>'
    )
    banded = [place for place in places if not isnan(car.lower[place]) and not isnan(car.upper[place])]
    if banded:
        edge = [(place, car.upper[place]) for place in banded]
        edge += [(place, car.lower[place]) for place in reversed(banded)]
        path = "L".join(f"{x(car.at[place]) * WIDE:.0f} {y(value):.1f}" for place, value in edge)
        drawn += f'<path class="expected" d="M{path}Z"/>'
    drawn += line([(x(car.at[place]), y(car.reading[place])) for place in places], "reading", "currentColor")
    marks = "" if alarm_tick is None else text(min(x(race.event_ms(alarm_tick)), 0.99), 14, "▲", "caught")
    scale = labels([(12, f"{high:.0f} °C", ""), (HEIGHT, f"{low:.0f} °C", "")], HEIGHT, "left")
    title = f"Temperature of {fault.driver_code} around the fault, {low:.0f} to {high:.0f} degrees."
    return mark_safe(chart(title, HEIGHT, scale, "", drawn, marks))  # noqa: S308  # drawing escapes what it is given
