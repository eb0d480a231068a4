"""The pages. Rules about races are elsewhere; a view reads, asks and renders."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect, render

from races.forms import RaceForm
from races.live.service import service
from races.middleware.allowed_methods import allow_methods
from races.middleware.visitors import is_mine
from races.models import Classroom, Race
from races.models.classes import may_start, names_of, saw
from races.models.creation import (
    DEFAULT_CIRCUIT,
    PACES,
    LimitReached,
    anomalies_can_be_chosen,
    anomalies_wanted,
    create_race,
)
from races.sim import DEFAULT_PACE, circuit_slugs, default_laps, load_circuit, load_season
from races.views.class_deeds import may_make
from races.views.race_list import history
from races.views.report import report_page

PAGE, SHOWN = 30, 3  # races on now: listed, and before one asks for the others
MEMBERS_ONLY = "A class races here, and only its members start races of their own. Join it first."


def _choosing(request: HttpRequest, form: RaceForm | None = None, words: str = "") -> dict[str, Any]:
    season = load_season()
    circuits = [load_circuit(slug) for slug in circuit_slugs()]
    # What the form shows: what was typed, or a set-up kept in the address, or the default race
    given = request.POST if form is not None else request.GET
    names = ("driver", "circuit", "laps", "pace", "seed")
    chosen: dict[str, Any] = {name: given.get(name, "")[:40] for name in names}
    chosen["circuit"] = chosen["circuit"] or DEFAULT_CIRCUIT
    chosen["pace"] = chosen["pace"] or DEFAULT_PACE
    chosen["incidents"] = "incidents" in given if "incidents_asked" in given else True
    chosen["anomalies"] = "anomalies" in given if "anomalies_asked" in given else anomalies_wanted(None)
    running = _running(request)
    return {
        "form": form,
        "chosen": chosen,
        "words": words,
        "teams": [(team, [d for d in season.drivers if d.team == team.name]) for team in season.teams],
        "circuits": [{"circuit": circuit, "laps": default_laps(circuit.slug)} for circuit in circuits],
        "pace_min": PACES[0],
        "pace_max": PACES[1],
        "running": running[:SHOWN],
        "more": running[SHOWN:],
        "anomaly_on": settings.LAB.anomaly_detection,
        "can_choose_anomalies": anomalies_can_be_chosen(),
    }


def _running(request: HttpRequest) -> list[tuple[Race, bool, str]]:
    """The races that are on, the own ones first: each with whether it is one's own, and whose it is."""
    found = list(Race.objects.active().defer("frozen").select_related("classroom")[:PAGE])
    names = names_of({race.client for race in found})
    rows = [(race, is_mine(request, race), names.get(race.client, "")) for race in found]
    return sorted(rows, key=lambda row: not row[1])


@allow_methods("GET")
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "races/index.html", _choosing(request))


@allow_methods("GET", "POST")
def races(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return history(request)
    form = RaceForm(request.POST)
    if not form.is_valid():
        return render(request, "races/index.html", _choosing(request, form), status=422)
    client: str = request.client_id  # type: ignore[attr-defined]  # ClientMiddleware adds it
    if not may_start(client) and not may_make(request):
        return render(request, "races/index.html", _choosing(request, form, MEMBERS_ONLY), status=403)
    try:
        race = create_race(form.choice, client, request.POST.get("once", "")[:40])
    except LimitReached as limit:
        return render(request, "races/index.html", _choosing(request, form, str(limit)), status=429)
    response = redirect(race)
    response.status_code = 303
    return response


def can_stop(request: HttpRequest, race: Race) -> bool:
    return race.is_active and (is_mine(request, race) or request.user.is_staff)


@allow_methods("GET")
def race(request: HttpRequest, race_id: uuid.UUID) -> HttpResponse:
    # a room opens this page at once: what is frozen is large, and the live service has it at hand
    found = get_object_or_404(Race.objects.defer("frozen").select_related("classroom"), pk=race_id)
    if not found.is_active:
        return report_page(request, found)
    page = service().page(found)
    picks = list(found.picks.select_related("member")) if found.classroom_id else []
    client: str = request.client_id  # type: ignore[attr-defined]  # ClientMiddleware adds it
    if picks:
        saw(client)
    context = {
        "race": found,
        "info": page.info,
        "frame": page.frame,
        "parts": page.parts,
        "results": found.results.all(),
        "can_stop": can_stop(request, found),
        "mine": is_mine(request, found),
        "picks": [pick for pick in picks if not pick.member.removed],
        "pick": next((pick.driver_code for pick in picks if pick.member.client == client), ""),
        "anomaly_on": found.anomaly_detection,
        "engine": settings.LAB.engine,
        "engine_live": settings.LAB.engine == "flink" and settings.LAB.flink is not None,
        "topics": settings.LAB.topics,
    }
    return render(request, "races/race.html", context)


@allow_methods("GET")
def join(request: HttpRequest, code: str) -> HttpResponse:
    """The short address on the big screen, of a class or of a race."""
    if Classroom.objects.filter(code=code.lower()).exists():
        return redirect("class", code.lower())
    found = Race.objects.with_short_code(code).first()
    if found is None:
        raise Http404("no such race")
    return redirect(found)


@allow_methods("POST")
def stop(request: HttpRequest, race_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Race, pk=race_id)
    if not is_mine(request, found) and not request.user.is_staff:
        return HttpResponseForbidden("Only who started this race, or staff, may stop it.")
    Race.objects.filter(pk=race_id).request_stop()
    response = redirect(found)
    response.status_code = 303
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Plain words: a page would ask for the very host or form that is wrong."""
    if isinstance(exception, RequestDataTooBig):
        return HttpResponse("That is more than this lab reads.\n", "text/plain", 413)
    if isinstance(exception, DisallowedHost):
        words = "This lab does not go by the name in the address. Its names are in DJANGO_ALLOWED_HOSTS.\n"
        return HttpResponse(words, "text/plain", 400)
    return HttpResponse("That is no request that this lab understands.\n", "text/plain", 400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form that was refused, with what to do about it."""
    origin = request.headers.get("Origin", "")[:200]
    if reason.startswith("Origin checking failed") and origin.isprintable():
        words = (
            f"This form came from {origin}, which is not an address of this lab. If you did open the lab there, "
            "through a proxy or a forwarded port, start it with\n\n"
            f"    DJANGO_CSRF_TRUSTED_ORIGINS={origin}\n"
        )
    else:
        words = "The page of this form is too old, or cookies are switched off. Go back, reload it and try again.\n"
    return HttpResponseForbidden(words, "text/plain; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "races/not_found.html", status=404)
