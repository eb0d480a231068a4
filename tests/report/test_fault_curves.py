"""The curves of the injected faults in the report, those that nobody noticed first."""

from __future__ import annotations

import pytest

from races.report.detector_score import engine_room
from tests.fakes.recorded import Recorded

pytestmark = pytest.mark.django_db


def test_each_fault_has_its_curve() -> None:
    race = Recorded(anomaly=True, laps=8, seed=2, pace=30).race
    room = engine_room(race)
    curves = [row.curve for row in room.faults]
    assert curves and all('class="reading"' in curve and 'class="span"' in curve for curve in curves)
    assert [row.delay_s is not None for row in room.faults] == sorted(
        row.delay_s is not None for row in room.faults
    )


def test_without_readings_there_is_no_curve() -> None:
    race = Recorded(anomaly=True, laps=8, seed=2, pace=30).race
    race.reading_chunks.all().delete()
    assert {row.curve for row in engine_room(race).faults} == {""}
