"""The board of a class: who has whom, where they run, and points over the series of its races."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from races.live.service import service
from races.models import Answer, Classroom, Member, Pick, Race, Result
from races.report.standings import POINTS

OUT = "out"


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One member. code: whom they have in the newest race, or will have in the next. place: where that car runs or
    came in, 'out', or empty. waits: joined after the newest race was entered. done: how many
    of the guide's boxes they have solved.
    """

    member: Member
    code: str
    colour: str
    place: str
    points: int
    waits: bool
    mine: bool
    own_races: list[Race]
    done: int


@dataclass(frozen=True, slots=True)
class ClassBoard:
    rows: list[BoardRow]
    race: Race | None
    races: int
    driven: int

    @property
    def here(self) -> int:
        return sum(row.member.is_here for row in self.rows)


def board_of(classroom: Classroom, client: str, colours: dict[str, str]) -> ClassBoard:
    """The board as this visitor sees it, the most points first. Who is tied stands by place, then by name."""
    race = classroom.race
    members = list(classroom.members.filter(removed=False))
    codes = {pick.member_id: pick.driver_code for pick in race.picks.all()} if race else {}
    places = places_now(race) if race else {}
    points, driven = points_of(classroom)
    own: dict[str, list[Race]] = {}
    for running in Race.objects.active().defer("frozen").filter(client__in=[one.client for one in members]):
        if running.classroom_id is None:
            own.setdefault(running.client, []).append(running)
    done = Counter(
        Answer.objects.filter(done=True, client__in=[one.client for one in members]).values_list(
            "client", flat=True
        )
    )
    rows = [
        BoardRow(
            member,
            code := codes.get(member.pk, member.driver_code),
            colours.get(code, ""),
            places.get(code, "") if member.pk in codes else "",
            points.get(member.pk, 0),
            race is not None and member.pk not in codes,
            member.client == client,
            own.get(member.client, []),
            done[member.client],
        )
        for member in members
    ]
    ordered = sorted(
        rows,
        key=lambda row: (
            -row.points,
            int(row.place) if row.place.isdigit() else 99,
            row.member.name.casefold(),
        ),
    )
    return ClassBoard(ordered, race, classroom.races.count(), driven)


def places_now(race: Race) -> dict[str, str]:
    """Each car's place as the stream has it, after the race as it was classified. 'out' for one that is out."""
    frame = service().frame(str(race.pk)) if race.is_active else None
    if frame is not None:
        return {
            car["driver_code"]: OUT if car["status"] == "retired" else str(car["position"] or "")
            for car in frame["cars"]
        }
    if race.is_active:
        records = service().newest(str(race.pk))
        return {
            one["driver_code"]: OUT if one["status"] == "retired" else str(one["position"]) for one in records
        }
    rows = Result.objects.filter(race=race).values_list("driver_code", "position", "status")
    return {code: OUT if status == "retired" else str(position) for code, position, status in rows}


def points_of(classroom: Classroom) -> tuple[dict[int, int], int]:
    """Each member's points by the places of whom they had, and over how many races. A race that was stopped gives
    none.
    """
    finished = classroom.races.filter(status=Race.Status.FINISHED)
    results = Result.objects.filter(race__in=finished.order_by().values("pk")).exclude(status="retired")
    won = {
        (race_id, code): POINTS[position - 1]
        for race_id, code, position in results.values_list("race_id", "driver_code", "position")
        if position <= len(POINTS)
    }
    points: dict[int, int] = {}
    for pick in Pick.objects.filter(race__in=finished.order_by().values("pk")):
        gained = won.get((pick.race_id, pick.driver_code), 0)
        points[pick.member_id] = points.get(pick.member_id, 0) + gained
    return points, finished.count()
