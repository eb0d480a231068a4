"""What can be said of a car's moment while the board agrees: a pass, the lead, a stop, the end of its race."""

from __future__ import annotations

from collections.abc import Callable

from races.analytics.commentary.facts import RACING, code_of, driver, gap, pair, positions, surname
from races.analytics.commentary.moments import Moment
from races.analytics.commentary.race_state import Race, Record
from races.analytics.commentary.words import Candidate, Fact, count, lap_time, ordinal, plural, seconds

REPASS_TICKS = 100
SLOW_STOP_S = 4.5
QUICK_STOP_S = 2.4
ALARMS = {"overheating": "engine_hot", "spike": "engine_jump", "stuck_sensor": "engine_stuck"}
"""The kinds of alarms, and those of the lines about them."""
FREE_S = 1.5  # to the car ahead: nobody holds this one up
OLD_TYRES = 4  # laps
PODIUM, IN_THE_POINTS = 3, 10
CAUSES = {"ACCIDENT": "accident", "MECHANICAL FAILURE": "failure", "RETIRES IN THE PITS": "garaged"}
"""What race control's message on a retirement says, and the slot that holds the driver's name then."""
EARLY_LAPS = 3  # until then nearly every lap is the fastest of the race


def _candidate(moment: Moment, race: Race, kind: str, type_: str) -> Candidate:
    """A candidate about the message's driver as {a} and the other driver, if any, as {b}."""
    message = moment.message
    codes = tuple(code for code in (message["driver_code"], message["other_code"]) if code in race.cars)
    happened = Fact("happened", codes, moment.kind)
    candidate = Candidate(kind, type_, [happened], subject=codes)
    for slot, code in zip("ab", codes, strict=False):
        driver(candidate, slot, race.cars[code])
    return candidate


def _from(candidate: Candidate, message: Record) -> None:
    """Offers {from}, such as "third": the place that the message names, held before what happened.

    {from_front} and {from_points} are the same for a place that hurts to lose.
    """
    place = message["position"]
    for name, last in (("from", place), ("from_front", PODIUM), ("from_points", IN_THE_POINTS)):
        if 0 < place <= last:
            candidate.offer(name, ordinal(place), Fact("message_position", (message["driver_code"],), place))


def overtake(moment: Moment, race: Race) -> Candidate | None:
    who, whom = (race.cars.get(moment.message[name]) for name in ("driver_code", "other_code"))
    place = moment.message["position"]
    if who is None or whom is None or who["position"] != place or whom["position"] < place:
        return None
    if who["status"] != "racing" or whom["status"] != "racing" or race.flag not in (*RACING, "chequered"):
        return None
    if place == 1:
        kind = "lead_regained" if race.led_before(code_of(who)) else "lead_change"
    else:
        lost = race.passes.get((code_of(whom), code_of(who)), -REPASS_TICKS)
        kind = "repass" if 0 < moment.tick - lost < REPASS_TICKS else "overtake"
    candidate = _candidate(moment, race, kind, "highlight" if place <= 3 else "info")
    candidate.facts += [*positions(who), Fact("ahead", (code_of(who), code_of(whom)))]
    pair(candidate, who, whom)
    done = race.pass_count.get(code_of(who), 0)
    if done >= 3:
        candidate.offer("nth", ordinal(done), Fact("passes", (code_of(who),), done))
    return candidate


def lead(moment: Moment, race: Race) -> Candidate | None:
    """Covers a lead that went to somebody who did not pass for it on the track."""
    new, old = (race.cars[moment.message[name]] for name in ("driver_code", "other_code"))
    if new["position"] != 1:
        return None
    kind = "lost_lead"
    if race.stopped_lately(code_of(old)):
        kind = "inherited_lead"
    elif old["status"] == "racing" and race.flag in RACING and race.lap <= 1 and len(race.leads) == 2:
        kind = "start_lead"
    facts = [*positions(new), Fact("led_before", (code_of(old),))]
    candidate = Candidate(kind, "highlight", facts, subject=(code_of(new), code_of(old)))
    driver(candidate, "a", new)
    driver(candidate, "b", old)
    if kind == "inherited_lead":
        candidate.facts.append(Fact("stopped_lately", (code_of(old),)))
    if old["pit"]:
        candidate.offer("b_in", surname(old), Fact("pit", (code_of(old),)))
    if kind == "start_lead":
        candidate.facts.append(Fact("lap", (), 1))
    return candidate


def opening_lap(moment: Moment, race: Race) -> Candidate | None:
    """Race control sums up the first lap for each car that has gained places in it."""
    car = race.cars.get(moment.message["driver_code"])
    if car is None or car["position"] != moment.message["position"] or car["grid"] - car["position"] < 3:
        return None
    candidate = Candidate(
        "opening_lap", "info", [Fact("happened", (code_of(car),), "overtake"), *positions(car)]
    )
    candidate.subject = (code_of(car),)
    driver(candidate, "a", car)
    return candidate


def fastest_lap(moment: Moment, race: Race) -> Candidate | None:
    who, value = moment.message["driver_code"], moment.message["value"]
    if race.fastest != (who, value) or race.lap <= EARLY_LAPS or who not in race.cars:
        return None
    home = race.cars[who]["status"] == "finished"  # nobody flies any more
    candidate = _candidate(moment, race, "fastest_home" if home else "fastest_lap", "info")
    candidate.offer("time", lap_time(value), Fact("fastest", (who,), value))
    before = race.fastest_before
    if before and before != who:
        candidate.offer("holder", surname(race.cars[before]), Fact("fastest_before", (before,)))
    return candidate


def pit_in(moment: Moment, race: Race) -> Candidate | None:
    who = moment.message["driver_code"]
    car, stops = race.cars.get(who), race.stops.get(who, [])
    if car is None or not car["pit"]:
        return None
    leads = moment.message["position"] == car["position"] == 1
    candidate = _candidate(moment, race, "pit_in_lead" if leads else "pit_in", "info")
    candidate.facts += [Fact("pit", (who,)), *(positions(car) if leads else [])]
    _from(candidate, moment.message)
    if stops and stops[-1].tyre_age >= 4:
        old = stops[-1]
        fact = Fact("came_in_on", (who,), f"{old.tyre} {old.tyre_age}")
        candidate.offer("old", f"{old.tyre.lower()}s", fact)
        candidate.offer("stint", plural(old.tyre_age, "lap"), fact)
    return candidate


def pit_out(moment: Moment, race: Race) -> Candidate | None:
    who, stood = moment.message["driver_code"], moment.message["value"]
    car = race.cars.get(who)
    if car is None or car["pit"] or car["status"] != "racing":
        return None
    jumped = _jumped(car, race)
    slow = stood is not None and stood >= SLOW_STOP_S
    kind = "slow_stop" if slow else "undercut" if jumped else "pit_out"
    candidate = _candidate(moment, race, kind, "warning" if slow else "highlight" if jumped else "info")
    if stood is not None:
        fact = Fact("stood", (who,), round(stood, 1))
        candidate.offer("stood", seconds(stood), fact)
        if stood <= QUICK_STOP_S:
            candidate.offer("quick", seconds(stood), fact)
    ahead = race.ahead_of(car)
    if jumped and kind == "undercut":
        pair_of = (code_of(jumped), who)
        driver(candidate, "a", jumped)
        driver(candidate, "b", car)
        candidate.facts += [Fact("ahead", pair_of), Fact("undercut", pair_of)]
        candidate.subject = pair_of
    elif ahead is not None:  # the next car on the road, and the gap to it
        candidate.offer("behind", surname(ahead), Fact("next", (code_of(ahead), who)))
        if car["interval_s"] is not None and car["interval_s"] > 0:
            gap(candidate, "to_next", car["interval_s"], "interval", (code_of(ahead), who))
    return candidate


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


def off_track(moment: Moment, race: Race) -> Candidate | None:
    """A mistake: the car ran wide and goes on."""
    who, lost = moment.message["driver_code"], moment.message["value"]
    car = race.cars.get(who)
    if car is None or car["status"] != "racing" or race.phase != "race":
        return None
    candidate = _candidate(moment, race, "off_track", "info")
    if lost is not None:
        candidate.offer("lost", seconds(lost), Fact("lost", (who,), round(lost, 1)))
    return candidate


def retirement(moment: Moment, race: Race) -> Candidate | None:
    car = race.cars.get(moment.message["driver_code"])
    if car is None or car["status"] != "retired":
        return None
    candidate = _candidate(moment, race, "retirement", "warning")
    running = len(race.running())
    candidate.offer("left", count(running), Fact("running", (), running))
    for words, slot in CAUSES.items():
        if words in moment.message["message"]:
            candidate.offer(slot, surname(car), Fact("cause", (code_of(car),), words))
    _from(candidate, moment.message)
    mates = [c for c in race.cars.values() if c["team_name"] == car["team_name"] and c is not car]
    if mates and all(mate["status"] == "retired" for mate in mates):
        out = Fact("retired", tuple(code_of(mate) for mate in mates))
        candidate.offer("none_left", car["team_name"], out, Fact("team", (code_of(car),), car["team_name"]))
    elif mates:
        candidate.offer(
            "mate",
            surname(mates[0]),
            Fact("team_mates", (code_of(car), code_of(mates[0]))),
        )
    return candidate


def slow_lap(moment: Moment, race: Race) -> Candidate | None:
    """A lap like others, and slow; the second one in a row without a car just ahead can only be the tyres."""
    who = moment.message["driver_code"]
    car, slow = race.cars[who], race.slow_laps(who)
    newest = race.crossings[who][-1]
    off = round(newest.off_s or 0.0, 1)
    if newest.tick != moment.tick or not slow or car["status"] != "racing" or car["pit"] or off <= 0:
        return None
    alone = all((end.interval_s or FREE_S) >= FREE_S for end in race.crossings[who][-2:])
    gone = slow >= 2 and alone and car["tyre_age"] >= OLD_TYRES and car["tyre"]
    laps_off = 2 if gone else 1
    candidate = _candidate(moment, race, "tyres_gone" if gone else "slow_lap", "warning" if gone else "info")
    candidate.facts = [Fact("slow_laps", (who,), laps_off)]
    candidate.offer("off", seconds(off), Fact("off_best", (who,), off))
    if car["tyre_age"] >= OLD_TYRES:
        candidate.offer("age", plural(car["tyre_age"], "lap"), Fact("tyre_age", (who,), car["tyre_age"]))
    return candidate


def alarm(moment: Moment, race: Race) -> Candidate | None:
    """An engine alarm of a car that is racing, as the rule on the anomalies raised it."""
    who, size = moment.message["driver_code"], moment.message["value"]
    if who not in race.cars or race.cars[who]["status"] != "racing" or race.phase != "race":
        return None
    candidate = _candidate(moment, race, ALARMS[moment.kind], "warning")
    candidate.facts = [Fact("alarm", (who,), moment.kind)]
    if size:
        candidate.offer("degrees", plural(int(size), "degree"), Fact("alarm_size", (who,), int(size)))
    return candidate


ABOUT_CARS: dict[str, Callable[[Moment, Race], Candidate | None]] = {
    "overtake": overtake,
    "opening_lap": opening_lap,
    "lead": lead,
    "fastest_lap": fastest_lap,
    "pit_in": pit_in,
    "pit_out": pit_out,
    "off_track": off_track,
    "retirement": retirement,
    "slow_lap": slow_lap,
    "overheating": alarm,
    "spike": alarm,
    "stuck_sensor": alarm,
}
