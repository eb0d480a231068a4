"""The benchmark of moments: which line tells which, and what is said when there is nothing to measure."""

from __future__ import annotations

from dataclasses import replace

from bench.studies.moments import Moment, figures
from bench.studies.narration import narrated
from races.analytics.commentary.commentator import STALE
from tests.analytics.simulated import lines_of, race_records

RACE = ("monza", 1)  # simulated once, when the first test asks


def test_quiet_moment_at_its_own_tick() -> None:
    quiet = [its for its in narrated(race_records(*RACE), lines_of(*RACE)) if its.quiet]
    assert {"lights_out", "chequered"} <= {its.kind for its in quiet}
    for its in quiet:
        assert its.line and its.line.tick == its.tick


def test_line_about_another_thing() -> None:
    (start,) = [its for its in narrated(race_records(*RACE), lines_of(*RACE)) if its.kind == "lights_out"]
    others = [line for line in lines_of(*RACE) if line is not start.line]
    (untold,) = [its for its in narrated(race_records(*RACE), others) if its.kind == "lights_out"]
    assert any(0 <= line.tick - start.tick <= STALE for line in others)
    assert untold.line is None
    assert figures([Moment(0, untold, None)])["never_told"] == [f"race 0, tick {start.tick}: lights_out"]


def test_late_line_does_not_count() -> None:
    (start,) = [its for its in narrated(race_records(*RACE), lines_of(*RACE)) if its.kind == "lights_out"]
    assert start.line
    late = [replace(start.line, tick=start.tick + STALE + 1)]
    assert [its.line for its in narrated(race_records(*RACE), late) if its.kind == "lights_out"] == [None]


def test_no_moment_no_figure() -> None:
    assert figures([])["p50_ms"] is None
