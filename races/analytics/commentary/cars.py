"""What can be said of a car's moment while the board agrees: a pass, the lead, a stop, the end of its race."""

from __future__ import annotations

from collections.abc import Callable

from races.analytics.commentary.facts import RACING, code_of, driver, gap, pair, positions, surname
from races.analytics.commentary.moments import Moment
from races.analytics.commentary.race_state import Race, Record
from races.analytics.commentary.words import Fact, Telling, lap_time, ordinal, plural, seconds

REPASS_TICKS = 100
SLOW_STOP_S = 4.5
QUICK_STOP_S = 2.4
PODIUM, IN_THE_POINTS = 3, 10
EARLY_LAPS = 3  # until then nearly every lap is the fastest of the race


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
    """{from} third: the place that the message names, held before what happened. {from_front}, {from_points}: the same
    where it was one that hurts to lose."""
    place = message["position"]
    for name, last in (("from", place), ("from_front", PODIUM), ("from_points", IN_THE_POINTS)):
        if 0 < place <= last:
            telling.offer(name, ordinal(place), Fact("message_position", (message["driver_code"],), place))


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


ABOUT_CARS: dict[str, Callable[[Moment, Race], Telling | None]] = {
    "overtake": _overtake,
    "opening_lap": _opening_lap,
    "lead": _lead,
    "fastest_lap": _fastest_lap,
    "pit_in": _pit_in,
    "pit_out": _pit_out,
    "retirement": _retirement,
}
