"""Moments: what race control announces, its weight, and what can be said of it while it is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from races.analytics.commentary_facts import driver, gap, laps, moved, pair
from races.analytics.commentary_race import Race, Record
from races.analytics.commentary_words import Fact, Telling, lap_time, ordinal, seconds

BIG = 70
"""From this weight on a moment is told as soon as the last line is two seconds old."""


@dataclass(frozen=True, slots=True)
class Moment:
    kind: str
    tick: int
    weight: int
    message: Record


def moment_of(message: Record) -> Moment | None:
    """A race-control message as something to tell; None for types that nobody needs to hear about."""
    kind, place = message["type"], message["position"]
    weights = {
        "lights_out": 100, "chequered": 100, "red_flag": 100, "safety_car": 95, "vsc": 88, "green": 86,
        "last_lap": 80, "yellow": 62, "fastest_lap": 60, "penultimate_lap": 50,
    }  # fmt: skip
    if kind == "overtake":
        weight = {1: 92, 2: 78, 3: 75}.get(place, 58 if place <= 6 else 50 if place <= 10 else 42)
    elif kind == "retirement":
        weight = 90 if place <= 10 else 74
    elif kind == "finish":
        weight = {2: 79, 3: 78}.get(place, 0)
    elif kind in ("pit_in", "pit_out"):
        weight = 72 if place == 1 else 62 if place <= 3 else 48 if place <= 10 else 0
    else:
        weight = weights.get(kind, 0)
    return Moment(kind, message["tick"], weight, message) if weight else None


def describe(moment: Moment, race: Race) -> Telling | None:
    """What to say of it now; None when the board would contradict."""
    telling = _DESCRIBE[moment.kind](moment, race)
    if telling:
        laps(telling, race)
    return telling


def _happened(message: Record) -> Fact:
    return Fact("happened", (message["driver_code"], message["other_code"]), message["type"])


def _about(moment: Moment, race: Race, kind: str, type_: str = "info") -> Telling:
    """A telling about the message's driver as {a}, and the other driver as {b}."""
    message = moment.message
    codes = [code for code in (message["driver_code"], message["other_code"]) if code in race.cars]
    telling = Telling(kind, type_, [_happened(message)], subject=tuple(codes))
    for slot, code in zip("ab", codes, strict=False):
        driver(telling, slot, race.cars[code])
    return telling


def _lights_out(moment: Moment, race: Race) -> Telling | None:
    if race.phase != "race" or len(race.order) < 2:
        return None
    telling = Telling("lights_out", "highlight", [_happened(moment.message)])
    driver(telling, "a", race.at(1))
    driver(telling, "b", race.at(2))
    telling.offer("cars", str(len(race.running())), Fact("running", (), len(race.running())))
    telling.offer("laps", str(race.laps), Fact("laps", (), race.laps))
    for slot in ("a", "A"):
        telling.slots[f"{slot}_leads"] = telling.slots[slot]._replace(
            facts=(Fact("position", (race.order[0],), 1),)
        )
    return telling


def _overtake(moment: Moment, race: Race) -> Telling | None:
    message = moment.message
    who, whom, place = message["driver_code"], message["other_code"], message["position"]
    if who not in race.cars or whom not in race.cars:
        return None
    car, other = race.cars[who], race.cars[whom]
    if car["position"] != place or other["position"] < place or car["status"] != "racing":
        return None
    if other["status"] != "racing" or race.flag not in ("green", "yellow", "chequered"):
        return None
    again = message["tick"] - race.passes.get((whom, who), -1000) < 120
    kind = "lead_change" if place == 1 else "repass" if again else "overtake"
    telling = _about(moment, race, kind, "highlight" if place <= 3 else "info")
    telling.facts += [Fact("position", (who,), place), Fact("ahead", (who, whom))]
    pair(telling, car, other)
    moved(telling, "a", car)
    _passes(telling, who, race)
    return telling


def _passes(telling: Telling, who: str, race: Race) -> None:
    """{nth} third: the driver's pass of the race, from the second on."""
    done = race.pass_count.get(who, 0)
    if done >= 2:
        telling.offer("nth", ordinal(done), Fact("passes", (who,), done))


def _fastest_lap(moment: Moment, race: Race) -> Telling | None:
    message = moment.message
    if race.fastest != (message["driver_code"], message["value"]) or race.lap < 3:
        return None
    telling = _about(moment, race, "fastest_lap")
    telling.offer(
        "time", lap_time(message["value"]), Fact("fastest", (message["driver_code"],), message["value"])
    )
    return telling


def _pit_in(moment: Moment, race: Race) -> Telling | None:
    message = moment.message
    car = race.cars.get(message["driver_code"])
    if car is None or not car["pit"]:
        return None
    telling = _about(moment, race, "pit_in_lead" if message["position"] == 1 else "pit_in")
    if message["position"] > 0:
        telling.offer(
            "from",
            ordinal(message["position"]),
            Fact("message_position", (car["driver_code"],), message["position"]),
        )
    return telling


def _pit_out(moment: Moment, race: Race) -> Telling | None:
    message = moment.message
    car = race.cars.get(message["driver_code"])
    if car is None or car["pit"] or car["status"] != "racing":
        return None
    stood = message["value"]
    slow = stood is not None and stood >= 4.5
    telling = _about(moment, race, "slow_stop" if slow else "pit_out", "warning" if slow else "info")
    if stood is not None:
        telling.offer("stood", seconds(stood), Fact("stood", (car["driver_code"],), stood))
    if car["position"] > 1:
        ahead = race.at(car["position"] - 1)
        driver(telling, "b", ahead)
        telling.slots["behind"] = telling.slots["b"]._replace(
            facts=(Fact("next", (ahead["driver_code"], car["driver_code"])),)
        )
    return telling


def _retirement(moment: Moment, race: Race) -> Telling | None:
    message = moment.message
    car = race.cars.get(message["driver_code"])
    if car is None or car["status"] != "retired":
        return None
    telling = _about(moment, race, "retirement", "warning")
    running = len(race.running())
    telling.offer("left", str(running), Fact("running", (), running))
    if message["position"] > 0:
        telling.offer(
            "from",
            ordinal(message["position"]),
            Fact("message_position", (car["driver_code"],), message["position"]),
        )
    return telling


def _flag(moment: Moment, race: Race) -> Telling | None:
    """Yellow, virtual and real safety car, and green again: told while the flag is out."""
    if race.flag != moment.kind or race.phase != "race":
        return None
    telling = Telling(
        moment.kind, "highlight" if moment.kind == "green" else "warning", [_happened(moment.message)]
    )
    telling.facts.append(Fact("flag", (), race.flag))
    driver(telling, "a", race.at(1))
    driver(telling, "b", race.at(2))
    telling.slots["leader"] = telling.slots["a"]._replace(facts=(Fact("position", (race.order[0],), 1),))
    sector = race.leader["yellow_sector"]
    if sector:
        telling.offer("sector", str(sector), Fact("sector", (), sector))
    return telling


def _red_flag(moment: Moment, race: Race) -> Telling | None:
    telling = Telling("red_flag", "warning", [_happened(moment.message)])
    driver(telling, "a", race.at(1))
    telling.slots["leader"] = telling.slots["a"]._replace(facts=(Fact("position", (race.order[0],), 1),))
    return telling


def _closing(moment: Moment, race: Race) -> Telling | None:
    """The last lap, or the one before it: who leads, and by how much."""
    if race.phase != "race":
        return None
    telling = Telling(moment.kind, "highlight", [Fact("position", (race.order[0],), 1)])
    telling.facts.append(Fact("to_go", (), 1 if moment.kind == "last_lap" else 2))
    if race.laps - race.lap + 1 != telling.facts[-1].value:
        return None
    driver(telling, "a", race.at(1))
    driver(telling, "b", race.at(2))
    telling.facts.append(Fact("position", (race.order[1],), 2))
    pair(telling, race.at(1), race.at(2))
    return telling


def _chequered(moment: Moment, race: Race) -> Telling | None:
    winner = race.at(1)
    if winner["status"] != "finished":
        return None
    telling = Telling("chequered", "highlight", [Fact("winner", (winner["driver_code"],))])
    driver(telling, "a", winner)
    moved(telling, "a", winner)
    second = race.at(2)
    driver(telling, "b", second)
    if second["gap_s"] is not None and not second["laps_down"]:
        fact = Fact("gap", (second["driver_code"],), round(second["gap_s"], 1))
        gap(telling, "margin", second["gap_s"], fact)
    return telling


def _finish(moment: Moment, race: Race) -> Telling | None:
    message = moment.message
    car = race.cars.get(message["driver_code"])
    if car is None or car["status"] != "finished" or car["position"] != message["position"]:
        return None
    telling = _about(moment, race, "finish")
    telling.facts.append(Fact("position", (car["driver_code"],), car["position"]))
    driver(telling, "b", race.at(1))
    moved(telling, "a", car)
    if car["gap_s"] is not None and not car["laps_down"]:
        gap(telling, "margin", car["gap_s"], Fact("gap", (car["driver_code"],), round(car["gap_s"], 1)))
    return telling


_DESCRIBE: dict[str, Callable[[Moment, Race], Telling | None]] = {
    "lights_out": _lights_out,
    "overtake": _overtake,
    "fastest_lap": _fastest_lap,
    "pit_in": _pit_in,
    "pit_out": _pit_out,
    "retirement": _retirement,
    "yellow": _flag,
    "vsc": _flag,
    "safety_car": _flag,
    "green": _flag,
    "red_flag": _red_flag,
    "penultimate_lap": _closing,
    "last_lap": _closing,
    "chequered": _chequered,
    "finish": _finish,
}
