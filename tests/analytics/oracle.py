"""Holds each fact of a line of commentary against the records alone, with code of its own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from races.analytics.commentary.commentator import Line
from races.analytics.commentary.words import Fact

Record = dict[str, Any]
ROUNDING = 0.051  # a gap is told to the tenth


class Oracle:
    """What the streams say up to and including a tick. Feed whole ticks."""

    def __init__(self) -> None:
        self.cars: dict[str, Record] = {}
        self.before: dict[str, Record] = {}
        self.events: list[Record] = []
        self.leaders: list[str] = []
        self.ends: dict[str, list[Record]] = defaultdict(list)  # a car's record at the end of each lap
        self.ahead_at_end: dict[str, list[str]] = defaultdict(list)
        self.came_in: dict[str, list[tuple[str, int, list[str]]]] = defaultdict(list)
        self.real_passes: dict[tuple[str, str], int] = defaultdict(int)
        self.undisturbed: dict[str, list[bool]] = defaultdict(list)  # each lap: all green, no pit lane
        self.disturbed: set[str] = set()  # on the lap that each car is on
        self.alarms: set[tuple[str, str, int]] = set()  # code, kind, size in whole degrees, of all up to now

    def tick(self, events: list[Record], cars: list[Record]) -> None:
        for event in events:
            self._event(event)
        self.before, self.cars = self.cars, {car["driver_code"]: car for car in cars}
        first = self.order()[0]
        if cars[0]["phase"] == "race" and self.leaders[-1:] != [first]:
            self.leaders.append(first)
        for code, car in self.cars.items():
            if car["flag"] != "green" or car["pit"]:
                self.disturbed.add(code)
            if self.before and car["lap"] > self.before[code]["lap"] >= 1:
                self.undisturbed[code].append(code not in self.disturbed)
                self.disturbed.discard(code)
                self.ends[code].append(car)
                place = car["position"]
                self.ahead_at_end[code].append(self.order()[place - 2] if place > 1 else "")

    def _event(self, event: Record) -> None:
        self.events.append(event)
        code, other = event["driver_code"], event["other_code"]
        if event["type"] == "pit_in":
            car = self.cars[code]
            self.came_in[code].append((car["tyre"], car["tyre_age"], self.order()))
        elif event["type"] == "overtake" and self.place(code) > self.place(other):
            self.real_passes[code, other] += 1  # the others sum up the opening lap

    def order(self) -> list[str]:
        return sorted(self.cars, key=lambda code: self.cars[code]["position"])

    def place(self, code: str) -> int:
        return int(self.cars[code]["position"])

    def running(self) -> list[Record]:
        return [self.cars[code] for code in self.order() if self.cars[code]["status"] != "retired"]

    def holds(self, fact: Fact) -> bool:
        return bool(getattr(self, f"_{fact.claim}")(*fact.who, value=fact.value))

    def _field(name: str) -> Callable[..., bool]:  # type: ignore[misc]
        def compare(self: Oracle, code: str, value: Any) -> bool:
            return bool(self.cars[code][name] == value)

        return compare

    _position = _field("position")
    _team = _field("team_name")
    _tyre = _field("tyre")
    _tyre_age = _field("tyre_age")
    _grid = _field("grid")
    _stops = _field("stops")

    def _gained(self, code: str, value: int) -> bool:
        return bool(self.cars[code]["grid"] - self.place(code) == value)

    def _best_gain(self, code: str, value: int) -> bool:
        gains = {car["driver_code"]: car["grid"] - car["position"] for car in self.running()}
        best = gains.pop(code)
        return best == value and all(gain < best for gain in gains.values())

    def _team_mates(self, one: str, two: str, value: None) -> bool:
        return self.cars[one]["team_name"] == self.cars[two]["team_name"] and one != two

    def _ahead(self, one: str, two: str, value: None) -> bool:
        return self.place(one) < self.place(two)

    def _next(self, one: str, two: str, value: None) -> bool:
        return self.place(one) + 1 == self.place(two)

    def _interval(self, one: str, two: str, value: float) -> bool:
        return self._next(one, two, None) and abs(self.cars[two]["interval_s"] - value) < ROUNDING

    def _within(self, one: str, two: str, value: float) -> bool:
        return self._next(one, two, None) and self.cars[two]["interval_s"] <= value

    def _gap(self, code: str, value: float) -> bool:
        return bool(abs(self.cars[code]["gap_s"] - value) < ROUNDING)

    def _fresher(self, one: str, two: str, value: int) -> bool:
        return bool(self.cars[two]["tyre_age"] - self.cars[one]["tyre_age"] == value)

    def _lap(self, value: int) -> bool:
        leader = self.running()[0]
        return bool(min(leader["lap"], leader["laps"]) == value)

    def _laps(self, value: int) -> bool:
        return bool(self.running()[0]["laps"] == value)

    def _to_go(self, value: int) -> bool:
        leader = self.running()[0]
        return bool(leader["laps"] - leader["lap"] + 1 == value)

    def _half(self, value: int) -> bool:
        leader = self.running()[0]
        return bool(leader["lap"] == value and abs(2 * (leader["lap"] - 1) - leader["laps"]) <= 1)

    def _happened(self, *codes: str, value: str) -> bool:
        """Announced within the last three seconds, about these cars."""
        now = self.cars[self.order()[0]]["tick"]
        return any(
            event["type"] == value and now - event["tick"] <= 15
            and {event["driver_code"], event["other_code"]} >= set(codes)
            for event in self.events
        )  # fmt: skip

    def _message_position(self, code: str, value: int) -> bool:
        newest = [event for event in self.events if event["driver_code"] == code and event["position"]]
        return bool(newest) and any(event["position"] == value for event in newest[-3:])

    def _passes(self, code: str, value: int) -> bool:
        return sum(done for (who, _), done in self.real_passes.items() if who == code) == value

    def _swapped(self, one: str, two: str, value: None) -> bool:
        return self.real_passes[one, two] >= 1 and self.real_passes[two, one] >= 1

    def _running(self, value: int) -> bool:
        return len(self.running()) == value

    def _fastest(self, code: str, value: float) -> bool:
        best = [car["best_lap_s"] for car in self.cars.values() if car["best_lap_s"]]
        return bool(self.cars[code]["best_lap_s"] == value == min(best))

    def _fastest_before(self, code: str, value: None) -> bool:
        return [event["driver_code"] for event in self.events if event["type"] == "fastest_lap"][-2:-1] == [
            code
        ]

    def _pit(self, code: str, value: None) -> bool:
        return bool(self.cars[code]["pit"])

    def _stopped_lately(self, code: str, value: None) -> bool:
        now = self.cars[code]["tick"]
        ins = [
            event["tick"]
            for event in self.events
            if (event["type"], event["driver_code"]) == ("pit_in", code)
        ]
        return bool(ins) and now - ins[-1] <= 40

    def _cause(self, code: str, value: str) -> bool:
        return any(
            event["type"] == "retirement" and event["driver_code"] == code and value in event["message"]
            for event in self.events
        )

    def _slow_laps(self, code: str, value: int) -> bool:
        """The newest laps were undisturbed, and slower than the car's best by three per cent."""
        ends, calm = self.ends[code][-value:], self.undisturbed[code][-value:]
        return all(calm) and all(end["last_lap_s"] >= 1.03 * end["best_lap_s"] for end in ends)

    def _off_best(self, code: str, value: float) -> bool:
        car = self.cars[code]
        return bool(abs(car["last_lap_s"] - car["best_lap_s"] - value) < ROUNDING)

    def _alarm(self, code: str, value: str) -> bool:
        return any((code, value) == (who, kind) for who, kind, _ in self.alarms)

    def _alarm_size(self, code: str, value: int) -> bool:
        return any((code, value) == (who, size) for who, _, size in self.alarms)

    def _unstopped_field(self, value: int) -> bool:
        return bool(sum(car["stops"] == 0 and not car["pit"] for car in self.running()) == value)

    def _in_pit(self, value: int) -> bool:
        return bool(sum(car["pit"] for car in self.running()) == value)

    def _came_in_on(self, code: str, value: str) -> bool:
        tyre, age, _ = self.came_in[code][-1]
        return f"{tyre} {age}" == value

    def _stood(self, code: str, value: float) -> bool:
        stops = [
            event for event in self.events if event["type"] == "pit_out" and event["driver_code"] == code
        ]
        return bool(abs(stops[-1]["value"] - value) < ROUNDING)

    def _undercut(self, one: str, two: str, value: None) -> bool:
        """One was right behind two when it came in, came in first, and is ahead after as many stops."""
        order = self.came_in[one][-1][2]
        ins = {event["driver_code"]: event["tick"] for event in self.events if event["type"] == "pit_in"}
        return (
            order.index(two) + 1 == order.index(one) and ins[one] < ins[two] and self._ahead(one, two, None)
        )

    def _retired(self, *codes: str, value: None) -> bool:
        return all(self.cars[code]["status"] == "retired" for code in codes)

    def _finished(self, code: str, value: None) -> bool:
        return bool(self.cars[code]["status"] == "finished")

    def _winner(self, code: str, value: None) -> bool:
        return self._finished(code, None) and self.place(code) == 1

    def _flag(self, value: str) -> bool:
        return all(car["flag"] == value for car in self.cars.values())

    def _sector(self, value: int) -> bool:
        return all(car["yellow_sector"] == value for car in self.cars.values())

    def _led_before(self, code: str, value: None) -> bool:
        return code in self.leaders[:-1]

    def _led_all(self, code: str, value: int) -> bool:
        return self.leaders == [code]

    def _leaders(self, *codes: str, value: int) -> bool:
        return set(self.leaders) == set(codes) and len(codes) == value

    def _only_unstopped_top10(self, code: str, value: None) -> bool:
        return [car["driver_code"] for car in self.running()[:10] if car["stops"] == 0] == [code]

    def _unstopped_top10(self, value: int) -> bool:
        return bool(sum(car["stops"] == 0 and not car["pit"] for car in self.running()[:10]) == value)

    def _lost(self, code: str, value: float) -> bool:
        """Race control told it of the car's newest mistake, within the last three seconds."""
        now = self.cars[self.order()[0]]["tick"]
        told = [
            event for event in self.events if event["type"] == "off_track" and event["driver_code"] == code
        ]
        return any(round(event["value"], 1) == value and now - event["tick"] <= 15 for event in told)

    def _top10_stopped(self, value: None) -> bool:
        return all(car["stops"] >= 1 or car["pit"] for car in self.running()[:10])

    def _oldest_top10(self, code: str, value: None) -> bool:
        others = [car for car in self.running()[:10] if car["driver_code"] != code and not car["pit"]]
        return all(car["tyre_age"] < self.cars[code]["tyre_age"] for car in others)

    def _overtake_mode(self, code: str, value: None) -> bool:
        return bool(self.cars[code]["overtake_mode"])

    def _laps_close(self, one: str, two: str, value: int) -> bool:
        newest = list(zip(self.ends[two], self.ahead_at_end[two], strict=True))[-value:]
        return len(newest) == value and all(
            ahead == one and record["interval_s"] <= 1.0 for record, ahead in newest
        )

    def _interval_after_lap(self, one: str, two: str, value: str) -> bool:
        lap, interval = value.split()
        found = [
            record for record, ahead in zip(self.ends[two], self.ahead_at_end[two], strict=True)
            if record["lap"] == int(lap) + 1 and ahead == one
        ]  # fmt: skip
        return len(found) == 1 and abs(found[0]["interval_s"] - float(interval)) < ROUNDING

    def _interval_change(self, one: str, two: str, value: float) -> bool:
        """Whether a gap changed so between the end of one of the newest four laps and now."""
        now = round(self.cars[two]["interval_s"], 1)
        then = [round(record["interval_s"], 1) for record in self.ends[two][-4:] if record["interval_s"]]
        return any(abs(abs(was - now) - value) < ROUNDING for was in then)

    def _train(self, one: str, two: str, value: int) -> bool:
        inside = self.order()[self.place(one) : self.place(two)]
        return len(inside) == value - 1 and all(self.cars[code]["interval_s"] <= 1.0 for code in inside)

    def _spread(self, one: str, two: str, value: float) -> bool:
        inside = self.order()[self.place(one) : self.place(two)]
        return bool(abs(sum(self.cars[code]["interval_s"] for code in inside) - value) < ROUNDING)

    def _on_tyre(self, tyre: str, value: int) -> bool:
        return bool(sum(car["tyre"] == tyre for car in self.cars.values()) == value)

    def _lapped(self, value: int) -> bool:
        return bool(sum(car["laps_down"] >= 1 for car in self.running()) == value)


def spoken_names(line: Line) -> set[str]:
    return {driver[0] for driver in line.drivers if re.search(rf"\b{driver[0]}\b", line.text)}


def spoken_numbers(line: Line) -> set[str]:
    return set(re.findall(r"\d+(?:[.:]\d+)*", line.text))


def known_numbers(line: Line) -> set[str]:
    """Every way in which a fact's value may stand in the text."""
    known: set[str] = set()
    for fact in line.facts:
        if isinstance(fact.value, str):
            known |= set(fact.value.split())
        elif isinstance(fact.value, int):
            known.add(str(abs(fact.value)))
        elif fact.value is not None:
            minutes, seconds = divmod(fact.value, 60)
            known |= {f"{fact.value:.1f}", f"{int(minutes)}:{seconds:06.3f}"}
    return known
