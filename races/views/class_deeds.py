"""What a teacher does on the page of a class. Each deed is a function of the request and the class."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from races.middleware.visitors import is_here
from races.models import Classroom, Member, Race
from races.models.classes import remove, start_class_race


def may_make(request: HttpRequest) -> bool:
    """A class decides who starts races here, so it is made by whoever sits at the lab's own machine, or by staff."""
    return is_here(request) or bool(request.user.is_staff)


def start(request: HttpRequest, classroom: Classroom) -> None:
    """Raises LimitReached."""
    start_class_race(classroom, request.POST.get("once", "")[:40])


def stop(request: HttpRequest, classroom: Classroom) -> None:
    """Shows the red flag in the race of the class."""
    classroom.races.active().request_stop()


def stop_all(request: HttpRequest, classroom: Classroom) -> None:
    """Stops every race of the lab, where the teacher is at its machine or is staff; else those of the class and of its
    members.
    """
    if may_make(request):
        Race.objects.request_stop()
        return
    stop(request, classroom)
    clients = classroom.members.values("client")
    Race.objects.filter(client__in=clients).request_stop()


def stop_own(request: HttpRequest, classroom: Classroom) -> None:
    """Stops the races that one member started."""
    if member := _member(request, classroom):
        Race.objects.filter(client=member.client).request_stop()


def take_off(request: HttpRequest, classroom: Classroom) -> None:
    """Takes a name off the list."""
    if member := _member(request, classroom):
        remove(member)


def _member(request: HttpRequest, classroom: Classroom) -> Member | None:
    number = request.POST.get("member", "")
    known = number.isascii() and number.isdigit() and len(number) < 16
    return classroom.members.filter(pk=int(number)).first() if known else None


def entry(request: HttpRequest, classroom: Classroom) -> None:
    """Closes the entry, or opens it again."""
    classroom.is_open = not classroom.is_open
    classroom.save(update_fields=["is_open"])


def for_members_only(request: HttpRequest, classroom: Classroom) -> None:
    """Lets only members start races of their own, or everybody again."""
    classroom.members_only = not classroom.members_only
    classroom.save(update_fields=["members_only"])


def forget(request: HttpRequest, classroom: Classroom) -> HttpResponse:
    """Deletes the class with its names and picks. Its races stay in the history."""
    classroom.delete()
    return redirect("classes")


DEEDS: dict[str, Callable[[HttpRequest, Classroom], HttpResponse | None]] = {
    "start": start,
    "stop": stop,
    "stop-all": stop_all,
    "stop-own": stop_own,
    "remove": take_off,
    "entry": entry,
    "members-only": for_members_only,
    "forget": forget,
}
