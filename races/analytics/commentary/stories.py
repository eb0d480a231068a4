"""Stories: what a commentator sees between the moments, in how the order and the gaps have developed.

Each function looks at the race as it stands and yields what could be told, with a weight. The commentator
takes the heaviest that it has not told lately.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from races.analytics.commentary.duels import duels
from races.analytics.commentary.facts import (
    RACING,
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
from races.analytics.commentary.words import Fact, Telling, count, lap_time, listing, ordinal, plural

Weighted = tuple[int, Telling]
Teller = Callable[[Race], Iterator[Weighted]]


def stories(race: Race) -> Iterator[Weighted]:
    """All that could be told now."""
    if race.phase == "grid":
        yield from _grid(race)
    elif race.phase == "flag":
        yield from _home(race)
    elif race.phase == "race" and race.flag in RACING:
        yield from duels(race)
        yield from _running_order(race)
    elif race.phase == "race" and race.flag in ("vsc", "safety_car"):
        yield from _neutral(race)
        yield from _told(race, _ANY_TIME)


def _running_order(race: Race) -> Iterator[Weighted]:
    yield from _told(race, (_front, _top_three, _half, _falls, _podium_chase, _lapped))
    yield from _told(race, _ANY_TIME)


def _told(race: Race, tellers: Iterable[Teller]) -> Iterator[Weighted]:
    for tell in tellers:
        for weight, telling in tell(race):
            laps(telling, race)
            yield weight, telling


def _about(kind: str, facts: list[Fact], *cars: Record) -> Telling:
    telling = Telling(kind, "info", facts, subject=tuple(code_of(car) for car in cars))
    for slot, car in zip("abc", cars, strict=False):
        driver(telling, slot, car)
    return telling


def _grid(race: Race) -> Iterator[Weighted]:
    first = [race.at(place) for place in (1, 2, 3)]
    if [car["grid"] for car in first] == [1, 2, 3]:
        telling = _about("grid", [Fact("grid", (code_of(car),), car["grid"]) for car in first[:2]], *first)
        laps(telling, race)
        telling.offer("c_third", telling.slots["c"].text, Fact("grid", (code_of(first[2]),), 3))
        yield 50, telling
    tyres = Counter(car["tyre"] for car in race.cars.values())
    compound, number = tyres.most_common(1)[0]
    telling = Telling("grid_field", "info", [Fact("running", (), len(race.cars))], subject=("field",))
    telling.offer("cars", str(len(race.cars)))
    laps(telling, race)
    if compound and number < len(race.cars):
        telling.offer("on", f"{number} of them on {compound.lower()}s", Fact("on_tyre", (compound,), number))
    yield 40, telling


def _home(race: Race) -> Iterator[Weighted]:
    """After the flag, from cars that have taken it: their places are final."""
    home = [car for car in race.running() if car["status"] == "finished"]
    for car in sorted(home, key=lambda car: car["position"] - car["grid"])[:1]:
        if car["grid"] - car["position"] >= 4:
            telling = _about("climb_home", [Fact("finished", (code_of(car),)), *positions(car)], car)
            _best_gain(telling, car, race)
            yield 55, telling
    for car in home[3:]:
        if car["position"] <= 10:
            yield (
                50 - car["position"],
                _about("points_home", [Fact("finished", (code_of(car),)), *positions(car)], car),
            )
    if race.fastest and race.cars[race.fastest[0]]["status"] == "finished":
        yield 35, _fastest_telling(race, "fastest_home")


def _climbs(race: Race) -> Iterator[Weighted]:
    climbers = sorted(race.running(), key=lambda car: car["position"] - car["grid"])
    for rank, car in enumerate(climbers[:3]):
        gained = _gained(car)
        if gained >= 4 and car["stops"] >= race.usual_stops():
            telling = _about("climb", [], car)
            _best_gain(telling, car, race)
            yield 30 + gained - 3 * rank + (10 if race.lap == 2 else 0), telling


def _gained(car: Record) -> int:
    return int(car["grid"] - car["position"])


def _best_gain(telling: Telling, car: Record, race: Race) -> None:
    """{best_gain} five places: where no other car in the race has gained as many."""
    gained = _gained(car)
    if all(_gained(other) < gained for other in race.running() if other is not car):
        telling.offer("best_gain", plural(gained, "place"), Fact("best_gain", (code_of(car),), gained))


def _falls(race: Race) -> Iterator[Weighted]:
    for car in race.running():
        lost = car["position"] - car["grid"]
        if lost >= 5 and car["grid"] <= 8 and not car["pit"] and car["stops"] <= race.usual_stops():
            yield 24 + lost // 2, _about("fall", [], car)


def _front(race: Race) -> Iterator[Weighted]:
    first, second = race.at(1), race.at(2)
    interval = second["interval_s"]
    if interval is not None and interval >= 1.5 and not second["pit"] and not first["pit"]:
        telling = _about("gap_front", positions(first, second), first, second)
        pair(telling, first, second)
        yield 32, telling


def _top_three(race: Race) -> Iterator[Weighted]:
    if len(race.running()) < 3:
        return
    cars = [race.at(place) for place in (1, 2, 3)]
    telling = _about("top_three", positions(*cars), *cars)
    telling.subject = ("top three",)
    if race.lap * 2 > race.laps:
        telling.offer("late", "")
    if cars[2]["gap_s"] is not None and not cars[2]["laps_down"]:
        gap(telling, "spread", cars[2]["gap_s"], "gap", (code_of(cars[2]),))
    yield 28, telling


def _half(race: Race) -> Iterator[Weighted]:
    if race.laps >= 4 and race.lap == race.laps // 2 + 1:
        first, second = race.at(1), race.at(2)
        telling = _about("half", [*positions(first, second), Fact("half", (), race.lap)], first, second)
        telling.subject = ("half",)
        pair(telling, first, second)
        yield 48, telling


def _led_all(race: Race) -> Iterator[Weighted]:
    first = race.at(1)
    if len(race.leads) == 1 and race.lap >= 4:
        telling = _about("led_all", [Fact("led_all", (code_of(first),), race.lap)], first)
        yield 26, telling


def _not_stopped(race: Race) -> Iterator[Weighted]:
    """Who still has to stop, once most of the first ten have."""
    if race.lap * 2 < race.laps or race.lap >= race.laps:
        return
    first_ten = race.running()[:10]
    unstopped = [car for car in first_ten if car["stops"] == 0]
    waiting = [car for car in unstopped if not car["pit"]]
    if len(waiting) == len(unstopped) == 1 and len(first_ten) == 10:
        facts = [Fact("only_unstopped_top10", (code_of(waiting[0]),))]
        yield 36, _about("only_unstopped", facts, waiting[0])
    elif not unstopped and len(first_ten) == 10:
        telling = Telling("all_stopped", "info", [Fact("top10_stopped")], subject=("stopped",))
        leader(telling, race)
        yield 25, telling
    for car in waiting[:3] if len(waiting) <= 4 else []:
        yield 42 - car["position"], _about("unstopped", [Fact("stops", (code_of(car),), 0)], car)


def _old_tyres(race: Race) -> Iterator[Weighted]:
    first_ten = [car for car in race.running()[:10] if not car["pit"]]
    oldest = max(first_ten, key=lambda car: car["tyre_age"], default=None)
    if oldest is None or oldest["tyre_age"] < 5:
        return
    if sum(car["tyre_age"] == oldest["tyre_age"] for car in first_ten) == 1:
        who = (code_of(oldest),)
        telling = _about(
            "old_tyres", [Fact("oldest_top10", who), Fact("tyre_age", who, oldest["tyre_age"])], oldest
        )
        telling.offer("age", plural(oldest["tyre_age"], "lap"))
        yield 27, telling


def _team_pair(race: Race) -> Iterator[Weighted]:
    """Two cars of one team in a row, among the first ten."""
    for car in race.running()[1:10] if race.settled else []:
        ahead = race.ahead_of(car)
        if ahead and ahead["team_name"] == car["team_name"]:
            telling = _about("team_pair", positions(ahead, car), ahead, car)
            pair(telling, ahead, car)
            yield 29 - car["position"], telling


def _last_point(race: Race) -> Iterator[Weighted]:
    if len(race.running()) < 11 or not race.settled:
        return
    tenth, next_one = race.at(10), race.at(11)
    if not tenth["pit"] and not next_one["pit"]:
        telling = _about("last_point", positions(tenth, next_one), tenth, next_one)
        pair(telling, tenth, next_one)
        yield 24 + (8 if race.laps - race.lap <= 3 else 0), telling


def _podium_chase(race: Race) -> Iterator[Weighted]:
    if len(race.running()) < 4 or not race.settled:
        return
    third, fourth = race.at(3), race.at(4)
    if fourth["interval_s"] and fourth["interval_s"] < 6 and not fourth["pit"] and not third["pit"]:
        telling = _about("podium_chase", positions(third, fourth), third, fourth)
        pair(telling, third, fourth)
        yield 27 + (8 if race.laps - race.lap <= 3 else 0), telling


def _fastest(race: Race) -> Iterator[Weighted]:
    if race.fastest and race.lap > 4:
        yield 22, _fastest_telling(race, "fastest_so_far")


def _fastest_telling(race: Race, kind: str) -> Telling:
    who, value = race.fastest or ("", 0.0)
    telling = _about(kind, [Fact("fastest", (who,), value)], race.cars[who])
    telling.offer("time", lap_time(value))
    return telling


def _lapped(race: Race) -> Iterator[Weighted]:
    down = [car for car in race.running() if car["laps_down"] >= 1]
    if down:
        telling = Telling("lapped", "info", [Fact("lapped", (), len(down))], subject=("lapped",))
        telling.offer("number", plural(len(down), "car"))
        telling.offer("has", "has" if len(down) == 1 else "have")
        telling.offer("are", "is" if len(down) == 1 else "are")
        leader(telling, race)
        yield 21, telling


def _changes(race: Race) -> Iterator[Weighted]:
    """How often the lead has changed, and among whom."""
    leaders = list(dict.fromkeys(lead.who for lead in race.leads))
    if 2 <= len(leaders) <= 4 and race.lap >= 3:
        names = [surname(race.cars[code]) for code in leaders]
        telling = Telling(
            "leaders", "info", [Fact("leaders", tuple(leaders), len(leaders))], subject=("leaders",)
        )
        telling.offer("names", listing(names))
        telling.offer("number", count(len(leaders)))
        telling.offer("all", "both" if len(leaders) == 2 else "all")
        leader(telling, race)
        yield 23, telling


def _neutral(race: Race) -> Iterator[Weighted]:
    """Behind the safety car, real or virtual."""
    cars = race.running()[:3]
    kind = "queue" if race.flag == "safety_car" else "queue_virtual"
    telling = _about(kind, [*positions(*cars), Fact("flag", (), race.flag)], *cars)
    laps(telling, race)
    yield 40, telling
    first, second = cars[0], cars[1]
    if first["tyre"] and second["tyre"]:
        telling = _about(
            "restart_tyres", [*positions(first, second), Fact("flag", (), race.flag)], first, second
        )
        pair(telling, first, second)
        yield 32, telling
    telling = Telling("neutral_laps", "info", [Fact("flag", (), race.flag)], subject=("laps", str(race.lap)))
    laps(telling, race)
    leader(telling, race)
    if "to_go" in telling.slots:
        yield 30, telling
    in_pit = [car for car in race.running() if car["pit"]]
    if len(in_pit) >= 2:
        facts = [Fact("in_pit", (), len(in_pit)), Fact("flag", (), race.flag)]
        telling = Telling("neutral_stops", "info", facts, subject=("stops",))
        telling.offer("number", count(len(in_pit)))
        yield 45, telling
    for place in (4, 7):
        cars = race.running()[place - 1 : place + 2]
        if len(cars) == 3:
            telling = _about("queue_behind", [*positions(*cars), Fact("flag", (), race.flag)], *cars)
            telling.offer("from_place", ordinal(place))
            laps(telling, race)
            yield 30 - place, telling


_ANY_TIME = (_climbs, _led_all, _not_stopped, _old_tyres, _team_pair, _last_point, _fastest, _changes)
"""Behind the safety car too."""
