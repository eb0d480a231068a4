"""start_race --wait: the classification that it ends with."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from races.management.commands import start_race
from races.models import Race, Result
from tests.fakes.recorded import Recorded

pytestmark = pytest.mark.django_db


def test_gaps_are_written_as_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes, laps, and a dash for what is no gap; the winner has none."""
    race = Recorded().race
    Race.objects.filter(pk=race.pk).update(status=Race.Status.FINISHED)
    race.refresh_from_db()
    for position, seconds, laps_down in ((1, None, 0), (2, 93.58, 0), (3, -93.58, 0), (4, None, 2)):
        result = Result.objects.filter(race=race, position=position)
        result.update(gap_s=seconds, laps_down=laps_down, status="finished")
    monkeypatch.setattr(start_race, "create_race", lambda _: race)
    out = io.StringIO()
    call_command("start_race", "--driver", "NOR", "--wait", stdout=out)
    said = out.getvalue()
    assert "+1:33.580" in said and "+2 laps" in said
    assert "+-" not in said and "+93" not in said
