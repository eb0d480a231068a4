"""Stories: what a commentator sees between the moments, in how the order and the gaps have developed.

Each function looks at the race as it stands and yields candidates for a line, each with a weight. The commentator
takes the heaviest that it has not used lately.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from races.analytics.commentary.duels import duels
from races.analytics.commentary.facts import (
    RACING,
    STOP_FROM_LAPS,
    code_of,
    driver,
    gap,
    laps,
    leader,
    pair,
    positions,
    surname,
)
from races.analytics.commentary.race_state import Race, Record
from races.analytics.commentary.words import Candidate, Fact, count, lap_time, listing, ordinal, plural

LONELY_S = 5.0
Weighted = tuple[int, Candidate]
Finder = Callable[[Race], Iterator[Weighted]]


def stories(race: Race) -> Iterator[Weighted]:
    """Every story that the race as it stands allows, with its weight."""
    if race.phase == "grid":
        yield from _grid(race)
    elif race.phase == "flag":
        # stories after the flag are about cars that have taken it: their places are final
        home = [car for car in race.running() if car["status"] == "finished"]
        for car in sorted(home, key=lambda car: car["position"] - car["grid"])[:1]:
            if car["grid"] - car["position"] >= 4:
                candidate = _about("climb_home", [Fact("finished", (code_of(car),)), *positions(car)], car)
                _best_gain(candidate, car, race)
                yield 55, candidate
        for car in home[3:]:
            if car["position"] <= 10:
                yield (
                    50 - car["position"],
                    _about("points_home", [Fact("finished", (code_of(car),)), *positions(car)], car),
                )
        if race.fastest and race.cars[race.fastest[0]]["status"] == "finished":
            yield 35, _fastest_candidate(race, "fastest_home")
    elif race.phase == "race" and race.flag in RACING:
        yield from duels(race)
        yield from _with_laps(
            race, (front, top_three, half, falls, podium_chase, lapped, busy_lane, everybody, *ANY_TIME)
        )
    elif race.phase == "race" and race.flag in ("vsc", "safety_car"):
        yield from _neutral(race)
        yield from _with_laps(race, ANY_TIME)


def _with_laps(race: Race, finders: Iterable[Finder]) -> Iterator[Weighted]:
    for find in finders:
        for weight, candidate in find(race):
            laps(candidate, race)
            yield weight, candidate


def _about(kind: str, facts: list[Fact], *cars: Record) -> Candidate:
    candidate = Candidate(kind, "info", facts, subject=tuple(code_of(car) for car in cars))
    for slot, car in zip("abc", cars, strict=False):
        driver(candidate, slot, car)
    return candidate


def _grid(race: Race) -> Iterator[Weighted]:
    first = [race.at(place) for place in (1, 2, 3)]
    if [car["grid"] for car in first] == [1, 2, 3]:
        candidate = _about("grid", [Fact("grid", (code_of(car),), car["grid"]) for car in first[:2]], *first)
        laps(candidate, race)
        candidate.offer("c_third", candidate.slots["c"].text, Fact("grid", (code_of(first[2]),), 3))
        yield 50, candidate
    tyres = Counter(car["tyre"] for car in race.cars.values())
    compound, number = tyres.most_common(1)[0]
    candidate = Candidate("grid_field", "info", [Fact("running", (), len(race.cars))], subject=("field",))
    candidate.offer("cars", str(len(race.cars)))
    laps(candidate, race)
    if compound and number < len(race.cars):
        candidate.offer(
            "on", f"{number} of them on {compound.lower()}s", Fact("on_tyre", (compound,), number)
        )
    yield 40, candidate


def climbs(race: Race) -> Iterator[Weighted]:
    climbers = sorted(race.running(), key=lambda car: car["position"] - car["grid"])
    for rank, car in enumerate(climbers[:3]):
        gained = _gained(car)
        if gained >= 4 and car["stops"] >= race.usual_stops():
            candidate = _about("climb", [], car)
            _best_gain(candidate, car, race)
            yield 30 + gained - 3 * rank + (10 if race.lap == 2 else 0), candidate


def _gained(car: Record) -> int:
    return int(car["grid"] - car["position"])


def _best_gain(candidate: Candidate, car: Record, race: Race) -> None:
    """Offers {best_gain}, such as "five places", where no other car in the race has gained as many."""
    gained = _gained(car)
    if all(_gained(other) < gained for other in race.running() if other is not car):
        candidate.offer("best_gain", plural(gained, "place"), Fact("best_gain", (code_of(car),), gained))


def falls(race: Race) -> Iterator[Weighted]:
    for car in race.running():
        lost = car["position"] - car["grid"]
        if lost >= 5 and car["grid"] <= 8 and not car["pit"] and car["stops"] <= race.usual_stops():
            yield 24 + lost // 2, _about("fall", [], car)


def front(race: Race) -> Iterator[Weighted]:
    first, second = race.at(1), race.at(2)
    interval = second["interval_s"]
    if interval is not None and interval >= 1.5 and not second["pit"] and not first["pit"]:
        candidate = _about("gap_front", positions(first, second), first, second)
        pair(candidate, first, second)
        yield 32, candidate


def top_three(race: Race) -> Iterator[Weighted]:
    if len(race.running()) < 3:
        return
    cars = [race.at(place) for place in (1, 2, 3)]
    candidate = _about("top_three", positions(*cars), *cars)
    candidate.subject = ("top three",)
    if race.lap * 2 > race.laps:
        candidate.offer("late", "")
    if cars[2]["gap_s"] is not None and not cars[2]["laps_down"]:
        gap(candidate, "spread", cars[2]["gap_s"], "gap", (code_of(cars[2]),))
    yield 28, candidate


def half(race: Race) -> Iterator[Weighted]:
    if race.laps >= 4 and race.lap == race.laps // 2 + 1:
        first, second = race.at(1), race.at(2)
        candidate = _about("half", [*positions(first, second), Fact("half", (), race.lap)], first, second)
        candidate.subject = ("half",)
        pair(candidate, first, second)
        yield 48, candidate


def led_all(race: Race) -> Iterator[Weighted]:
    first = race.at(1)
    if len(race.leads) == 1 and race.lap >= 4:
        candidate = _about("led_all", [Fact("led_all", (code_of(first),), race.lap)], first)
        yield 26, candidate


def not_stopped(race: Race) -> Iterator[Weighted]:
    """Cars among the first ten that still have to stop: how many, and who once most of them have."""
    first_ten = race.running()[:10]
    unstopped = [car for car in first_ten if car["stops"] == 0]
    if race.laps < STOP_FROM_LAPS or race.lap >= race.laps:
        return
    waiting = [car for car in unstopped if not car["pit"]]
    if race.lap * 4 > race.laps and 2 <= len(waiting) <= 8 and len(first_ten) == 10:
        facts = [Fact("unstopped_top10", (), len(waiting))]
        candidate = Candidate("to_stop", "info", facts, subject=("stops to come",))
        candidate.offer("number", count(len(waiting)))
        leader(candidate, race)
        yield 43, candidate
    if race.lap * 2 < race.laps:
        return
    if len(waiting) == len(unstopped) == 1 and len(first_ten) == 10:
        facts = [Fact("only_unstopped_top10", (code_of(waiting[0]),))]
        yield 36, _about("only_unstopped", facts, waiting[0])
    elif not unstopped and len(first_ten) == 10:
        candidate = Candidate("all_stopped", "info", [Fact("top10_stopped")], subject=("stopped",))
        leader(candidate, race)
        yield 25, candidate
    for car in waiting[:3] if len(waiting) <= 4 else []:
        yield 42 - car["position"], _about("unstopped", [Fact("stops", (code_of(car),), 0)], car)


def stops_to_come(race: Race) -> Iterator[Weighted]:
    """How many of the whole field have still to stop, once about half of it has."""
    waiting = sum(car["stops"] == 0 and not car["pit"] for car in race.running())
    if race.laps >= STOP_FROM_LAPS and race.lap * 2 > race.laps > race.lap and 2 <= waiting <= 14:
        facts = [Fact("unstopped_field", (), waiting)]
        candidate = Candidate("field_to_stop", "info", facts, subject=("stops to come",))
        candidate.offer("number", count(waiting))
        running = len(race.running())
        candidate.offer("cars", str(running), Fact("running", (), running))
        leader(candidate, race)
        yield 44, candidate


def busy_lane(race: Race) -> Iterator[Weighted]:
    """Many cars in the pit lane at once, under green: the order means little until they are out."""
    inside = sum(car["pit"] for car in race.running())
    if inside >= 4:
        candidate = Candidate("busy_lane", "info", [Fact("in_pit", (), inside)], subject=("pit lane",))
        candidate.offer("number", count(inside))
        yield 52 + inside, candidate


def everybody(race: Race) -> Iterator[Weighted]:
    """Yields where each car from fourth on runs: of little weight, unless the driver has not been named yet."""
    for car in race.running()[3:] if race.settled else []:
        ahead = race.ahead_of(car)
        if ahead is None or car["pit"] or ahead["pit"] or car["status"] != "racing" or not car["interval_s"]:
            continue
        candidate = _about("running", [Fact("next", (code_of(ahead), code_of(car)))], car, ahead)
        pair(candidate, ahead, car, "ba")
        if car["interval_s"] >= LONELY_S and not car["laps_down"]:
            gap(candidate, "alone", car["interval_s"], "interval", (code_of(ahead), code_of(car)))
        yield 17, candidate


def old_tyres(race: Race) -> Iterator[Weighted]:
    first_ten = [car for car in race.running()[:10] if not car["pit"]]
    oldest = max(first_ten, key=lambda car: car["tyre_age"], default=None)
    if oldest is None or oldest["tyre_age"] < 5:
        return
    if sum(car["tyre_age"] == oldest["tyre_age"] for car in first_ten) == 1:
        who = (code_of(oldest),)
        candidate = _about(
            "old_tyres", [Fact("oldest_top10", who), Fact("tyre_age", who, oldest["tyre_age"])], oldest
        )
        candidate.offer("age", plural(oldest["tyre_age"], "lap"))
        yield 27, candidate


def team_pair(race: Race) -> Iterator[Weighted]:
    """Two cars of one team in a row, among the first ten."""
    for car in race.running()[1:10] if race.settled else []:
        ahead = race.ahead_of(car)
        if ahead and ahead["team_name"] == car["team_name"]:
            candidate = _about("team_pair", positions(ahead, car), ahead, car)
            pair(candidate, ahead, car)
            yield 29 - car["position"], candidate


def last_point(race: Race) -> Iterator[Weighted]:
    if len(race.running()) < 11 or not race.settled:
        return
    tenth, next_one = race.at(10), race.at(11)
    if not tenth["pit"] and not next_one["pit"]:
        candidate = _about("last_point", positions(tenth, next_one), tenth, next_one)
        pair(candidate, tenth, next_one)
        yield 24 + (8 if race.laps - race.lap <= 3 else 0), candidate


def podium_chase(race: Race) -> Iterator[Weighted]:
    if len(race.running()) < 4 or not race.settled:
        return
    third, fourth = race.at(3), race.at(4)
    if fourth["interval_s"] and fourth["interval_s"] < 6 and not fourth["pit"] and not third["pit"]:
        candidate = _about("podium_chase", positions(third, fourth), third, fourth)
        pair(candidate, third, fourth)
        yield 27 + (8 if race.laps - race.lap <= 3 else 0), candidate


def fastest(race: Race) -> Iterator[Weighted]:
    if race.fastest and race.lap > 4:
        yield 22, _fastest_candidate(race, "fastest_so_far")


def _fastest_candidate(race: Race, kind: str) -> Candidate:
    who, value = race.fastest or ("", 0.0)
    candidate = _about(kind, [Fact("fastest", (who,), value)], race.cars[who])
    candidate.offer("time", lap_time(value))
    return candidate


def lapped(race: Race) -> Iterator[Weighted]:
    down = [car for car in race.running() if car["laps_down"] >= 1]
    if down:
        candidate = Candidate("lapped", "info", [Fact("lapped", (), len(down))], subject=("lapped",))
        candidate.offer("number", plural(len(down), "car"))
        candidate.offer("has", "has" if len(down) == 1 else "have")
        candidate.offer("are", "is" if len(down) == 1 else "are")
        leader(candidate, race)
        yield 21, candidate


def changes(race: Race) -> Iterator[Weighted]:
    """How often the lead has changed, and among whom."""
    leaders = list(dict.fromkeys(lead.who for lead in race.leads))
    if 2 <= len(leaders) <= 4 and race.lap >= 3:
        names = [surname(race.cars[code]) for code in leaders]
        candidate = Candidate(
            "leaders", "info", [Fact("leaders", tuple(leaders), len(leaders))], subject=("leaders",)
        )
        candidate.offer("names", listing(names))
        candidate.offer("number", count(len(leaders)))
        candidate.offer("all", "both" if len(leaders) == 2 else "all")
        leader(candidate, race)
        yield 23, candidate


def _neutral(race: Race) -> Iterator[Weighted]:
    """Stories behind the safety car, real or virtual."""
    cars = race.running()[:3]
    kind = "queue" if race.flag == "safety_car" else "queue_virtual"
    candidate = _about(kind, [*positions(*cars), Fact("flag", (), race.flag)], *cars)
    laps(candidate, race)
    yield 40, candidate
    first, second = cars[0], cars[1]
    if first["tyre"] and second["tyre"]:
        candidate = _about(
            "restart_tyres", [*positions(first, second), Fact("flag", (), race.flag)], first, second
        )
        pair(candidate, first, second)
        yield 32, candidate
    candidate = Candidate(
        "neutral_laps", "info", [Fact("flag", (), race.flag)], subject=("laps", str(race.lap))
    )
    laps(candidate, race)
    leader(candidate, race)
    if "to_go" in candidate.slots:
        yield 30, candidate
    in_pit = [car for car in race.running() if car["pit"]]
    if len(in_pit) >= 2:
        facts = [Fact("in_pit", (), len(in_pit)), Fact("flag", (), race.flag)]
        candidate = Candidate("neutral_stops", "info", facts, subject=("stops",))
        candidate.offer("number", count(len(in_pit)))
        yield 45, candidate
    for place in (4, 7):
        cars = race.running()[place - 1 : place + 2]
        if len(cars) == 3:
            candidate = _about("queue_behind", [*positions(*cars), Fact("flag", (), race.flag)], *cars)
            candidate.offer("from_place", ordinal(place))
            laps(candidate, race)
            yield 30 - place, candidate


ANY_TIME = (climbs, led_all, not_stopped, stops_to_come, old_tyres, team_pair, last_point, fastest, changes)
"""Stories that may come behind the safety car too."""
