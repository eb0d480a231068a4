"""What can be said of the race's own moments: start, flags, safety car, last lap, finish."""

from __future__ import annotations

from collections.abc import Callable

from races.analytics.commentary.facts import code_of, driver, gap, leader, pair, positions, surname
from races.analytics.commentary.moments import Moment
from races.analytics.commentary.race_state import Race
from races.analytics.commentary.words import Candidate, Fact


def lights_out(moment: Moment, race: Race) -> Candidate | None:
    candidate = Candidate("lights_out", "highlight", [Fact("happened", (), "lights_out")])
    leader(candidate, race)
    running = len(race.running())
    candidate.offer("cars", str(running), Fact("running", (), running))
    return candidate if race.phase == "race" else None


def flag_shown(moment: Moment, race: Race) -> Candidate | None:
    """Yellow, virtual and real safety car, and green again after those: while it is out."""
    if race.flag != moment.kind or race.phase != "race":
        return None
    if moment.kind == "green" and race.flags[-2:-1] not in (["vsc"], ["safety_car"]):
        return None
    type_ = "highlight" if moment.kind == "green" else "warning"
    candidate = Candidate(
        moment.kind, type_, [Fact("happened", (), moment.kind), Fact("flag", (), race.flag)]
    )
    leader(candidate, race)
    if race.leader["yellow_sector"]:
        sector = race.leader["yellow_sector"]
        candidate.offer("sector", str(sector), Fact("sector", (), sector))
    # {out} who has just retired, {trouble} the car that race control names with the flag
    named = race.cars.get(moment.message["driver_code"])
    if named and named["status"] != "retired":
        candidate.offer(
            "trouble", surname(named), Fact("happened", (code_of(named),), moment.message["type"])
        )
    if race.retired and race.tick - race.retired[-1][0] <= 30:
        who = race.retired[-1][1]
        candidate.offer("out", surname(race.cars[who]), Fact("retired", (who,)))
    return candidate


def ending(moment: Moment, race: Race) -> Candidate | None:
    """The safety car comes in at the end of this lap, the virtual one ends within seconds. At the end of the last lap
    there is the flag, and no racing."""
    if race.flag != moment.kind.removesuffix("_ending") or race.lap == race.laps:
        return None
    facts = [Fact("happened", (), moment.kind), Fact("flag", (), race.flag)]
    candidate = Candidate(moment.kind, "info", facts)
    leader(candidate, race)
    return candidate


def lapped_cars(moment: Moment, race: Race) -> Candidate | None:
    """They go past the safety car and come round to the end of the queue."""
    if race.flag != "safety_car":
        return None
    candidate = Candidate(
        "lapped_cars", "info", [Fact("happened", (), "lapped_cars"), Fact("flag", (), race.flag)]
    )
    leader(candidate, race)
    return candidate


def red_flag(moment: Moment, race: Race) -> Candidate | None:
    candidate = Candidate("red_flag", "warning", [Fact("happened", (), "red_flag"), Fact("flag", (), "red")])
    leader(candidate, race)
    return candidate if race.flag == "red" else None


def closing(moment: Moment, race: Race) -> Candidate | None:
    """The last lap, or, while they race, the one before it: who leads, and by how much."""
    to_go = 1 if moment.kind == "last_lap" else 2
    neutral = race.flag in ("vsc", "safety_car")
    if neutral and to_go == 2:
        return None
    if race.phase != "race" or race.laps - race.lap + 1 != to_go:
        return None
    first, second = race.at(1), race.at(2)
    candidate = Candidate(moment.kind, "highlight", [*positions(first, second), Fact("to_go", (), to_go)])
    driver(candidate, "a", first)
    driver(candidate, "b", second)
    pair(candidate, first, second)
    if neutral:
        candidate.kind = "last_lap_neutral"
        candidate.facts.append(Fact("flag", (), race.flag))
    return candidate


def chequered(moment: Moment, race: Race) -> Candidate | None:
    winner = race.at(1)
    if winner["status"] != "finished":
        return None
    candidate = Candidate("chequered", "highlight", [Fact("winner", (code_of(winner),))])
    driver(candidate, "a", winner)
    driver(candidate, "b", race.at(2))
    candidate.offer("laps", str(race.laps), Fact("laps", (), race.laps))
    if len(race.leads) == 1 and winner["grid"] == 1 and race.laps > 1:
        candidate.offer("all_laps", f"all {race.laps} laps", Fact("led_all", (code_of(winner),), race.laps))
    return candidate


def finish(moment: Moment, race: Race) -> Candidate | None:
    car = race.cars.get(moment.message["driver_code"])
    if car is None or car["position"] != moment.message["position"] or race.podium():
        return None
    facts = [Fact("finished", (code_of(car),)), *positions(car, race.at(1))]
    candidate = Candidate("finish", "info", facts, subject=(code_of(car),))
    driver(candidate, "a", car)
    driver(candidate, "b", race.at(1))
    if car["gap_s"] is not None and not car["laps_down"]:
        gap(candidate, "margin", car["gap_s"], "gap", (code_of(car),))
    return candidate


def podium(moment: Moment, race: Race) -> Candidate | None:
    cars = [race.cars[code] for code in race.podium()]
    candidate = Candidate("podium", "highlight", [*positions(*cars), Fact("winner", (code_of(cars[0]),))])
    candidate.facts += [Fact("finished", (code_of(car),)) for car in cars]
    for slot, car in zip("abc", cars, strict=True):
        driver(candidate, slot, car)
    if cars[1]["gap_s"] is not None and not cars[1]["laps_down"]:
        gap(candidate, "margin", cars[1]["gap_s"], "gap", (code_of(cars[1]),))
    return candidate


ABOUT_FLAGS: dict[str, Callable[[Moment, Race], Candidate | None]] = {
    "lights_out": lights_out,
    "yellow": flag_shown,
    "vsc": flag_shown,
    "safety_car": flag_shown,
    "green": flag_shown,
    "safety_car_ending": ending,
    "vsc_ending": ending,
    "lapped_cars": lapped_cars,
    "red_flag": red_flag,
    "penultimate_lap": closing,
    "last_lap": closing,
    "chequered": chequered,
    "finish": finish,
    "podium": podium,
}
