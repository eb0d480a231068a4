"""The JSON interface: the grid, the races, one race as it stands."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Query
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer

from races.lib.tracing import STAGES, tracer
from races.live.service import service
from races.models import ApiToken, Race
from races.models.creation import Choice, InvalidChoice, LimitReached, create_race
from races.models.tokens import TokenExpired, token_of
from races.recorder.reader import last_frame
from races.report.standings import standings as standings_over
from races.sim import load_season
from races.views.api_schemas import (
    ErrorOut,
    GridOut,
    RaceDetailOut,
    RaceIn,
    RaceOut,
    RacesAsked,
    RacesOut,
    StandingsAsked,
    StandingsOut,
    TraceOut,
)
from races.views.standings import chosen

CAR = (
    "position", "driver_code", "driver_name", "team_name", "gap_s", "interval_s", "last_lap_s", "best_lap_s",
    "average_speed_kmh", "tyre", "stops", "status",
)  # fmt: skip


class LabAPI(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> Any:
        """HEAD goes with every GET and needs no page of its own."""
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            operations.pop("head", None)
        return schema


api = LabAPI(
    title="F1 streaming lab",
    version="1",
    description="The grid, the races, one race as it stands. Reading needs no login; starting a race needs a token "
    "that `python manage.py create_api_token NAME` makes.",
    docs_url="docs",
    openapi_url="openapi.json",
)
READ = ["GET", "HEAD"]


class Token(HttpBearer):
    """Authorization: Bearer …, with a token that create_api_token made."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        return token_of(token)


@api.exception_handler(AuthenticationError)
def _no_token(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    words = "This needs a token: Authorization: Bearer …; python manage.py create_api_token NAME makes one."
    return _refusal(401, words)


@api.exception_handler(TokenExpired)
def _expired(request: HttpRequest, error: TokenExpired) -> HttpResponse:
    return _refusal(401, f"{error} python manage.py create_api_token NAME makes another.")


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    field = str(first["loc"][-1])
    return _refusal(422, f"'{field}': {first['msg']}.", field)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    words = "The body is no JSON." if error.status_code == 400 else str(error)
    return _refusal(error.status_code, words)


def _refusal(status: int, words: str, field: str = "") -> JsonResponse:
    response = JsonResponse({"error": words} | ({"field": field} if field else {}), status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.api_operation(READ, "/drivers/", response=GridOut, summary="The grid")
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


@api.api_operation(
    READ, "/races/", response={200: RacesOut, 404: ErrorOut}, summary="The races, the newest first"
)
def races(request: HttpRequest, asked: Query[RacesAsked]) -> JsonResponse:
    wanted = {"status": asked.status, "driver_code": asked.driver.upper(), "circuit": asked.circuit}
    found = _without_drawing().filter(**{name: value for name, value in wanted.items() if value})
    paginator = Paginator(found, asked.per_page)
    page = asked.page
    if page > paginator.num_pages:
        return _refusal(404, f"There is no page {page}; the last one is {paginator.num_pages}.")
    rows = [_summary(race) for race in paginator.page(page)]
    return JsonResponse({"races": rows, "count": paginator.count, "page": page, "pages": paginator.num_pages})


@api.post(
    "/races/",
    auth=Token(),
    response={201: RaceOut, 401: ErrorOut, 422: ErrorOut, 429: ErrorOut},
    summary="Start a race",
)
def start(request: HttpRequest, body: RaceIn) -> JsonResponse:
    given = body.model_dump(exclude_none=True) | {"driver": body.driver.upper()}
    try:
        race = create_race(Choice(**given), client=request.auth.client)  # type: ignore[attr-defined]  # Token sets it
    except InvalidChoice as error:
        return _refusal(422, str(error), error.field)
    except LimitReached as error:
        return _refusal(429, str(error))
    response = JsonResponse(_summary(race), status=201)
    response["Location"] = f"/api/races/{race.pk}/"
    return response


@api.api_operation(
    READ,
    "/races/{uuid:race_id}/",
    response={200: RaceDetailOut, 404: ErrorOut},
    summary="One race as it stands",
)
def race(request: HttpRequest, race_id: uuid.UUID) -> JsonResponse:
    found = _without_drawing().filter(pk=race_id).first()
    if found is None:
        return _refusal(404, "There is no such race.")
    cars, tick, lap = _cars(found)
    classified = [_car(vars(result)) for result in found.results.all()]
    body = _summary(found) | {
        "tick": tick,
        "lap": lap,
        "leaderboard": cars or classified,
        "classification": classified,
    }
    return JsonResponse(body)


@api.api_operation(
    READ, "/races/{uuid:race_id}/trace/", response=TraceOut, summary="Where its ticks' time went"
)
def trace(request: HttpRequest, race_id: uuid.UUID) -> JsonResponse:
    """Returns the instants of each of the newest ticks in this process: seconds on the monotonic clock, by stage. Where
    the worker is another process, a tick was due at its event time, which is on its records."""
    ticks = tracer.stages_of(str(race_id))
    apart = not any("simulated" in stages for stages in ticks.values())
    race = Race.objects.filter(pk=race_id, started_ms__isnull=False).first() if ticks and apart else None
    if race is not None:
        ahead = time.time() - time.monotonic()  # of the wall clock
        for tick, stages in ticks.items():
            stages["due"] = race.event_ms(tick) / 1000 - ahead
    rows = [{"tick": tick} | stages for tick, stages in ticks.items()]
    return JsonResponse({"stages": STAGES, "worker_elsewhere": apart, "ticks": rows})


@api.api_operation(
    READ, "/standings/", response=StandingsOut, summary="Drivers and teams by points over several races"
)
def standings(request: HttpRequest, asked: Query[StandingsAsked]) -> JsonResponse:
    found = standings_over(chosen(asked.since, asked.until, asked.circuit))
    tables = {"drivers": found.drivers, "teams": found.teams}
    body = {
        name: [
            {
                "position": one.position,
                "driver_code": one.code,
                "name": one.name,
                "team_name": one.team,
                "points": one.points,
                "wins": one.wins,
                "podiums": one.podiums,
                "best": one.best,
                "races": one.races,
            }
            for one in rows
        ]
        for name, rows in tables.items()
    }
    return JsonResponse({"races": found.races, **body})


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
            # of a race that nobody watches, nobody keeps averages newer than the history's: a second or two old
            old = last_frame(race)
            averages = {car["driver_name"]: car["average_speed_kmh"] for car in old["cars"]} if old else {}
            cars = [_car({**r, "average_speed_kmh": averages.get(r["driver_name"])}) for r in records]
            return cars, records[0]["tick"], records[0]["lap"]
    frame = frame or last_frame(race)
    if frame is None:
        return [], race.published_tick, race.lap
    # The last average of a race may come after its last frame: then the report has it, and this says the same.
    results = [] if race.is_active else race.results.values_list("driver_name", "average_speed_kmh")
    final = {name: speed for name, speed in results if speed is not None}
    cars = [_car(car) for car in frame["cars"]]
    for car in cars:
        car["average_speed_kmh"] = final.get(car["driver_name"], car["average_speed_kmh"])
    return cars, frame["tick"], frame["lap"]


def _car(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in CAR}
