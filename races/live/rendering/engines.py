"""The engines' panel: charts of the cars that have or had an alarm, the newest first, a line on the own car, and the
whole field in small charts on one scale.

A page has 20 KB a second. The newest LARGE charts have a sample a second and move every second; MIDDLE more and the
small ones have a sample every STEP_S, and change only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from races.analytics.alarm_frames import Sample
from races.board.frames import Anomaly, Frame, Trace
from races.board.race_info import RaceInfo
from races.live.rendering.tower import Cells, chip

LARGE, MIDDLE, STEP_S = 3, 6, 5
SMALL_W, SMALL_H = 60, 24  # the box of a small chart
SCALE_C = 10.0  # how far from the forecast its edges are
MISSING_STEPS = 2  # without a reading, and the line has a gap
CHART_W, CHART_H, SECONDS = 240, 56, 60
NO_COLOUR = "#8a93a3"


def engine_cells(cells: Cells, frame: Frame, info: RaceInfo) -> None:
    anomalies, traces = frame["anomalies"], frame["traces"]
    colours = {car.team: car.colour for car in info.cars} | {car.code: car.colour for car in info.cars}
    alarmed = [code for code in traces if (found := anomalies.get(code)) and found["alarm"]]
    charts = [
        _chart(code, trace(traces[code]), anomalies[code], colours.get(code, NO_COLOUR))
        for trace, codes in ((_whole, alarmed[:LARGE]), (_coarse, alarmed[LARGE : LARGE + MIDDLE]))
        for code in codes
    ]
    own = "" if info.own_code in alarmed else _line(info.own_code, anomalies.get(info.own_code))
    cells["charts"] = f'<div id="charts">{own}{"".join(charts[:LARGE])}</div>'
    cells["earlier"] = f'<div id="earlier">{"".join(charts[LARGE:])}</div>'
    cells["field"] = f'<ul id="field">{"".join(map(_small, _farthest_first(frame, info)))}</ul>'
    flags = sum(anomaly["flags"] for anomaly in anomalies.values())
    alarms = sum(anomaly["alarms"] for anomaly in anomalies.values())
    cells["alarms"] = f'<b id="alarms">{_counted(alarms, "alarm")}, {_counted(flags, "reading")} flagged</b>'


Small = tuple[float, str, str, str]  # °C from the forecast, code, path, class


def _farthest_first(frame: Frame, info: RaceInfo) -> list[Small]:
    """Every engine's minute as the distance from its forecast, all on one scale, the farthest of them first."""
    found: list[Small] = []
    for code, trace in frame["traces"].items():
        points = [
            (second, sample.reading - sample.forecast)
            for second, sample in _coarse(trace)
            if sample.forecast is not None
        ]
        if not points or code not in frame["anomalies"]:
            continue
        drawn = [
            (second, round(SMALL_H / 2 - max(-SCALE_C, min(SCALE_C, off)) / SCALE_C * SMALL_H / 2))
            for second, off in points
        ]
        alarm = frame["anomalies"][code]["alarm"]
        kind = "" if alarm is None else "alarm" if alarm.get("end") is None else "was"
        found.append((points[-1][1], code, _path(drawn), f"{kind} own" if code == info.own_code else kind))
    return sorted(found, key=lambda one: (-abs(one[0]), one[1]))


def _small(one: Small) -> str:
    off, code, path, kind = one
    return (
        f'<li class="{kind}"><b>{escape(code)}</b><svg viewBox="0 0 {SMALL_W} {SMALL_H}" preserveAspectRatio="none" '
        f'aria-hidden="true"><path d="{path}"/></svg><i>{off:+.0f} °C</i></li>'
    )


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _line(code: str, newest: Anomaly | None) -> str:
    if newest is None:
        return '<p class="empty">Waiting for the first readings: a forecast needs 16 of them.</p>'
    expected = _expected(newest["lower"], newest["upper"])
    words, _ = _words(newest)
    name, reading = escape(code), f"{newest['reading']:.1f} °C{expected}"
    return f'<p class="own"><b>{name}</b> {reading} · {words}</p>'


Points = Sequence[tuple[int, Sample]]


def _whole(trace: Trace) -> Points:
    """Samples with their place in the minute that ends now."""
    first = trace["seconds"][-1] - SECONDS + 1
    return [(second - first, sample) for second, sample in _placed(trace)]


def _placed(trace: Trace) -> Points:
    return list(zip(trace["seconds"], trace["samples"], strict=True))


def _coarse(trace: Trace) -> Points:
    """The last sample of every STEP_S seconds, a flagged one before it, up to the last step that is over."""
    until = trace["seconds"][-1]
    steps: dict[int, Sample] = {}
    for second, sample in _placed(trace):
        step = second // STEP_S
        if sample.flag or step not in steps or not steps[step].flag:
            steps[step] = sample
    whole = [step for step in sorted(steps) if step < (until + 1) // STEP_S] or [*steps]
    newest = whole[-1]
    return [
        (SECONDS - 1 - (newest - step) * STEP_S, steps[step])
        for step in whole
        if newest - step < SECONDS / STEP_S
    ]


def _chart(code: str, points: Points, newest: Anomaly, colour: str) -> str:
    """Draws a minute of one engine: expected band, forecast (dashed), reading, and a ring around each flag."""
    name, (words, kind), last = escape(code), _words(newest), points[-1][1]
    low, high = _range(points)
    box = f'viewBox="0 0 {CHART_W} {CHART_H}" preserveAspectRatio="none" role="img"'
    return (
        f'<figure class="{kind}"><figcaption>{chip(colour)}<b>{name}</b>'
        f"<span>{last.reading:.1f} °C{_expected(last.lower, last.upper)}</span>"
        f"<em>{words}</em></figcaption><svg {box} "
        f'aria-label="{name}, {last.reading:.1f} degrees, {words}">{_drawing(points)}</svg>'
        f"<small>{low:.0f} to {high:.0f} °C, the last minute</small></figure>"
    )


def _range(points: Points) -> tuple[float, float]:
    """Returns the lowest and the highest temperature of a chart, °C."""
    drawn = [value for _, sample in points for value in sample[:4] if value is not None]
    return min(drawn) - 0.5, max(drawn) + 0.5


def _drawing(points: Points) -> str:
    floor, ceiling = _range(points)

    def at(second: int, value: float) -> tuple[int, int]:
        return second * CHART_W // (SECONDS - 1), round(CHART_H * (ceiling - value) / (ceiling - floor))

    def along(stretch: Points, name: str) -> list[tuple[int, int]]:
        values = ((second, getattr(sample, name)) for second, sample in stretch)
        return [at(second, value) for second, value in values if value is not None]

    band = forecast = reading = ""
    for stretch in _stretches(points):
        upper, lower = along(stretch, "upper"), along(stretch, "lower")
        band += f"{_path([*upper, *reversed(lower)])}Z" if upper and lower else ""
        forecast += _path(along(stretch, "forecast"))
        reading += _path(along(stretch, "reading"))
    paths = (("band", band), ("forecast", forecast), ("line", reading))
    drawn_paths = "".join(f'<path class="{kind}" d="{path}"/>' for kind, path in paths if path)
    rings = (at(second, sample.reading) for second, sample in points if sample.flag)
    return drawn_paths + "".join(f'<circle cx="{x}" cy="{y}" r="4"/>' for x, y in rings)


def _stretches(points: Points) -> list[Points]:
    """Splits a line where readings are missing: a gap in the data is a gap in the chart."""
    breaks = [
        index
        for index, (before, after) in enumerate(pairwise(points), 1)
        if after[0] - before[0] > MISSING_STEPS * STEP_S
    ]
    return [points[first:end] for first, end in pairwise([0, *breaks, len(points)])]


def _path(points: Sequence[tuple[int, int]]) -> str:
    """Writes a path as its first point and relative steps, which take half the room; nothing without points."""
    if not points:
        return ""
    (x, y), steps = points[0], []
    for there_x, there_y in points[1:]:
        steps.append(f"{there_x - x} {there_y - y}")
        x, y = there_x, there_y
    return f"M{points[0][0]} {points[0][1]}" + (f"l{' '.join(steps)}" if steps else "").replace(" -", "-")


def _expected(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" <i>({low:.1f}–{high:.1f})</i>"


def _words(newest: Anomaly) -> tuple[str, str]:
    """Returns the words for a reading, ready for HTML, and their class."""
    alarm = newest["alarm"]
    if alarm is None:
        return ("learning" if newest["lower"] is None else "as expected"), ""
    kind = escape(str(alarm.get("kind", "")).replace("_", " "))
    if alarm.get("end") is None:
        return f"alarm: {kind}, {escape(str(alarm.get('severity', '')))}".rstrip(", "), "alarm"
    return f"earlier alarm: {kind}", "was"
