"""A race in a paragraph, five moments and three numbers: each sentence follows from what happened."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client

from races.report.laps import Car, Point
from races.report.report import report
from races.report.stops import moved, stops
from races.report.story import MOMENTS, story
from tests.fakes.recorded import Recorded


@dataclass
class Said:
    type: str
    lap: int = 0
    driver_code: str = ""
    other_code: str = ""
    position: int = 0
    value: float | None = None
    message: str = ""
    tick: int = 0


def car(code: str, places: list[int], own: bool = False, status: str = "finished", **fields: Any) -> Car:
    """A car with these places at the line; each lap takes 80 s and half a second for each place."""
    points, crossed = [], 0.0
    for lap, place in enumerate(places, 1):
        crossed = 80.0 * lap + place / 2
        points.append(Point(lap, 80.0, crossed, place, None, "M", lap))
    given: dict[str, Any] = {"grid": places[0], "second": False, "stints": ()} | fields
    return Car(code=code, name=f"{code.title()} {code.title()}", colour="#123456", own=own, status=status,
               points=tuple(points), **given)  # fmt: skip


FIELD = [car("RUS", [2, 1, 1]), car("NOR", [1, 2, 2], own=True), car("VER", [3, 3], status="retired")]
CONTROL = [
    Said("overtake", 2, "RUS", "NOR", 1, tick=60),
    Said("safety_car", 0, tick=65),
    Said("retirement", 3, "VER", position=3, message="CAR 3 (VER) STOPPED IN SECTOR 2 - GEARBOX", tick=70),
    Said("chequered", 3, "RUS", position=1, tick=90),
]


def test_the_paragraph_says_who_won_and_how() -> None:
    told = story(FIELD, CONTROL, 3, finished=True)
    assert told.paragraph == (
        "Rus took the lead for good on lap 2, past Nor on the track, and won by 0.5\u00a0s from Nor. "
        "There was a safety car on lap 2. Ver did not finish. "
        "Nor started 1st and finished 2nd, after leading."
    )
    assert ("0.5\u00a0s", "ahead of Nor at the flag") in told.numbers
    assert ("1", "change of the lead") in told.numbers
    assert ("1", "pass on the track") in told.numbers


def test_moments_are_in_the_order_of_the_race() -> None:
    told = story(FIELD, CONTROL, 3, finished=True)
    assert [moment.tick for moment in told.moments] == sorted(moment.tick for moment in told.moments)
    texts = [moment.text for moment in told.moments]
    assert texts[0] == "Rus took the lead, past Nor on the track."
    assert "Ver is out: gearbox." in texts
    assert texts[-1] == "Rus takes the flag."


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pit_in", "when Nor stopped"),
        ("retirement", "when Nor went out"),
        ("off_track", "after a mistake by Nor"),
        ("yellow", "after a mistake by Nor"),
    ],
)
def test_a_lead_has_its_reason(kind: str, words: str) -> None:
    told = story(FIELD, [Said(kind, 2, "NOR", tick=50)], 3, finished=True)
    assert told.leads[1].how == words


def test_a_later_stop_is_no_reason() -> None:
    """The leader spins off on lap 2, is second at its line, and stops at the end of lap 3."""
    said = [Said("yellow", 2, "NOR", tick=50), Said("pit_in", 3, "NOR", tick=80)]
    assert story(FIELD, said, 3, finished=True).leads[1].how == "after a mistake by Nor"


def test_several_flags_are_counted() -> None:
    calls = [Said("vsc", 2, tick=10), Said("safety_car", 3, tick=20), Said("safety_car", 5, tick=30)]
    told = story(FIELD, calls, 3, finished=True)
    assert "There was a virtual safety car on lap 2 and safety cars on laps 3 and 5." in told.paragraph
    told = story(FIELD, calls[1:], 3, finished=True)
    assert "There were safety cars on laps 3 and 5." in told.paragraph


def test_one_leader_led_every_lap() -> None:
    field = [car("RUS", [1, 1, 1]), car("NOR", [2, 2, 2])]
    told = story(field, [], 3, finished=True)
    assert told.paragraph == "Rus led every lap and won by 0.5\u00a0s from Nor. Every car finished."


def test_places_add_up() -> None:
    field = [car("RUS", [3, 1, 2], grid=5), car("NOR", [1, 2, 1], grid=1)]
    for row, one in zip(moved(field), field, strict=True):
        assert row.total == one.grid - one.points[-1].position
    assert (moved(field)[0].start, moved(field)[0].track) == (2, 1)


def test_stops_have_two_times() -> None:
    said = [
        Said("pit_in", 4, "NOR", position=3, tick=100), Said("pit_in", 4, "RUS", position=1, tick=101),
        Said("pit_out", 4, "NOR", position=9, value=2.6, tick=115),
        Said("pit_out", 5, "RUS", position=8, value=2.1, tick=117), Said("pit_in", 8, "VER", position=2, tick=150),
    ]  # fmt: skip
    found = stops(said, tick_s=1.0)
    assert [(stop.code, stop.stood_s, stop.lane_s) for stop in found] == [
        ("RUS", 2.1, 16.0),
        ("NOR", 2.6, 15.0),
    ]
    assert (found[0].place_before, found[0].place_after) == (1, 8)
    assert stops(said, tick_s=8.0)[0].lane_s is None  # ticks are too far apart to tell


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 3, 8])
def test_lines_of_a_recorded_race_are_true(seed: int, client: Client) -> None:
    """The leaders, the moments and the margin, held against the rows of the history."""
    race = Recorded(laps=6, seed=seed).race
    told = report(race, [])["story"]
    first = {lap.lap: lap.driver_code for lap in race.lap_set.filter(position=1)}
    assert sum(lead.laps for lead in told.leads) == race.laps
    for lead in told.leads:
        assert all(
            first[lap] == lead.code for lap in range(lead.first, lead.first + lead.laps) if lap in first
        )
    assert all(one.code != other.code for one, other in pairwise(told.leads))
    assert 1 <= len(told.moments) <= MOMENTS
    assert all(0 <= moment.tick <= race.recorded_tick for moment in told.moments)
    winner = race.results.get(position=1).driver_name.split()[-1]
    assert told.paragraph.startswith(winner)
    page = client.get(race.get_absolute_url()).content.decode()
    for moment in told.moments:
        assert f"/replay/?tick={moment.tick}" in page
