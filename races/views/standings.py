"""The page of standings over several races: all of them, those of a day, of a circuit."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date

from races.middleware.allowed_methods import allow_methods
from races.models import Race, RaceQuerySet
from races.report import parquet
from races.report.standings import standings
from races.sim import circuit_slugs, load_circuit


@allow_methods("GET")
def page(request: HttpRequest) -> HttpResponse:
    """What is no date or no circuit is no filter, and the form shows it empty."""
    since, until = _day(request, "since"), _day(request, "until")
    circuit = request.GET.get("circuit", "")
    circuit = circuit if circuit in circuit_slugs() else ""
    found = standings(chosen(since, until, circuit))
    context = {
        "standings": found,
        "since": since.isoformat() if since else "",
        "until": until.isoformat() if until else "",
        "circuit": circuit,
        "parquet": parquet.is_available(),
        "circuits": [(slug, load_circuit(slug).name) for slug in circuit_slugs()],
    }
    return render(request, "races/standings.html", context)


def chosen(since: date | None, until: date | None, circuit: str) -> RaceQuerySet:
    """The races of these days, both included, in UTC."""
    wanted = {"created_at__date__gte": since, "created_at__date__lte": until, "circuit": circuit}
    return Race.objects.filter(**{name: value for name, value in wanted.items() if value})


def _day(request: HttpRequest, name: str) -> date | None:
    try:
        return parse_date(request.GET.get(name, "")[:10])
    except ValueError:  # 31 February
        return None
