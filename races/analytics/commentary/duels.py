"""Stories about cars that are near each other: battles that build over laps, catches, trains."""

from __future__ import annotations

from collections.abc import Iterator

from races.analytics.commentary.facts import code_of, driver, gap, laps, pair, positions
from races.analytics.commentary.race_state import Crossing, Race, Record
from races.analytics.commentary.words import Candidate, Fact, count, seconds, tenths

CLOSE_S = 1.0
"""The regulations' own measure: within it the car behind may use its overtake mode."""
RIGHT_BEHIND_S = 0.4
MUCH_S = 0.8
NEAR_S = 6.0


def duels(race: Race) -> Iterator[tuple[int, Candidate]]:
    """Battles and catches for every place, trains, with a weight that falls with the place."""
    for car in race.running()[1:]:
        ahead = race.ahead_of(car)
        if ahead is None or car["interval_s"] is None or car["laps_down"] != ahead["laps_down"]:
            continue
        if car["status"] != "racing" or ahead["status"] != "racing":
            continue
        for weight, candidate in (*_battle(race, ahead, car), *_catch(race, ahead, car)):
            pair(candidate, ahead, car)
            laps(candidate, race)
            yield weight - car["position"] + (8 if car["position"] <= 4 else 0), candidate
    yield from _trains(race)


def _duel(kind: str, facts: list[Fact], ahead: Record, behind: Record) -> Candidate:
    who = (code_of(ahead), code_of(behind))
    candidate = Candidate(kind, "info", [Fact("next", who), *facts], subject=who)
    driver(candidate, "a", ahead)
    driver(candidate, "b", behind)
    return candidate


def _battle(race: Race, ahead: Record, behind: Record) -> Iterator[tuple[int, Candidate]]:
    """A battle: two cars within a second of each other. The longer it lasts, the more it weighs."""
    who = (code_of(ahead), code_of(behind))
    if behind["interval_s"] > CLOSE_S or not race.settled:
        return
    close = laps_close(race, ahead, behind)
    candidate = _duel("battle", [Fact("within", who, CLOSE_S)], ahead, behind)
    if close >= 2:
        candidate.kind = "long_battle"
        candidate.offer("close", f"{count(close)} laps", Fact("laps_close", who, close))
    few = tenths(behind["interval_s"]) if behind["interval_s"] <= RIGHT_BEHIND_S else None
    if few:
        candidate.offer("few", few, Fact("interval", who, round(behind["interval_s"], 1)))
    if behind["overtake_mode"]:
        candidate.offer("b_mode", candidate.slots["b"].text, Fact("overtake_mode", who[1:]))
    swaps = sum(pair in race.passes for pair in (who, who[::-1]))
    if swaps == 2:
        candidate.offer("b_back", candidate.slots["b"].text, Fact("swapped", who))
    yield 38 + 2 * min(close, 5), candidate


def laps_close(race: Race, ahead: Record, behind: Record) -> int:
    """How many of the newest laps in a row the one has ended within a second of the other."""
    close = 0
    for crossing in reversed(race.crossings.get(code_of(behind), [])):
        if crossing.tick <= race.racing_since or crossing.ahead != code_of(ahead):
            break
        if crossing.interval_s is None or crossing.interval_s > CLOSE_S:
            break
        close += 1
    return close


def _catch(race: Race, ahead: Record, behind: Record) -> Iterator[tuple[int, Candidate]]:
    """The gap has shrunk or grown by a good deal since the end of some lap; nobody came between, nobody stopped."""
    crossings = race.crossings.get(code_of(behind), [])[-4:]
    newest = [crossing for crossing in crossings if crossing.tick > race.racing_since]
    if len(newest) < 3 or any(crossing.ahead != code_of(ahead) for crossing in newest):
        return
    since = newest[0].tick - race.ticks_a_lap  # a gap that a stop has made is no catch
    if any(stop.tick >= since for car in (ahead, behind) for stop in race.stops.get(code_of(car), [])):
        return
    then, now = newest[0].interval_s, round(behind["interval_s"], 1)
    if then is None or now <= 0:
        return
    shrunk = round(then, 1) - now
    if shrunk >= MUCH_S and now < NEAR_S:
        yield 40 + round(min(shrunk, 4)), _change("catch", newest[0], now, ahead, behind)
    elif shrunk <= -MUCH_S and behind["position"] <= 4:
        yield 36 + round(min(-shrunk, 4)), _change("escape", newest[0], now, ahead, behind)


def _change(kind: str, then: Crossing, now: float, ahead: Record, behind: Record) -> Candidate:
    """A candidate about a gap: {was} at the end of lap {then_lap}, {now}, and {change} between the two."""
    who = (code_of(ahead), code_of(behind))
    was = round(then.interval_s or 0.0, 1)
    facts = [Fact("interval_after_lap", who, f"{then.lap} {was}"), Fact("interval", who, now)]
    candidate = _duel(kind, facts, ahead, behind)
    candidate.offer("was", seconds(was))
    candidate.offer("now", seconds(now))
    candidate.offer("then_lap", str(then.lap))
    change = round(abs(was - now), 1)
    candidate.offer("change", seconds(change), Fact("interval_change", who, change))
    return candidate


def _trains(race: Race) -> Iterator[tuple[int, Candidate]]:
    """Four cars or more, each within a second of the one ahead."""
    train: list[Record] = []
    for car in [*race.running(), None]:
        linked = car is not None and train and (car["interval_s"] or 99) <= CLOSE_S and not car["pit"]
        if linked and car is not None and not train[-1]["pit"]:
            train.append(car)
            continue
        if len(train) >= 4 and race.settled:
            first, last = train[0], train[-1]
            who = (code_of(first), code_of(last))
            facts = [*positions(first, last), Fact("train", who, len(train))]
            candidate = Candidate("train", "info", facts, subject=who)
            driver(candidate, "a", first)
            driver(candidate, "b", last)
            candidate.offer("cars", f"{count(len(train))} cars")
            spread = sum(round(each["interval_s"], 3) for each in train[1:])
            gap(candidate, "spread", spread, "spread", who)
            yield 32 + len(train) // 2 - first["position"] // 2, candidate
        train = [car] if car is not None else []
