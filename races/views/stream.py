"""The stream itself: the record behind a number of the page, and a topic's newest records as they come."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from math import ceil
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect, render

from races.lab import components
from races.live.inspector import Inspection, Inspector, NoRecord
from races.live.service import service
from races.live.stream_watch import stream_watch
from races.middleware.allowed_methods import allow_methods
from races.middleware.visitors import is_here
from races.models import Race
from races.streams import connection
from races.streams.errors import BrokerUnavailable, RegistryUnavailable
from races.streams.topics import ROLES, TOPICS
from races.views.query import whole_number
from races.worker.drills import DRILLS

AT_ONCE = threading.BoundedSemaphore(2)  # each look asks Kafka: a room may not keep it from its race
SHOWN = 200  # characters of a cell
CODE = re.compile("[A-Z]{3}")
CELLS = (
    ("pos", "position"), ("won", "places"), ("gap", "gap"), ("int", "interval"), ("last", "last lap"),
    ("best", "best lap"), ("s1", "S1"), ("s2", "S2"), ("s3", "S3"), ("tyre", "tyre"), ("plan", "stints"),
    ("dot", "map"), ("speed", "average speed"), ("engine", "engine"),
)  # fmt: skip
LAST = 2**53


@allow_methods("GET")
def record_behind(request: HttpRequest, race_id: uuid.UUID) -> HttpResponse:
    """Shows the record behind a cell: GET cell (its name on the page), tick, shown (its text)."""
    race = get_object_or_404(Race, pk=race_id)
    cell = request.GET.get("cell", "")[:SHOWN]
    tick = whole_number(request, "tick", max(race.published_tick, 0), 0, LAST)
    shown = request.GET.get("shown", "")[:SHOWN]
    return _looked(request, race, lambda inspector: inspector.behind(race, cell, tick, shown))


@allow_methods("GET")
def record(request: HttpRequest, race_id: uuid.UUID, role: str, partition: int, offset: int) -> HttpResponse:
    """Shows one record, by its place in Kafka."""
    race = get_object_or_404(Race, pk=race_id)
    if role not in TOPICS or max(partition, offset) > LAST:
        raise Http404("no such topic")
    return _looked(request, race, lambda inspector: inspector.at(race, role, partition, offset))


def _looked(request: HttpRequest, race: Race, look: Callable[[Inspector], Inspection]) -> HttpResponse:
    """Answers with what was found, or with why nothing was: a part of a page, or a page of its own."""
    found, words, status = None, "", 200
    if not AT_ONCE.acquire(timeout=5):
        words, status = "Many people look inside just now. Try it again in a moment.", 503
    else:
        try:
            partition = service().feed.partition_of(str(race.pk))
            found = look(Inspector(connection.current(), settings.LAB.engine, partition))
        except NoRecord as error:
            words, status = str(error), 404
        except (BrokerUnavailable, RegistryUnavailable, connection.NoKafka) as error:
            words, status = str(error), 503
        finally:
            AT_ONCE.release()
    template = "races/stream/_record.html" if "part" in request.GET else "races/stream/record.html"
    cell = request.GET.get("cell", "")[:SHOWN]
    who = cell.partition("-")[2]
    others = [(f"{name}-{who}", label) for name, label in CELLS] if CODE.fullmatch(who) else []
    context = {"race": race, "found": found, "words": words, "cell": cell, "others": others}
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@allow_methods("GET")
def stream_page(request: HttpRequest, race_id: uuid.UUID) -> HttpResponse:
    return _stream(request, race_id, "races/stream/page.html")


@allow_methods("GET")
def stream_now(request: HttpRequest, race_id: uuid.UUID) -> HttpResponse:
    """The changing parts of the page alone, which its script asks for once a second."""
    return _stream(request, race_id, "races/stream/_now.html")


def _stream(request: HttpRequest, race_id: uuid.UUID, template: str) -> HttpResponse:
    race = get_object_or_404(Race, pk=race_id)
    role = request.GET.get("topic", "positions")
    role = role if role in ROLES else "positions"
    wanted = request.GET.get("find", "")[:40]
    context = {
        "race": race,
        "role": role,
        "find": wanted,
        "roles": [(name, settings.LAB.topics[name]) for name in ROLES],
        "engine": settings.LAB.engine,
    }
    context |= _drills(request)
    try:
        context["now"] = stream_watch().look(str(race.pk), role, wanted, settings.LAB.engine)
        if template.endswith("page.html"):
            context["versions"] = connection.current().versions(role, "value")
    except (BrokerUnavailable, RegistryUnavailable, connection.NoKafka) as error:
        context["words"] = str(error)
    response = render(request, template, context)
    response["Cache-Control"] = "no-store"
    return response


def _drills(request: HttpRequest) -> dict[str, Any]:
    """The drills, for who may begin them, and the one that is on, for everybody."""
    here = components.current()
    if here is None:
        return {}
    lag = here.analytics.lag(here.ends()).records if here.analytics else 0
    context: dict[str, Any] = {"unread": lag, "drills": DRILLS.values() if _may_drill(request) else ()}
    if (now := here.drills.current()) is not None:
        context |= {"drill": now[0], "drill_left_s": ceil(now[1])}
    return context


def _may_drill(request: HttpRequest) -> bool:
    """Only on a lab of one's own: its embedded Kafka is nobody else's, and who asks sits at it or is staff."""
    here = components.current()
    own = here is not None and here.kafka.settings.embedded
    return own and (is_here(request) or bool(request.user.is_staff))


@allow_methods("POST")
def drill(request: HttpRequest, race_id: uuid.UUID) -> HttpResponse:
    """Begins a drill, or ends the one that is on: POST kind, empty to end it."""
    get_object_or_404(Race, pk=race_id)
    here = components.current()
    if here is None or not _may_drill(request):
        words = "Drills are for a lab of one's own: open it on its own machine, or log in as staff.\n"
        return HttpResponseForbidden(words, "text/plain; charset=utf-8")
    kind = request.POST.get("kind", "")
    if kind in DRILLS:
        here.drills.begin(kind)
    else:
        here.drills.end()
    response = redirect("stream", race_id)
    response.status_code = 303
    return response
