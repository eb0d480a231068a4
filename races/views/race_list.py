"""The list of all races: newest first, by status and circuit."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from races.models import Entry, Race, Result
from races.sim import circuit_slugs, load_circuit

PAGE = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A race with what the list says of it: its winner, or who led when it was stopped, and how the own driver did."""

    race: Race
    colour: str
    first: Result | None
    own: Result | None


def history(request: HttpRequest) -> HttpResponse:
    status, circuit = _asked(request)
    page = Paginator(_races(status, circuit), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(race) for race in page],
        "statuses": Race.Status.choices,
        "circuits": [(slug, load_circuit(slug).name) for slug in circuit_slugs()],
        "status": status,
        "circuit": circuit,
        "filter": "".join(f"&{name}={value}" for name, value in _chosen(status, circuit)),
        "pages": _numbers(page),
    }
    return render(request, "races/history.html", context)


def _asked(request: HttpRequest) -> tuple[str, str]:
    """What is not one of the choices is no filter."""
    status, circuit = request.GET.get("status", ""), request.GET.get("circuit", "")
    return status if status in Race.Status.values else "", circuit if circuit in circuit_slugs() else ""


def _chosen(status: str, circuit: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in (("status", status), ("circuit", circuit)) if value]


def _races(status: str, circuit: str) -> QuerySet[Race]:
    found = Race.objects.defer("frozen").filter(**dict(_chosen(status, circuit)))
    own = Entry.objects.filter(own=True)
    return found.prefetch_related("results", Prefetch("entries", own, to_attr="own_entries"))


def _row(race: Race) -> Row:
    results = {result.driver_code: result for result in race.results.all()}
    first = next((result for result in results.values() if result.position == 1), None)
    entries: list[Entry] = race.own_entries  # type: ignore[attr-defined]  # Prefetch above adds it
    colour = entries[0].colour if entries else "#8a93a3"
    return Row(race, colour, first, results.get(race.driver_code))


def _numbers(page: Page[Race]) -> list[int | str]:
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))
