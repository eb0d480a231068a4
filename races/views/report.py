"""Report, replay and downloads of a race that has ended."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from tempfile import TemporaryFile

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render

from races.middleware.allowed_methods import allow_methods
from races.middleware.visitors import is_mine
from races.models import Race
from races.report import downloads, parquet, replay
from races.report.report import preview_png, report
from races.report.timeline import timeline
from races.sim import TICK_MS
from races.views.query import whole_number

PARQUET = "application/vnd.apache.parquet"


def _ended(race_id: uuid.UUID) -> Race:
    """A race with something to show again. What is still going on has no replay: it would tell how it ends."""
    race = get_object_or_404(Race, pk=race_id)
    if race.is_active or race.recorded_tick < 0:
        raise Http404("no replay")
    return race


def report_page(request: HttpRequest, race: Race) -> HttpResponse:
    asked, against = request.GET.getlist("drivers"), request.GET.get("against", "average")
    context = report(race, asked, against)
    context |= {"mine": is_mine(request, race), "parquet": parquet.is_available()}
    return render(request, "races/report.html", context)


@allow_methods("GET")
def preview(request: HttpRequest, race_id: uuid.UUID) -> HttpResponse:
    """The picture of a report for sites that show where a link leads: it never changes, so it is made once."""
    race = get_object_or_404(Race, pk=race_id)
    if race.is_active or race.recorded_tick < 0:
        raise Http404("no report yet")
    response = HttpResponse(preview_png(race), content_type="image/png")
    response["Cache-Control"] = "public, max-age=86400"
    return response


@allow_methods("GET")
def download_csv(request: HttpRequest, race_id: uuid.UUID, what: str) -> HttpResponse:
    race = get_object_or_404(Race, pk=race_id)
    if what not in downloads.TABLES or race.is_active:
        raise Http404("no such table")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{downloads.name(race)}-{what}.csv"'
    downloads.write_csv(response, what, race)
    return response


@allow_methods("GET")
def download_parquet(request: HttpRequest, race_id: uuid.UUID, what: str) -> HttpResponseBase:
    race = get_object_or_404(Race, pk=race_id)
    if what not in downloads.TABLES or race.is_active:
        raise Http404("no such table")
    return _parquet(what, [race], f"{downloads.name(race)}-{what}")


@allow_methods("GET")
def download_all(request: HttpRequest, what: str, form: str) -> HttpResponseBase:
    """A table of all races that have ended, the newest first."""
    if what not in downloads.TABLES:
        raise Http404("no such table")
    races = Race.objects.ended().defer("frozen")
    if form == "parquet":
        return _parquet(what, races, f"races-{what}")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="races-{what}.csv"'
    downloads.write_all_csv(response, what, races)
    return response


def _parquet(what: str, races: Iterable[Race], name: str) -> HttpResponseBase:
    if not parquet.is_available():
        return HttpResponse(f"{parquet.MISSING}\n", status=501, content_type="text/plain; charset=utf-8")
    file = TemporaryFile()  # noqa: SIM115  # the response closes it
    parquet.write_parquet(file, what, races)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.parquet", content_type=PARQUET)


@allow_methods("GET")
def download_json(request: HttpRequest, race_id: uuid.UUID) -> HttpResponse:
    race = get_object_or_404(Race, pk=race_id)
    if race.is_active:
        raise Http404("not over yet")
    response = JsonResponse(downloads.whole(race), json_dumps_params={"indent": 1})
    response["Content-Disposition"] = f'attachment; filename="{downloads.name(race)}.json"'
    return response


@allow_methods("GET")
def replay_page(request: HttpRequest, race_id: uuid.UUID) -> HttpResponseBase:
    race = get_object_or_404(Race, pk=race_id)
    if race.is_active or race.recorded_tick < 0:
        return redirect(race)
    last = replay.last_tick(race)
    tick = whole_number(request, "tick", 0, 0, last)
    screen = replay.screen_at(race, tick)
    context = {
        "race": race,
        "mine": is_mine(request, race),
        "info": screen.info,
        "parts": screen.fragments(),
        "anomaly_on": race.anomaly_detection,
        "engine": settings.LAB.engine,
        "topics": settings.LAB.topics,
        "tick": tick,
        "last": last,
        "tick_ms": TICK_MS,
        "speeds": replay.SPEEDS,
        "timeline": timeline(race, last),
        "replaying": True,
    }
    return render(request, "races/replay.html", context)


@allow_methods("GET")
def replay_tick(request: HttpRequest, race_id: uuid.UUID, tick: int) -> HttpResponse:
    race = _ended(race_id)
    return _kept(HttpResponse(replay.snapshot(race, min(tick, replay.last_tick(race)))))


@allow_methods("GET")
def replay_on(request: HttpRequest, race_id: uuid.UUID, tick: int) -> HttpResponse:
    """The messages that take a page on from `tick`: GET step (ticks a frame) and count (frames)."""
    race = _ended(race_id)
    step = whole_number(request, "step", 1, 1, replay.LARGEST_STEP)
    count = whole_number(request, "count", 25, 1, replay.MOST_FRAMES)
    found = replay.messages(race, min(tick, replay.last_tick(race)), step, count)
    return _kept(JsonResponse({"messages": found}))


def _kept(response: HttpResponse) -> HttpResponse:
    """What was, stays; short, because a race may be deleted and Flink's last words come late."""
    response["Cache-Control"] = "private, max-age=60"
    return response
