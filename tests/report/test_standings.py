"""Standings over several races: the sport's points, its way to part equals, and which races count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from races.models import Race, Result
from races.models.creation import Choice, create_race
from races.report.standings import POINTS, Standing, standings, table

pytestmark = pytest.mark.django_db


def raced(order: str, day: int = 1, status: str = "finished", out: str = "", circuit: str = "monza") -> Race:
    """A race whose cars came home in this order; those of `out` retired. A team has one letter and two cars."""
    race = create_race(Choice("NOR", circuit=circuit))
    at = datetime(2026, 11, day, 12, tzinfo=UTC)
    Race.objects.filter(pk=race.pk).update(status=status, created_at=at)
    for position, code in enumerate(order.split(), 1):
        Result.objects.create(
            race=race, position=position, driver_code=code, driver_name=f"Driver {code}", team_name=code[0],
            status="retired" if code in out.split() else "finished",
        )  # fmt: skip
    return race


def points(rows: list[Standing]) -> dict[str, int]:
    return {row.code or row.name: row.points for row in rows}


def test_points_are_added_up() -> None:
    raced("A1 A2 B1")
    raced("B1 A1 A2", out="A2")
    found = standings(Race.objects.all())
    assert found.races == 2
    assert points(found.drivers) == {"A1": 43, "B1": 40, "A2": 18}
    assert points(found.teams) == {"A": 61, "B": 40}
    assert [(row.wins, row.podiums, row.races) for row in found.drivers] == [(1, 2, 2), (1, 2, 2), (0, 1, 2)]


def test_eleventh_and_retired_get_none() -> None:
    codes = [f"{letter}{number}" for letter in "ABCDEF" for number in (1, 2)]
    raced(" ".join(codes), out="A1")
    found = points(standings(Race.objects.all()).drivers)
    assert found["A1"] == 0, "who retired was classified first and did not finish"
    assert [found[code] for code in codes[1:10]] == list(POINTS[1:])
    assert (found["F1"], found["F2"]) == (0, 0)


def test_equal_points_go_by_wins_then_places() -> None:
    def at(name: str, *places: int) -> list[Result]:
        return [Result(position=place, driver_code=name, status="finished") for place in places]

    # 25 points each: a win; a second and a seventh and a tenth; the same
    results = at("WIN", 1) + at("TWO", 2, 7, 10) + at("TOO", 2, 7, 10)
    rows = table(results, lambda one: Standing(one.driver_code, one.driver_code))
    assert [(row.position, row.code, row.points) for row in rows] == [
        (1, "WIN", 25),
        (2, "TOO", 25),
        (2, "TWO", 25),
    ]


@pytest.mark.parametrize(
    ("query", "races"),
    [
        ({}, 3),
        ({"since": "2026-11-02"}, 2),
        ({"until": "2026-11-01"}, 1),
        ({"since": "2026-11-02", "until": "2026-11-02"}, 1),
        ({"circuit": "spa"}, 1),
        ({"since": "2026-11-09"}, 0),
    ],
)
def test_page_and_api_count_the_same_races(client: Client, query: dict[str, str], races: int) -> None:
    raced("A1 B1", day=1)
    raced("A1 B1", day=2, circuit="spa")
    raced("B1 A1", day=3)
    raced("B1 A1", day=2, status="stopped")
    answer = client.get("/api/standings/", query).json()
    assert answer["races"] == races
    page = client.get("/standings/", query).content.decode()
    if races:
        assert f"{races} race" in page
        for row in answer["drivers"]:
            assert f"<b>{row['driver_code']}</b> {row['name']}" in page
    else:
        assert "No points yet." in page and answer["drivers"] == answer["teams"] == []


def test_nonsense_as_a_filter(client: Client) -> None:
    raced("A1 B1")
    for nonsense in ("31", "2026-02-31", "'; drop", "9" * 500):
        assert (
            "1 race " in client.get("/standings/", {"since": nonsense, "circuit": nonsense}).content.decode()
        )
        answer = client.get("/api/standings/", {"since": nonsense})
        assert (answer.status_code, answer.json()["field"]) == (422, "since")
