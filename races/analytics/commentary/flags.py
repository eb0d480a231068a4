"""What can be said of the race's own moments: start, flags, safety car, last lap, finish."""

from __future__ import annotations

from collections.abc import Callable

from races.analytics.commentary.facts import code_of, driver, gap, leader, pair, positions, surname
from races.analytics.commentary.moments import Moment
from races.analytics.commentary.race_state import Race, Record
from races.analytics.commentary.words import Fact, Telling


def _lights_out(moment: Moment, race: Race) -> Telling | None:
    telling = Telling("lights_out", "highlight", [Fact("happened", (), "lights_out")])
    leader(telling, race)
    running = len(race.running())
    telling.offer("cars", str(running), Fact("running", (), running))
    return telling if race.phase == "race" else None


def _flag(moment: Moment, race: Race) -> Telling | None:
    """Yellow, virtual and real safety car, and green again after those: told while it is out."""
    if race.flag != moment.kind or race.phase != "race":
        return None
    if moment.kind == "green" and race.flags[-2:-1] not in (["vsc"], ["safety_car"]):
        return None
    type_ = "highlight" if moment.kind == "green" else "warning"
    telling = Telling(moment.kind, type_, [Fact("happened", (), moment.kind), Fact("flag", (), race.flag)])
    leader(telling, race)
    if race.leader["yellow_sector"]:
        sector = race.leader["yellow_sector"]
        telling.offer("sector", str(sector), Fact("sector", (), sector))
    _cause(telling, moment.message, race)
    return telling


def _cause(telling: Telling, message: Record, race: Race) -> None:
    """{out} who has just retired, {trouble} the car that race control names with the flag."""
    named = race.cars.get(message["driver_code"])
    if named and named["status"] != "retired":
        telling.offer("trouble", surname(named), Fact("happened", (code_of(named),), message["type"]))
    if race.retired and race.tick - race.retired[-1][0] <= 30:
        who = race.retired[-1][1]
        telling.offer("out", surname(race.cars[who]), Fact("retired", (who,)))


def _ending(moment: Moment, race: Race) -> Telling | None:
    """The safety car comes in at the end of this lap, the virtual one ends within seconds. At the end of the last lap
    there is the flag, and no racing."""
    if race.flag != moment.kind.removesuffix("_ending") or race.lap == race.laps:
        return None
    facts = [Fact("happened", (), moment.kind), Fact("flag", (), race.flag)]
    telling = Telling(moment.kind, "info", facts)
    leader(telling, race)
    return telling


def _lapped_cars(moment: Moment, race: Race) -> Telling | None:
    """They go past the safety car and come round to the end of the queue."""
    if race.flag != "safety_car":
        return None
    telling = Telling(
        "lapped_cars", "info", [Fact("happened", (), "lapped_cars"), Fact("flag", (), race.flag)]
    )
    leader(telling, race)
    return telling


def _red_flag(moment: Moment, race: Race) -> Telling | None:
    telling = Telling("red_flag", "warning", [Fact("happened", (), "red_flag"), Fact("flag", (), "red")])
    leader(telling, race)
    return telling if race.flag == "red" else None


def _closing(moment: Moment, race: Race) -> Telling | None:
    """The last lap, or, while they race, the one before it: who leads, and by how much."""
    to_go = 1 if moment.kind == "last_lap" else 2
    neutral = race.flag in ("vsc", "safety_car")
    if neutral and to_go == 2:
        return None
    if race.phase != "race" or race.laps - race.lap + 1 != to_go:
        return None
    first, second = race.at(1), race.at(2)
    telling = Telling(moment.kind, "highlight", [*positions(first, second), Fact("to_go", (), to_go)])
    driver(telling, "a", first)
    driver(telling, "b", second)
    pair(telling, first, second)
    if neutral:
        telling.kind = "last_lap_neutral"
        telling.facts.append(Fact("flag", (), race.flag))
    return telling


def _chequered(moment: Moment, race: Race) -> Telling | None:
    winner = race.at(1)
    if winner["status"] != "finished":
        return None
    telling = Telling("chequered", "highlight", [Fact("winner", (code_of(winner),))])
    driver(telling, "a", winner)
    driver(telling, "b", race.at(2))
    telling.offer("laps", str(race.laps), Fact("laps", (), race.laps))
    if len(race.leads) == 1 and winner["grid"] == 1 and race.laps > 1:
        telling.offer("all_laps", f"all {race.laps} laps", Fact("led_all", (code_of(winner),), race.laps))
    return telling


def _finish(moment: Moment, race: Race) -> Telling | None:
    car = race.cars.get(moment.message["driver_code"])
    if car is None or car["position"] != moment.message["position"] or race.podium():
        return None
    facts = [Fact("finished", (code_of(car),)), *positions(car, race.at(1))]
    telling = Telling("finish", "info", facts, subject=(code_of(car),))
    driver(telling, "a", car)
    driver(telling, "b", race.at(1))
    if car["gap_s"] is not None and not car["laps_down"]:
        gap(telling, "margin", car["gap_s"], "gap", (code_of(car),))
    return telling


def _podium(moment: Moment, race: Race) -> Telling | None:
    cars = [race.cars[code] for code in race.podium()]
    telling = Telling("podium", "highlight", [*positions(*cars), Fact("winner", (code_of(cars[0]),))])
    telling.facts += [Fact("finished", (code_of(car),)) for car in cars]
    for slot, car in zip("abc", cars, strict=True):
        driver(telling, slot, car)
    if cars[1]["gap_s"] is not None and not cars[1]["laps_down"]:
        gap(telling, "margin", cars[1]["gap_s"], "gap", (code_of(cars[1]),))
    return telling


ABOUT_FLAGS: dict[str, Callable[[Moment, Race], Telling | None]] = {
    "lights_out": _lights_out,
    "yellow": _flag,
    "vsc": _flag,
    "safety_car": _flag,
    "green": _flag,
    "safety_car_ending": _ending,
    "vsc_ending": _ending,
    "lapped_cars": _lapped_cars,
    "red_flag": _red_flag,
    "penultimate_lap": _closing,
    "last_lap": _closing,
    "chequered": _chequered,
    "finish": _finish,
    "podium": _podium,
}
