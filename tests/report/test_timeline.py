"""The replay's timeline: each mark is an event of the race, at the event's own tick."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from races.models import ControlMessage, Race
from races.models.creation import Choice, create_race
from races.report import timeline
from tests.fakes.recorded import Recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
def race() -> Race:
    found = create_race(Choice("NOR", "monza", 4, 20, 1))
    found.recorded_tick, found.started_ms = 400, 1_800_000_000_000
    found.save()
    return found


def told(race: Race, tick: int, kind: str, code: str = "", position: int = 0) -> None:
    ControlMessage.objects.create(
        race=race,
        event=tick,
        tick=tick,
        timestamp=0,
        type=kind,
        driver_code=code,
        position=position,
        message="x",
    )


def test_flags_last_until_the_next_one(race: Race) -> None:
    for tick, kind in (
        (50, "yellow"),
        (52, "safety_car"),
        (90, "safety_car_ending"),
        (120, "green"),
        (300, "vsc"),
    ):
        told(race, tick, kind)
    assert timeline.flag_spans(race) == [
        timeline.FlagSpan("yellow", 50, 52),
        timeline.FlagSpan("safety_car", 52, 120),
        timeline.FlagSpan("vsc", 300, 400),
    ]


def test_only_the_own_stops_are_marked(race: Race) -> None:
    told(race, 60, "pit_in", "NOR")
    told(race, 61, "pit_in", "PIA")
    told(race, 70, "retirement", "ALB")
    assert [(event.tick, event.words) for event in timeline.events(race)] == [
        (60, "Norris stops"),
        (70, "Albon out"),
    ]


def test_the_lead_changes_by_passes_and_at_the_line(race: Race) -> None:
    told(race, 30, "overtake", "PIA", 1)
    told(race, 80, "overtake", "RUS", 1)
    race.lap_set.create(driver_code="PIA", lap=1, position=1, tick=70, tyre="SOFT")
    race.lap_set.create(driver_code="NOR", lap=2, position=1, tick=140, tyre="SOFT")
    assert [(event.tick, event.words) for event in timeline.events(race)] == [
        (80, "Russell leads"),
        (140, "Norris leads"),
    ]


def test_each_mark_leads_to_the_tick_of_its_event(client: Client) -> None:
    race = Recorded(anomaly=True, laps=6, seed=3).race
    drawn = str(timeline.timeline(race, race.recorded_tick))
    marks = [
        (int(tick), words)
        for tick, words in re.findall(r'href="\?tick=(\d+)"[^>]*data-words="([^"]+)"', drawn)
    ]
    expected = timeline.events(race)
    assert marks == [(event.tick, event.words) for event in expected]
    retired = race.control.filter(type="retirement").values_list("tick", flat=True)
    assert retired
    assert {event.tick for event in expected if event.kind == "out"} == set(retired)
    page = client.get(f"/races/{race.pk}/replay/").content.decode()
    assert drawn in page


def test_names_are_strangers_text(race: Race) -> None:
    race.entries.filter(driver_code="ALB").update(driver_name='A "><script>x</script>')
    told(race, 70, "retirement", "ALB")
    assert "<script" not in timeline.timeline(race, 400)
