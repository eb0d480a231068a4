"""Moments: what race control announces, its weight, and what can be said of it while it is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from races.analytics.commentary_facts import code_of, driver, gap, laps, leader, pair, positions, surname
from races.analytics.commentary_race import Race, Record
from races.analytics.commentary_words import Fact, Telling, lap_time, ordinal, plural, seconds

BIG = 70
"""From this weight on a moment is told as soon as the last line is two seconds old."""
MIDDLING = 58
RACING = ("green", "yellow")
"""Under a yellow flag only one sector is slow; the race goes on."""
LAST_CHANCE = 110
"""From this weight on it is told at once, whatever was said before: the race has no later tick."""

REPASS_TICKS = 100
SLOW_STOP_S = 4.5
QUICK_STOP_S = 2.4
EARLY_FASTEST = 44
EARLY_LAPS = 3  # until then nearly every lap is the fastest of the race

_WEIGHTS = {
    "red_flag": LAST_CHANCE, "lights_out": 100, "chequered": 100, "safety_car": 95, "vsc": 88, "green": 86,
    "last_lap": 80, "safety_car_ending": 74, "yellow": 71, "vsc_ending": 62, "fastest_lap": 60,
    "opening_lap": 44,
}  # fmt: skip


_ANY = 1000
_BY_PLACE = {  # (down to this place, weight); a retirement in the garage names place 0
    "overtake": ((1, 92), (2, 78), (3, 75), (6, 60), (10, 52), (14, 44), (_ANY, 36)),
    "retirement": ((0, 76), (10, 90), (_ANY, 76)),
    "pit_in": ((1, 72), (3, 61), (10, 44), (_ANY, 0)),
    "pit_out": ((1, 72), (3, 61), (10, 44), (_ANY, 0)),
}


@dataclass(frozen=True, slots=True)
class Moment:
    kind: str
    tick: int
    weight: int
    message: Record


def announced(message: Record, race: Race) -> Moment | None:
    """A race-control message as something to tell; None for what nobody needs to hear about."""
    kind = message["type"]
    if kind == "overtake" and race.was_ahead(message):
        kind = "opening_lap"
    weight = _weight(kind, message["position"])
    if kind == "fastest_lap" and race.cars and 2 * race.lap <= race.laps:
        weight = EARLY_FASTEST  # there will be better ones
    return Moment(kind, message["tick"], weight, message) if weight else None


def observed(race: Race) -> Iterator[Moment]:
    """What the newest tick itself shows: a lead that changed without a pass, and who comes home after the winner."""
    if len(race.leads) >= 2 and race.leads[-1].tick == race.tick and race.phase == "race":
        new, old = race.leads[-1].who, race.leads[-2].who
        if race.passes.get((new, old), -100) < race.tick - 5:
            yield _seen("lead", race, 82, new, old)
    podium = race.podium() if race.finished_now else []
    if any(code in race.finished_now for code in podium):
        yield _seen("podium", race, 85, race.order[0])
    for code in race.finished_now if not podium else []:
        if race.cars[code]["position"] in (2, 3):
            yield _seen("finish", race, 78, code)
    if race.laps > 3 and race.lap_begun == race.laps - 1:
        yield _seen("penultimate_lap", race, 59, race.order[0])


def _seen(kind: str, race: Race, weight: int, code: str, other: str = "") -> Moment:
    place = race.cars[code]["position"]
    message = {"type": kind, "driver_code": code, "other_code": other, "position": place}
    return Moment(kind, race.tick, weight, message)


def _weight(kind: str, place: int) -> int:
    """Of a message; for those that name a place, the better the place the more."""
    if kind in _BY_PLACE:
        return next(weight for until, weight in _BY_PLACE[kind] if place <= until)
    return _WEIGHTS.get(kind, 0)


def describe(moment: Moment, race: Race) -> Telling | None:
    """What to say of it now; None when the board would contradict."""
    telling = _DESCRIBE[moment.kind](moment, race)
    if telling:
        laps(telling, race)
    return telling


def _telling(moment: Moment, race: Race, kind: str, type_: str) -> Telling:
    """About the message's driver as {a}, and the other driver, if any, as {b}."""
    message = moment.message
    codes = tuple(code for code in (message["driver_code"], message["other_code"]) if code in race.cars)
    happened = Fact("happened", codes, moment.kind)
    telling = Telling(kind, type_, [happened], subject=codes)
    for slot, code in zip("ab", codes, strict=False):
        driver(telling, slot, race.cars[code])
    return telling


def _from(telling: Telling, message: Record) -> None:
    """{from} third: the place that the message names, held before what happened."""
    if message["position"] > 0:
        fact = Fact("message_position", (message["driver_code"],), message["position"])
        telling.offer("from", ordinal(message["position"]), fact)


def _lights_out(moment: Moment, race: Race) -> Telling | None:
    telling = Telling("lights_out", "highlight", [Fact("happened", (), "lights_out")])
    leader(telling, race)
    running = len(race.running())
    telling.offer("cars", str(running), Fact("running", (), running))
    return telling if race.phase == "race" else None


def _overtake(moment: Moment, race: Race) -> Telling | None:
    who, whom = (race.cars.get(moment.message[name]) for name in ("driver_code", "other_code"))
    place = moment.message["position"]
    if who is None or whom is None or who["position"] != place or whom["position"] < place:
        return None
    if who["status"] != "racing" or whom["status"] != "racing" or race.flag not in (*RACING, "chequered"):
        return None
    telling = _telling(moment, race, _overtake_kind(moment, race), "highlight" if place <= 3 else "info")
    telling.facts += [*positions(who), Fact("ahead", (code_of(who), code_of(whom)))]
    pair(telling, who, whom)
    done = race.pass_count.get(code_of(who), 0)
    if done >= 3:
        telling.offer("nth", ordinal(done), Fact("passes", (code_of(who),), done))
    return telling


def _overtake_kind(moment: Moment, race: Race) -> str:
    who, whom = moment.message["driver_code"], moment.message["other_code"]
    if moment.message["position"] == 1:
        return "lead_regained" if race.led_before(who) else "lead_change"
    lost = race.passes.get((whom, who), -REPASS_TICKS)
    return "repass" if 0 < moment.tick - lost < REPASS_TICKS else "overtake"


def _lead(moment: Moment, race: Race) -> Telling | None:
    """The lead has gone to somebody who did not pass for it on the track."""
    new, old = (race.cars[moment.message[name]] for name in ("driver_code", "other_code"))
    if new["position"] != 1:
        return None
    kind = "lost_lead"
    if race.stopped_lately(code_of(old)):
        kind = "inherited_lead"
    elif old["status"] == "racing" and race.flag in RACING and race.lap <= 1:
        kind = "start_lead"
    facts = [*positions(new), Fact("led_before", (code_of(old),))]
    telling = Telling(kind, "highlight", facts, subject=(code_of(new), code_of(old)))
    driver(telling, "a", new)
    driver(telling, "b", old)
    if kind == "inherited_lead":
        telling.facts.append(Fact("stopped_lately", (code_of(old),)))
    if old["pit"]:
        telling.offer("b_in", surname(old), Fact("pit", (code_of(old),)))
    if kind == "start_lead":
        telling.facts.append(Fact("lap", (), 1))
    return telling


def _opening_lap(moment: Moment, race: Race) -> Telling | None:
    """Race control sums up the first lap for each car that has gained places in it."""
    car = race.cars.get(moment.message["driver_code"])
    if car is None or car["position"] != moment.message["position"] or car["grid"] - car["position"] < 3:
        return None
    telling = Telling("opening_lap", "info", [Fact("happened", (code_of(car),), "overtake"), *positions(car)])
    telling.subject = (code_of(car),)
    driver(telling, "a", car)
    return telling


def _fastest_lap(moment: Moment, race: Race) -> Telling | None:
    who, value = moment.message["driver_code"], moment.message["value"]
    if race.fastest != (who, value) or race.lap <= EARLY_LAPS or who not in race.cars:
        return None
    telling = _telling(moment, race, "fastest_lap", "info")
    telling.offer("time", lap_time(value), Fact("fastest", (who,), value))
    before = race.fastest_before
    if before and before != who:
        telling.offer("holder", surname(race.cars[before]), Fact("fastest_before", (before,)))
    return telling


def _pit_in(moment: Moment, race: Race) -> Telling | None:
    who = moment.message["driver_code"]
    car, stops = race.cars.get(who), race.stops.get(who, [])
    if car is None or not car["pit"]:
        return None
    led = moment.message["position"] == 1
    telling = _telling(moment, race, "pit_in_lead" if led else "pit_in", "info")
    telling.facts.append(Fact("pit", (who,)))
    _from(telling, moment.message)
    if stops and stops[-1].tyre_age >= 4:
        old = stops[-1]
        fact = Fact("came_in_on", (who,), f"{old.tyre} {old.tyre_age}")
        telling.offer("old", f"{old.tyre.lower()}s", fact)
        telling.offer("stint", plural(old.tyre_age, "lap"), fact)
    return telling


def _pit_out(moment: Moment, race: Race) -> Telling | None:
    who, stood = moment.message["driver_code"], moment.message["value"]
    car = race.cars.get(who)
    if car is None or car["pit"] or car["status"] != "racing":
        return None
    jumped = _jumped(car, race)
    slow = stood is not None and stood >= SLOW_STOP_S
    kind = "slow_stop" if slow else "undercut" if jumped else "pit_out"
    telling = _telling(moment, race, kind, "warning" if slow else "highlight" if jumped else "info")
    if stood is not None:
        _stood(telling, who, stood)
    if jumped and kind == "undercut":
        _swapped(telling, car, jumped)
    else:
        _rejoined(telling, car, race)
    return telling


def _stood(telling: Telling, who: str, stood: float) -> None:
    fact = Fact("stood", (who,), round(stood, 1))
    telling.offer("stood", seconds(stood), fact)
    if stood <= QUICK_STOP_S:
        telling.offer("quick", seconds(stood), fact)


def _rejoined(telling: Telling, car: Record, race: Race) -> None:
    """{behind} the next car on the road, and {clear} when nobody is near."""
    ahead = race.ahead_of(car)
    if ahead is None:
        return
    who = (code_of(ahead), code_of(car))
    telling.offer("behind", surname(ahead), Fact("next", who))
    if car["interval_s"] is not None and car["interval_s"] > 0:
        gap(telling, "to_next", car["interval_s"], "interval", who)


def _jumped(car: Record, race: Race) -> Record | None:
    """A rival who has just come out behind a car that stopped earlier and was behind him then: the undercut.

    `car` is the one that comes out; the answer is the one that has gained by stopping first.
    """
    stops = race.stops.get(code_of(car), [])
    for code, theirs in race.stops.items() if stops else ():
        rival = race.cars[code]
        first = theirs[-1]
        if len(theirs) != len(stops) or not 0 < stops[-1].tick - first.tick <= 120 or rival["pit"]:
            continue
        order = first.order
        if order.index(code_of(car)) + 1 == order.index(code) and rival["position"] < car["position"]:
            return rival
    return None


def _swapped(telling: Telling, car: Record, rival: Record) -> None:
    driver(telling, "a", rival)
    driver(telling, "b", car)
    who = (code_of(rival), code_of(car))
    telling.facts += [Fact("ahead", who), Fact("undercut", who)]
    telling.subject = who


def _retirement(moment: Moment, race: Race) -> Telling | None:
    car = race.cars.get(moment.message["driver_code"])
    if car is None or car["status"] != "retired":
        return None
    telling = _telling(moment, race, "retirement", "warning")
    running = len(race.running())
    telling.offer("left", str(running), Fact("running", (), running))
    _from(telling, moment.message)
    mates = [c for c in race.cars.values() if c["team_name"] == car["team_name"] and c is not car]
    if mates and all(mate["status"] == "retired" for mate in mates):
        out = Fact("retired", tuple(code_of(mate) for mate in mates))
        telling.offer("none_left", car["team_name"], out, Fact("team", (code_of(car),), car["team_name"]))
    elif mates:
        telling.offer(
            "mate",
            surname(mates[0]),
            Fact("team_mates", (code_of(car), code_of(mates[0]))),
        )
    return telling


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
    """The safety car comes in at the end of this lap, the virtual one ends within seconds."""
    if race.flag != moment.kind.removesuffix("_ending"):
        return None
    facts = [Fact("happened", (), moment.kind), Fact("flag", (), race.flag)]
    telling = Telling(moment.kind, "info", facts)
    leader(telling, race)
    return telling


def _red_flag(moment: Moment, race: Race) -> Telling | None:
    telling = Telling("red_flag", "warning", [Fact("happened", (), "red_flag"), Fact("flag", (), "red")])
    leader(telling, race)
    return telling if race.flag == "red" else None


def _closing(moment: Moment, race: Race) -> Telling | None:
    """The last lap, or the one before it: who leads, and by how much."""
    to_go = 1 if moment.kind == "last_lap" else 2
    if race.phase != "race" or race.laps - race.lap + 1 != to_go:
        return None
    first, second = race.at(1), race.at(2)
    telling = Telling(moment.kind, "highlight", [*positions(first, second), Fact("to_go", (), to_go)])
    driver(telling, "a", first)
    driver(telling, "b", second)
    pair(telling, first, second)
    if race.flag in ("vsc", "safety_car"):
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
    if len(race.leads) == 1 and winner["grid"] == 1:
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


_DESCRIBE: dict[str, Callable[[Moment, Race], Telling | None]] = {
    "lights_out": _lights_out,
    "overtake": _overtake,
    "opening_lap": _opening_lap,
    "lead": _lead,
    "fastest_lap": _fastest_lap,
    "pit_in": _pit_in,
    "pit_out": _pit_out,
    "retirement": _retirement,
    "yellow": _flag,
    "vsc": _flag,
    "safety_car": _flag,
    "green": _flag,
    "safety_car_ending": _ending,
    "vsc_ending": _ending,
    "red_flag": _red_flag,
    "penultimate_lap": _closing,
    "last_lap": _closing,
    "chequered": _chequered,
    "finish": _finish,
    "podium": _podium,
}
