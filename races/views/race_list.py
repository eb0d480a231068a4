"""The list of all races: newest first, by status, circuit, seed, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from races.lib.names import LONGEST
from races.models import Entry, Member, Pick, Race, RaceQuerySet, Result
from races.models.classes import names_of
from races.models.creation import SEEDS
from races.sim import circuit_slugs, load_circuit

PAGE = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A race with what the list says of it: its winner, or who led when it was stopped, how the own driver did, and
    whose it is.
    """

    race: Race
    colour: str
    first: Result | None
    own: Result | None
    who: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is asked for. What is not one of the choices is no filter."""

    status: str = ""
    circuit: str = ""
    seed: str = ""
    who: str = ""
    mine: str = ""

    @property
    def given(self) -> dict[str, str]:
        return {name: value for name in self.__slots__ if (value := str(getattr(self, name)))}

    def races(self, client: str) -> RaceQuerySet:
        found = Race.objects.all()
        exact = {name: self.given[name] for name in ("status", "circuit", "seed") if name in self.given}
        found = found.filter(**exact)
        if self.who:
            named = Member.objects.filter(removed=False, name__icontains=self.who)
            found = found.filter(_of(named.values("client"), named.values("pk")))
        if self.mine:
            found = found.filter(_of([client], Member.objects.filter(client=client).values("pk")))
        return found


def _of(clients: Any, members: Any) -> Q:
    """Races that these visitors started, or in which these members of a class had picked somebody."""
    return Q(client__in=clients) | Q(pk__in=Pick.objects.filter(member__in=members).values("race"))


def history(request: HttpRequest) -> HttpResponse:
    asked, client = _asked(request), str(request.client_id)  # type: ignore[attr-defined]  # ClientMiddleware adds it
    found = asked.races(client).defer("frozen").select_related("classroom")
    own = Entry.objects.filter(own=True)
    races = found.prefetch_related("results", Prefetch("entries", own, to_attr="own_entries"))
    page = Paginator(races, PAGE).get_page(request.GET.get("page"))
    numbers = list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))
    shown = list(page)
    names = names_of({race.client for race in shown})
    picked = set(Pick.objects.filter(race__in=shown, member__client=client).values_list("race", flat=True))
    rows = [
        _row(race, names.get(race.client, ""), race.client == client or race.pk in picked) for race in shown
    ]
    context = {
        "page": page,
        "rows": rows,
        "statuses": Race.Status.choices,
        "circuits": [(slug, load_circuit(slug).name) for slug in circuit_slugs()],
        "asked": asked,
        "filter": "".join(f"&{name}={quote(value)}" for name, value in asked.given.items()),
        "pages": numbers,
    }
    return render(request, "races/history.html", context)


def _asked(request: HttpRequest) -> Asked:
    status, circuit, seed = (request.GET.get(name, "") for name in ("status", "circuit", "seed"))
    number = seed.isascii() and seed.isdigit() and len(seed) < 11 and int(seed) < SEEDS
    return Asked(
        status if status in Race.Status.values else "",
        circuit if circuit in circuit_slugs() else "",
        str(int(seed)) if number else "",
        request.GET.get("who", "")[:LONGEST].replace("\0", "").strip(),
        "on" if "mine" in request.GET else "",
    )


def _row(race: Race, who: str, mine: bool) -> Row:
    results = {result.driver_code: result for result in race.results.all()}
    first = next((result for result in results.values() if result.position == 1), None)
    entries: list[Entry] = race.own_entries  # type: ignore[attr-defined]  # Prefetch above adds it
    colour = entries[0].colour if entries else "#8a93a3"
    return Row(race, colour, first, results.get(race.driver_code), who, mine)
