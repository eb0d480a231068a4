"""The list of all races: newest first, by status and circuit."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Prefetch
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
    # what is not one of the choices is no filter
    status = request.GET.get("status", "")
    status = status if status in Race.Status.values else ""
    circuit = request.GET.get("circuit", "")
    circuit = circuit if circuit in circuit_slugs() else ""
    found = Race.objects.defer("frozen").filter(**dict(_chosen(status, circuit)))
    own = Entry.objects.filter(own=True)
    races = found.prefetch_related("results", Prefetch("entries", own, to_attr="own_entries"))
    page = Paginator(races, PAGE).get_page(request.GET.get("page"))
    numbers = list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))
    context = {
        "page": page,
        "rows": [_row(race) for race in page],
        "statuses": Race.Status.choices,
        "circuits": [(slug, load_circuit(slug).name) for slug in circuit_slugs()],
        "status": status,
        "circuit": circuit,
        "filter": "".join(f"&{name}={value}" for name, value in _chosen(status, circuit)),
        "pages": numbers,
    }
    return render(request, "races/history.html", context)


def _chosen(status: str, circuit: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in (("status", status), ("circuit", circuit)) if value]


def _row(race: Race) -> Row:
    results = {result.driver_code: result for result in race.results.all()}
    first = next((result for result in results.values() if result.position == 1), None)
    entries: list[Entry] = race.own_entries  # type: ignore[attr-defined]  # Prefetch above adds it
    colour = entries[0].colour if entries else "#8a93a3"
    return Row(race, colour, first, results.get(race.driver_code))
