"""Slots that many kinds of line share: names, places, gaps, tyres and laps, each with the facts it claims."""

from __future__ import annotations

from races.analytics.commentary_race import Race, Record
from races.analytics.commentary_words import Fact, Telling, count, ordinal, plural, seconds, tenths

GREEN = ("green", "yellow")
"""Flags under which the field races: yellow covers one sector only."""


def surname(car: Record) -> str:
    return str(car["driver_name"]).rpartition(" ")[2]


def driver(telling: Telling, slot: str, car: Record) -> None:
    """{a} Norris, {a's} Norris's, {A} Lando Norris, {a_team} McLaren, {a_place} third, {a_tyres} softs."""
    code, name, place = car["driver_code"], surname(car), car["position"]
    here = Fact("position", (code,), place)
    telling.offer(slot, name)
    telling.offer(f"{slot}'s", f"{name}'s")
    telling.offer(slot.upper(), car["driver_name"])
    telling.offer(f"{slot}_team", car["team_name"], Fact("team", (code,), car["team_name"]))
    telling.offer(f"{slot}_place", ordinal(place), here)
    telling.offer(f"{slot}_p", f"P{place}", here)
    if car["tyre"]:
        telling.offer(f"{slot}_tyres", f"{car['tyre'].lower()}s", Fact("tyre", (code,), car["tyre"]))
    if car["grid"]:
        telling.offer(f"{slot}_grid", ordinal(car["grid"]), Fact("grid", (code,), car["grid"]))


def pair(telling: Telling, first: Record, second: Record) -> None:
    """{interval} between two neighbours, {a_mate} when they share a garage."""
    who = (first["driver_code"], second["driver_code"])
    if first["team_name"] == second["team_name"]:
        mates = Fact("team_mates", who)
        telling.offer("a_mate", f"team-mate {surname(first)}", mates)
        telling.offer("b_mate", f"team-mate {surname(second)}", mates)
        telling.offer("both_team", first["team_name"], mates)
    if second["position"] == first["position"] + 1 and second["interval_s"] is not None:
        gap(telling, "interval", second["interval_s"], Fact("interval", who, round(second["interval_s"], 1)))


def gap(telling: Telling, slot: str, value: float, fact: Fact) -> None:
    """{slot} 0.8 seconds, {slot_tenths} eight tenths. A gap that rounds to nothing is not spoken of."""
    if round(value, 1) <= 0:
        return
    telling.offer(slot, seconds(value), fact)
    spoken = tenths(value)
    if spoken:
        telling.offer(f"{slot}_tenths", spoken, fact)


def moved(telling: Telling, slot: str, car: Record) -> None:
    """{a_gain} five places: since the grid, when it is worth a word."""
    places = car["grid"] - car["position"] if car["grid"] else 0
    if abs(places) >= 3:
        name = f"{slot}_gain" if places > 0 else f"{slot}_loss"
        telling.offer(name, plural(abs(places), "place"), Fact("gained", (car["driver_code"],), places))


def laps(telling: Telling, race: Race) -> None:
    """{lap} 7, {laps} 12, {to_go} five laps: the leader's, the one begun included in those to go."""
    if race.lap < 1:
        return
    to_go = race.laps - race.lap + 1
    telling.offer("lap", str(race.lap), Fact("lap", (), race.lap))
    telling.offer("laps", str(race.laps), Fact("laps", (), race.laps))
    if to_go > 1:
        telling.offer("to_go", f"{count(to_go)} laps", Fact("to_go", (), to_go))
