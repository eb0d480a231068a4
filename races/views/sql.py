"""/sql/: the SQL workspace. For whoever sits at the lab's machine, and for staff; it answers its own page only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from races.lab import workspace
from races.middleware.allowed_methods import allow_methods
from races.middleware.visitors import is_here
from races.models import Race
from races.sql.catalogue import catalogue
from races.sql.examples import examples
from races.sql.service import BEGINNING, NOW, RACE, Start
from races.sql.statements import LONGEST, NotAllowed, touched
from races.sql.workspace import TooMany
from races.streams.connection import NoKafka

WAIT_S = 15.0
MOST_SEEN = 200
NOT_YOURS = "The SQL workspace is for whoever runs this lab, on its own machine, and for staff."
View = Callable[..., HttpResponse]


def for_the_lab_s_people(view: View) -> View:
    """Loopback or staff, and asked by the lab's own pages or by no page at all."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # a browser says where a request comes from; a link from elsewhere may open the page itself
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.get_host()
        site = request.headers.get("Sec-Fetch-Site", "none")
        opens_page = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method == "GET"
        if foreign or not (site in ("same-origin", "none") or opens_page):
            return _refused("Only the lab's own pages may ask that.", 403)
        if not is_here(request) and not request.user.is_staff:
            return render(request, "races/sql/away.html", {"lines": [NOT_YOURS], "login": True}, status=403)
        if lines := workspace.why_not():
            return render(request, "races/sql/away.html", {"lines": lines})
        try:
            return view(request, *args, **kwargs)
        except NoKafka as error:
            return render(request, "races/sql/away.html", {"lines": [str(error)]}, status=503)

    return checked


def person(request: HttpRequest) -> str:
    """One session for each: staff by their account, others by their browser."""
    return f"staff-{request.user.pk}" if request.user.is_staff else str(request.client_id)  # type: ignore[attr-defined]


@allow_methods("GET")
@for_the_lab_s_people
def page(request: HttpRequest) -> HttpResponse:
    names, current = settings.LAB.topics, workspace.current()
    about = current.service.about()
    if not about.trouble:
        current.warm(person(request))
    context = {
        "about": about,
        "tables": catalogue(names),
        "examples": examples(names),
        "limits": current.limits,
        "race": _newest_race(),
    }
    return render(request, "races/sql/page.html", context)


@allow_methods("POST")
@for_the_lab_s_people
def run(request: HttpRequest) -> HttpResponse:
    """Runs the statements of `text` that the selection from `cursor` to `until` touches, or EXPLAINs them; 201 with
    their ids. The first that is not allowed ends it."""
    text = request.POST.get("text", "").replace("\r\n", "\n")  # a form sends line ends in its own way
    if len(text) > 5 * LONGEST:
        return _refused(f"The text is longer than {5 * LONGEST:,} characters.")
    cursor = _number(request.POST.get("cursor", ""), len(text))
    pieces = touched(text, cursor, _number(request.POST.get("until", ""), cursor))
    if not pieces:
        return _refused("There is no statement here. Write one, or take an example.")
    explain, mode = "explain" in request.POST, request.POST.get("from", "")
    race = _newest_race() if mode == RACE else None
    start = Start(NOW if mode == NOW else BEGINNING)
    if race is not None and race.started_ms is not None:
        start = Start(RACE, race.started_ms)
    made: list[int] = []
    for piece in pieces:
        try:
            made.append(workspace.current().run(person(request), piece, start, explain).id)
        except NotAllowed as error:
            return _refused(str(error), ids=made, place=[piece.start, piece.start + len(piece.sql)])
        except TooMany as error:
            return _refused(str(error), 429, ids=made)
    return JsonResponse({"ids": made}, status=201)


def _refused(words: str, status: int = 422, **more: Any) -> JsonResponse:
    return JsonResponse({"error": words, **more}, status=status)


@allow_methods("GET")
@for_the_lab_s_people
def changes(request: HttpRequest) -> HttpResponse:
    """What is new for a page that says what it has: `seen` is id:count,id:count. Waits for something new."""
    current = workspace.current()
    version = _number(request.GET.get("version", ""), -1)
    wait = 0.0 if version < 0 else WAIT_S
    try:
        pairs = [pair.partition(":") for pair in request.GET.get("seen", "")[:4000].split(",")[:MOST_SEEN]]
        seen = {_number(one, 0): _number(count, 0) for one, _, count in pairs if one}
        found = current.look(person(request), seen, version, wait)
    except TooMany as error:
        return _refused(str(error), 429)
    about = current.service.about()
    found |= {
        "free": about.free,
        "slots": about.slots,
        "trouble": about.trouble,
        "leftovers": current.leftovers,
    }
    return JsonResponse(found)


@allow_methods("POST")
@for_the_lab_s_people
def stop(request: HttpRequest, statement_id: int) -> HttpResponse:
    workspace.current().stop(person(request), statement_id)
    return HttpResponse(status=204)


@allow_methods("POST")
@for_the_lab_s_people
def forget(request: HttpRequest, statement_id: int) -> HttpResponse:
    workspace.current().forget(person(request), statement_id)
    return HttpResponse(status=204)


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else otherwise


def _newest_race() -> Race | None:
    started = Race.objects.filter(started_ms__isnull=False).defer("frozen")
    return started.order_by("-started_ms").first()
