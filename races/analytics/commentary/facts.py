"""Slots that many kinds of line share: names, places, gaps, tyres and laps, each with the facts it claims."""

from __future__ import annotations

import re
from collections.abc import Iterable

from races.analytics.commentary.race_state import Race, Record
from races.analytics.commentary.words import Candidate, Fact, count, ordinal, plural, seconds, tenths

RACING = ("green", "yellow")
"""Flags under which places are won: yellow slows one sector only."""

STOP_FROM_LAPS = 8
"""A shorter race has no compulsory stop, so nobody is said to have one still to make."""

BIG_LEAD_S = 3.0
"""From here on a lead is something to lose."""

CARS = {"Racing Bulls": "Racing Bull"}
"""What one car is called where it isn't called like its team."""


def surname(car: Record) -> str:
    return str(car["driver_name"]).rpartition(" ")[2]


def car_name(car: Record) -> str:
    team = str(car["team_name"])
    return CARS.get(team, team)


def driver_names(car: Record) -> tuple[str, ...]:
    """Surname, first name and code, those that there are."""
    first, _, last = str(car["driver_name"]).rpartition(" ")
    return tuple(name for name in (last, first, code_of(car)) if name)


def named_in(text: str, cars: Iterable[Record]) -> tuple[str, ...]:
    """Returns the codes of the drivers whose surnames stand in the text, in the order in which they do."""
    found = ((re.search(rf"\b{re.escape(surname(car))}\b", text), code_of(car)) for car in cars)
    return tuple(code for _, code in sorted((match.start(), code) for match, code in found if match))


def team_names(car: Record) -> tuple[str, ...]:
    return str(car["team_name"]), car_name(car)


def code_of(car: Record) -> str:
    return str(car["driver_code"])


def positions(*cars: Record) -> list[Fact]:
    return [Fact("position", (code_of(car),), car["position"]) for car in cars]


def driver(candidate: Candidate, slot: str, car: Record) -> None:
    """Offers a driver's slots: {a} Norris, {a's} Norris's, {A} Lando Norris, {a_team} McLaren, {a_place} third ...

    From three places won or lost since the grid on it offers {a_gain} or {a_loss}, such as "five places"; {a_to_stop}
    is the name of a driver who has the compulsory stop still to make in the second half.
    """
    who = (code_of(car),)
    candidate.offer(slot, surname(car))
    candidate.offer(f"{slot}'s", f"{surname(car)}'s")
    candidate.offer(slot.upper(), car["driver_name"])
    candidate.offer(f"{slot}_team", car["team_name"], Fact("team", who, car["team_name"]))
    candidate.offer(f"{slot}_car", car_name(car), Fact("team", who, car["team_name"]))
    candidate.offer(f"{slot}_place", ordinal(car["position"]), *positions(car))
    candidate.offer(f"{slot}_p", f"P{car['position']}", *positions(car))
    if car["tyre"]:
        candidate.offer(f"{slot}_tyres", f"{car['tyre'].lower()}s", Fact("tyre", who, car["tyre"]))
        candidate.offer(f"{slot}_tyre", car["tyre"].lower(), Fact("tyre", who, car["tyre"]))
    if car["grid"] > 1:
        candidate.offer(f"{slot}_grid", ordinal(car["grid"]), Fact("grid", who, car["grid"]))
    second_half = car["laps"] < 2 * car["lap"] < 2 * car["laps"]
    if car["stops"] == 0 and not car["pit"] and car["laps"] >= STOP_FROM_LAPS and second_half:
        candidate.offer(f"{slot}_to_stop", surname(car), Fact("stops", who, 0))
    places = car["grid"] - car["position"] if car["grid"] else 0
    if abs(places) >= 3:
        name = f"{slot}_gain" if places > 0 else f"{slot}_loss"
        candidate.offer(name, plural(abs(places), "place"), Fact("gained", who, places))


def pair(candidate: Candidate, ahead: Record, behind: Record, slots: str = "ab") -> None:
    """Offers what two drivers have to do with each other: {interval}, {a_mate} of one team, {a_fresher} tyres.

    `slots` names the two: "ab" when the driver in slot a is ahead, "ba" when b is. {a_fresher} is such as "seven
    laps"; {a_unlike} and {b_unlike} are such as "softs", where the tyres differ.
    """
    who = (code_of(ahead), code_of(behind))
    if ahead["team_name"] == behind["team_name"]:
        mates = Fact("team_mates", who)
        candidate.offer(f"{slots[0]}_mate", f"team-mate {surname(ahead)}", mates)
        candidate.offer(f"{slots[1]}_mate", f"team-mate {surname(behind)}", mates)
        candidate.offer("both_team", ahead["team_name"], mates)
    else:
        for slot in slots:
            candidate.slots[f"{slot}_rival_car"] = candidate.slots[f"{slot}_car"]
    if behind["position"] == ahead["position"] + 1 and behind["interval_s"] is not None:
        gap(candidate, "interval", behind["interval_s"], "interval", who)
    for one, two, slot in ((ahead, behind, slots[0]), (behind, ahead, slots[1])):
        younger = two["tyre_age"] - one["tyre_age"]
        if younger >= 3 and not one["pit"] and not two["pit"]:
            fresher = Fact("fresher", (code_of(one), code_of(two)), younger)
            candidate.offer(f"{slot}_fresher", plural(younger, "lap"), fresher)
        if one["tyre"] and two["tyre"] and one["tyre"] != two["tyre"]:
            fact = Fact("tyre", (code_of(one),), one["tyre"])
            candidate.offer(f"{slot}_unlike", f"{one['tyre'].lower()}s", fact)


def gap(candidate: Candidate, slot: str, value: float, claim: str, who: tuple[str, ...]) -> None:
    """Offers {slot} "0.8 seconds" and {slot_tenths} "eight tenths"; nothing for a gap that rounds to nothing."""
    spoken = round(value, 1)
    if spoken <= 0:
        return
    fact = Fact(claim, who, spoken)
    candidate.offer(slot, seconds(spoken), fact)
    words = tenths(spoken)
    if words:
        candidate.offer(f"{slot}_tenths", words, fact)


def laps(candidate: Candidate, race: Race) -> None:
    """Offers the leader's {lap} 7, {laps} 12, {distance} 12 laps and {to_go} six laps, the lap begun included."""
    distance = Fact("laps", (), race.laps)
    candidate.offer("laps", str(race.laps), distance)
    candidate.offer("distance", f"{race.laps} lap{'' if race.laps == 1 else 's'}", distance)
    if race.lap < 1 or race.phase != "race":
        return
    to_go = race.laps - race.lap + 1
    candidate.offer("lap", str(race.lap), Fact("lap", (), race.lap))
    if to_go > 1:
        candidate.offer("to_go", f"{count(to_go)} laps", Fact("to_go", (), to_go))


def leader(candidate: Candidate, race: Race) -> None:
    """Offers {leader}, {second}, {lead} between them, and {big_lead} from BIG_LEAD_S on."""
    first, second = race.at(1), race.at(2)
    candidate.offer("leader", surname(first), *positions(first))
    candidate.offer("leader's", f"{surname(first)}'s", *positions(first))
    candidate.offer(
        "leader_car",
        car_name(first),
        *positions(first),
        Fact("team", (code_of(first),), first["team_name"]),
    )
    candidate.offer("second", surname(second), *positions(second))
    if second["interval_s"] is not None and not second["laps_down"]:
        for slot, least in (("lead", 0.0), ("big_lead", BIG_LEAD_S)):
            if second["interval_s"] >= least:
                gap(candidate, slot, second["interval_s"], "interval", (code_of(first), code_of(second)))
