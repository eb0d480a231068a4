"""A class: made by a teacher, joined by its code; one race runs for all, and the board says who has whom."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from races.forms import ClassForm
from races.lab.addresses import room_address
from races.lib.names import LONGEST, BadName
from races.lib.rate_limit import RateLimiter
from races.live.service import service
from races.middleware.allowed_methods import allow_methods
from races.models import Classroom, Race
from races.models.classes import join, make_class, saw
from races.models.creation import (
    DEFAULT_CIRCUIT,
    PACES,
    LimitReached,
    anomalies_can_be_chosen,
    anomalies_wanted,
)
from races.report.class_board import board_of
from races.sim import DEFAULT_PACE, circuit_slugs, default_laps, load_circuit, load_season
from races.views.class_deeds import DEEDS, may_make

JOINING = RateLimiter(burst=60, rate=2)  # names a second in this process: a room joins in one minute
TOO_FAST = "Many people join just now. Try it again in a moment."
NOT_YOURS = "Only who made this class, or staff, may do that.\n"


def visitor(request: HttpRequest) -> str:
    return str(request.client_id)  # type: ignore[attr-defined]  # ClientMiddleware adds it


def teaches(request: HttpRequest, classroom: Classroom) -> bool:
    """Whether this visitor made the class, or is staff."""
    return classroom.client == visitor(request) or bool(request.user.is_staff)


@allow_methods("GET", "POST")
def classes(request: HttpRequest) -> HttpResponse:
    """The page where a class is made, or found by its letters."""
    form = ClassForm(request.POST) if request.method == "POST" else None
    words, status = "", 200
    if code := request.GET.get("code", "")[:20].strip().lower():
        if Classroom.objects.filter(code=code).exists():
            return redirect("class", code)
        words, status = "No class has these letters.", 404
    if form is not None:
        if not may_make(request):
            return HttpResponseForbidden(
                "A class is made on the lab's own machine, or by staff.\n", "text/plain"
            )
        status = 422
        if form.is_valid():
            try:
                data = form.cleaned_data
                return _see(make_class(form.choice, visitor(request), data["seeds"], data["members_only"]))
            except LimitReached as limit:
                words, status = str(limit), 429
    return render(request, "races/class/new.html", _making(request, form, words), status=status)


def _making(request: HttpRequest, form: ClassForm | None, words: str) -> dict[str, Any]:
    given = form.data if form is not None else request.GET
    chosen: dict[str, Any] = {
        name: given.get(name, "")[:200] for name in ("circuit", "laps", "pace", "seeds")
    }
    chosen["circuit"] = chosen["circuit"] or DEFAULT_CIRCUIT
    chosen["pace"] = chosen["pace"] or DEFAULT_PACE
    chosen["incidents"] = "incidents" in given if form is not None else True
    chosen["anomalies"] = "anomalies" in given if form is not None else anomalies_wanted(None)
    chosen["members_only"] = "members_only" in given
    mine = (
        Classroom.objects.all()
        if request.user.is_staff
        else Classroom.objects.filter(client=visitor(request))
    )
    joined = Classroom.objects.filter(members__client=visitor(request), members__removed=False)
    return {
        "form": form,
        "chosen": chosen,
        "words": words,
        "circuits": [(load_circuit(slug), default_laps(slug)) for slug in circuit_slugs()],
        "pace_min": PACES[0],
        "pace_max": PACES[1],
        "may_make": may_make(request),
        "can_choose_anomalies": anomalies_can_be_chosen(),
        "classes": (mine | joined).distinct(),
    }


@allow_methods("GET")
def page(request: HttpRequest, code: str) -> HttpResponse:
    return _page(request, get_object_or_404(Classroom, code=code.lower()))


def _page(request: HttpRequest, classroom: Classroom, words: str = "", status: int = 200) -> HttpResponse:
    saw(visitor(request))
    context = _shown(request, classroom) | {
        "words": words,
        "typed": request.POST.get("name", "")[: 2 * LONGEST],
        "longest": LONGEST,
        "teams": _teams(),
        "address": room_address(request),
    }
    response = render(request, "races/class/page.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@allow_methods("GET")
def now(request: HttpRequest, code: str) -> HttpResponse:
    """The board alone, which the page's script asks for every few seconds."""
    classroom = get_object_or_404(Classroom, code=code.lower())
    saw(visitor(request))
    response = render(request, "races/class/_board.html", _shown(request, classroom))
    response["Cache-Control"] = "no-store"
    return response


def _shown(request: HttpRequest, classroom: Classroom) -> dict[str, Any]:
    colours = {driver.code: team.colour for team, drivers in _teams() for driver in drivers}
    big = request.GET.get("screen") == "big"
    teaching = teaches(request, classroom) and not big  # a projector shows no buttons
    board = board_of(classroom, visitor(request), colours)
    context = {
        "classroom": classroom,
        "board": board,
        "me": next((row for row in board.rows if row.mine), None),
        "teaching": teaching,
        "big": big,
        "next_seed": classroom.seed_of_race(board.races),
    }
    if teaching:
        active = Race.objects.active()
        context |= {
            "active": active.count(),
            "queued": active.filter(status=Race.Status.QUEUED).count(),
            "late_s": service().pipeline().behind_s,
            "pages": service().hub.count(),
        }
    return context


def _teams() -> list[tuple[Any, list[Any]]]:
    season = load_season()
    return [(team, [one for one in season.drivers if one.team == team.name]) for team in season.teams]


@allow_methods("POST")
def join_class(request: HttpRequest, code: str) -> HttpResponse:
    """Puts a name on the board, or changes one's own: POST name, driver."""
    classroom = get_object_or_404(Classroom, code=code.lower())
    if not JOINING.allow():
        return _page(request, classroom, TOO_FAST, 429)
    try:
        driver = request.POST.get("driver", "")[:3].upper()
        join(classroom, visitor(request), request.POST.get("name", ""), driver)
    except ValidationError as error:
        return _page(request, classroom, " ".join(error.messages), 422)
    except BadName as error:
        return _page(request, classroom, str(error), 422)
    except LimitReached as error:
        return _page(request, classroom, str(error), 403)
    return _see(classroom)


@allow_methods("POST")
def teach(request: HttpRequest, code: str) -> HttpResponse:
    """What only the teacher does: POST do, and member where it is about one."""
    classroom = get_object_or_404(Classroom, code=code.lower())
    if not teaches(request, classroom):
        return HttpResponseForbidden(NOT_YOURS, "text/plain; charset=utf-8")
    deed = DEEDS.get(request.POST.get("do", ""))
    try:
        if deed is None:
            return _page(request, classroom, "The page is too old. Reload it.", 422)
        return deed(request, classroom) or _see(classroom)
    except LimitReached as error:
        return _page(request, classroom, str(error), 429)


def _see(classroom: Classroom) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": reverse("class", args=[classroom.code])})
