"""Stories: what a commentator sees between the moments, from how the order and the gaps have developed."""

from __future__ import annotations

from collections.abc import Iterator

from races.analytics.commentary_facts import GREEN, driver, gap, laps, moved, pair
from races.analytics.commentary_race import Race
from races.analytics.commentary_words import Fact, Telling, count


def stories(race: Race) -> Iterator[Telling]:
    """All that could be told now, the best first."""
    if race.phase == "grid":
        yield from _grid(race)
    elif race.phase == "race" and race.flag in GREEN:
        yield from _battles(race)
        yield from _climbs(race)
        yield from _front(race)
        yield from _top_three(race)


def _grid(race: Race) -> Iterator[Telling]:
    pole, second = race.at(1), race.at(2)
    facts = [Fact("grid", (pole["driver_code"],), 1), Fact("grid", (second["driver_code"],), 2)]
    if pole["grid"] == 1 and second["grid"] == 2:
        telling = Telling("grid", "info", facts, subject=("grid",))
        driver(telling, "a", pole)
        driver(telling, "b", second)
        telling.offer("laps", str(race.laps), Fact("laps", (), race.laps))
        yield telling


def _battles(race: Race) -> Iterator[Telling]:
    """Two cars that have crossed the line within a second of each other for two laps or more."""
    for behind in race.running()[1:]:
        car = race.cars[behind]
        interval = car["interval_s"]
        if interval is None or interval > 1.0 or car["pit"]:
            continue
        ahead = race.at(car["position"] - 1)
        close = _laps_close(race, behind, ahead["driver_code"])
        if close >= 2 and not ahead["pit"]:
            who = (ahead["driver_code"], behind)
            telling = Telling("battle", "info", [Fact("next", who), Fact("within", who, 1.0)], subject=who)
            driver(telling, "a", ahead)
            driver(telling, "b", car)
            pair(telling, ahead, car)
            telling.offer("for_laps", f"{count(close)} laps", Fact("laps_close", who, close))
            laps(telling, race)
            yield telling


def _laps_close(race: Race, behind: str, ahead: str) -> int:
    """How many of the newest laps in a row the one has ended within a second of the other."""
    laps_close = 0
    for crossing in reversed(race.crossings.get(behind, [])):
        if crossing.ahead != ahead or crossing.interval_s is None or crossing.interval_s > 1.0:
            break
        laps_close += 1
    return laps_close


def _climbs(race: Race) -> Iterator[Telling]:
    climbers = sorted(race.running(), key=lambda code: race.cars[code]["position"] - race.cars[code]["grid"])
    for code in climbers[:2]:
        car = race.cars[code]
        if car["grid"] - car["position"] >= 4:
            telling = Telling("climb", "info", [], subject=(code,))
            driver(telling, "a", car)
            moved(telling, "a", car)
            laps(telling, race)
            yield telling


def _front(race: Race) -> Iterator[Telling]:
    first, second = race.at(1), race.at(2)
    if second["interval_s"] is None or second["interval_s"] < 2:
        return
    who = (first["driver_code"], second["driver_code"])
    telling = Telling(
        "gap_front", "info", [Fact("position", who[:1], 1), Fact("position", who[1:], 2)], subject=who
    )
    driver(telling, "a", first)
    driver(telling, "b", second)
    pair(telling, first, second)
    laps(telling, race)
    yield telling


def _top_three(race: Race) -> Iterator[Telling]:
    if len(race.running()) < 3:
        return
    cars = [race.at(place) for place in (1, 2, 3)]
    facts = [Fact("position", (car["driver_code"],), car["position"]) for car in cars]
    telling = Telling("top_three", "info", facts, subject=("top three",))
    for slot, car in zip("abc", cars, strict=True):
        driver(telling, slot, car)
    if cars[2]["gap_s"] is not None:
        gap(
            telling,
            "spread",
            cars[2]["gap_s"],
            Fact("gap", (cars[2]["driver_code"],), round(cars[2]["gap_s"], 1)),
        )
    laps(telling, race)
    yield telling
