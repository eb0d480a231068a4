"""The standings of drivers and teams over several races, by the sport's points of the first ten places.

Equal points are parted as in the sport: by the number of wins, then of second places, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from races.models import Race, RaceQuerySet, Result

POINTS = (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)


@dataclass(slots=True)
class Standing:
    """One line of a table. `places` counts the finishes at each place, `best` is the best of them; 0: none."""

    name: str
    code: str = ""
    team: str = ""
    points: int = 0
    races: int = 0
    places: dict[int, int] = field(default_factory=dict)
    position: int = 0

    @property
    def wins(self) -> int:
        return self.places.get(1, 0)

    @property
    def podiums(self) -> int:
        return sum(self.places.get(place, 0) for place in (1, 2, 3))

    @property
    def best(self) -> int:
        return min(self.places, default=0)

    def rank(self) -> tuple[int, ...]:
        """Sorts the better one first."""
        return (-self.points, *(-self.places.get(place, 0) for place in range(1, 30)))


@dataclass(frozen=True, slots=True)
class Standings:
    races: int
    drivers: list[Standing]
    teams: list[Standing]


def standings(races: RaceQuerySet) -> Standings:
    """Counts the races that finished: one that was stopped or failed has no winner, and gives no points."""
    counted = races.filter(status=Race.Status.FINISHED)
    results = list(
        Result.objects.filter(race__in=counted.values("pk")).only(
            "race_id", "position", "status", "driver_code", "driver_name", "team_name"
        )
    )
    return Standings(
        counted.count(),
        table(results, lambda one: Standing(one.driver_name, one.driver_code, one.team_name)),
        table(results, lambda one: Standing(one.team_name, team=one.team_name)),
    )


def table(results: Iterable[Result], made: Callable[[Result], Standing]) -> list[Standing]:
    """Adds up the results of whatever `made` names, the best first."""
    found: dict[str, Standing] = {}
    seen: dict[str, set[object]] = {}
    for result in results:
        fresh = made(result)
        standing = found.setdefault(fresh.code or fresh.name, fresh)
        seen.setdefault(fresh.code or fresh.name, set()).add(result.race_id)
        if result.status != "retired":
            standing.places[result.position] = standing.places.get(result.position, 0) + 1
            standing.points += POINTS[result.position - 1] if result.position <= len(POINTS) else 0
    for key, standing in found.items():
        standing.races = len(seen[key])
    ordered = sorted(found.values(), key=lambda one: (one.rank(), one.name))
    for position, standing in enumerate(ordered, 1):
        equal = position > 1 and standing.rank() == ordered[position - 2].rank()
        standing.position = ordered[position - 2].position if equal else position
    return ordered
