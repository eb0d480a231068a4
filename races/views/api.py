"""The JSON interface: the grid, the races, one race as it stands."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse

from races.lib.tracing import STAGES, tracer
from races.live.service import service
from races.middleware.allowed_methods import allow_methods
from races.models import Race
from races.recorder.reader import last_frame
from races.sim import load_season

CAR = (
    "position", "driver_code", "driver_name", "team_name", "gap_s", "interval_s", "last_lap_s", "best_lap_s",
    "average_speed_kmh", "tyre", "stops", "status",
)  # fmt: skip
LISTED = 200


@allow_methods("GET")
def drivers(request: HttpRequest) -> JsonResponse:
    season = load_season()
    colours = {team.name: team.colour for team in season.teams}
    rows = [
        {
            "driver_code": driver.code,
            "driver_name": driver.name,
            "number": driver.number,
            "team_name": driver.team,
            "team_colour": colours[driver.team],
        }
        for driver in season.drivers
    ]
    return JsonResponse({"season": season.year, "drivers": rows})


@allow_methods("GET")
def races(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"races": [_summary(race) for race in _without_drawing()[:LISTED]]})


@allow_methods("GET")
def race(request: HttpRequest, race_id: uuid.UUID) -> JsonResponse:
    found = _without_drawing().filter(pk=race_id).first()
    if found is None:
        return JsonResponse({"error": "There is no such race."}, status=404)
    cars, tick, lap = _cars(found)
    classified = [_car(vars(result)) for result in found.results.all()]
    body = _summary(found) | {
        "tick": tick,
        "lap": lap,
        "leaderboard": cars or classified,
        "classification": classified,
    }
    return JsonResponse(body)


@allow_methods("GET")
def trace(request: HttpRequest, race_id: uuid.UUID) -> JsonResponse:
    """Where each of the newest ticks' time went in this process: seconds on the monotonic clock, by stage. Where the
    worker is another process, a tick was due at its event time, which is on its records."""
    ticks = tracer.stages_of(str(race_id))
    apart = not any("simulated" in stages for stages in ticks.values())
    race = Race.objects.filter(pk=race_id, started_ms__isnull=False).first() if ticks and apart else None
    if race is not None:
        _add_due(race, ticks)
    rows = [{"tick": tick} | stages for tick, stages in ticks.items()]
    return JsonResponse({"stages": STAGES, "worker_elsewhere": apart, "ticks": rows})


def _add_due(race: Race, ticks: dict[int, dict[str, float]]) -> None:
    ahead = time.time() - time.monotonic()  # of the wall clock
    for tick, stages in ticks.items():
        stages["due"] = race.event_ms(tick) / 1000 - ahead


def _without_drawing() -> QuerySet[Race]:
    """The circuit's outline is 10 kB a race, and nobody here asks for it."""
    return Race.objects.defer("frozen")


def _summary(race: Race) -> dict[str, Any]:
    return {
        "id": str(race.pk),
        "status": race.status,
        "reason": race.status_reason,
        "waiting_for": race.waiting_for,
        "driver_code": race.driver_code,
        "circuit": race.circuit,
        "laps": race.laps,
        "pace": race.pace,
        "seed": race.seed,
        "incidents": race.incidents,
        "created_at": race.created_at.isoformat(),
        "tick": max(race.recorded_tick, race.published_tick),
        "lap": race.lap,
        "missing_ticks": race.missing_ticks,
        "url": race.get_absolute_url(),
    }


def _cars(race: Race) -> tuple[list[dict[str, Any]], int, int]:
    """The board as far as this process knows it: live, else the stream's newest tick, else history."""
    live = service()
    frame = live.frame(str(race.pk))
    if frame is None and race.is_active:
        records = sorted(live.newest(str(race.pk)), key=lambda record: record["position"])
        if records:
            averages = _averages(race)
            cars = [_car({**r, "average_speed_kmh": averages.get(r["driver_name"])}) for r in records]
            return cars, records[0]["tick"], records[0]["lap"]
    frame = frame or last_frame(race)
    if frame is None:
        return [], race.published_tick, race.lap
    shown: Iterable[Any] = frame["cars"]
    return [_car(car) for car in shown], frame["tick"], frame["lap"]


def _averages(race: Race) -> dict[str, float | None]:
    """As the history has them, a second or two old: of a race that nobody watches nobody keeps them newer."""
    frame = last_frame(race)
    return {car["driver_name"]: car["average_speed_kmh"] for car in frame["cars"]} if frame else {}


def _car(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in CAR}
