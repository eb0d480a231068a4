"""One race as its page shows it, folded from records. Pure: no clock, no I/O, knows nobody.

A record counts once, by its own identity (race, tick and driver; event id; comment id; car and instant),
in whatever order it comes. A frame comes out when a tick holds every car of the field, and after the race's
last tick with every record that still changes the picture. What is in a frame follows from its tick's
records; best sectors and the logs are memory, which `last` hands to a board that takes over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from races.live.board_logs import Alarms, EngineLog, NoteLog
from races.live.board_meta import RaceMeta
from races.live.board_records import (
    BrokenRecord,
    CarFrame,
    Frame,
    Record,
    note_of_commentary,
    note_of_control,
    optional_number,
    position_of,
)

HORIZON = 50  # ticks: 10 s; what is later than that is counted, not placed
BATTLE_S = 1.0
TICK_MS = 200


class Board:
    """`frame` is the newest complete tick; `ignored` counts what was not taken, by reason.

    started: the instant of tick 0, where it is known (epoch ms); `last` knows it.
    """

    def __init__(
        self,
        meta: RaceMeta,
        alarms: Callable[[], Alarms] | None = None,
        last: Frame | None = None,
        started: int | None = None,
    ) -> None:
        self.meta = meta
        self.frame = last
        self.ignored: Counter[str] = Counter()
        self._pending: dict[int, dict[str, dict[str, Any]]] = {}
        self._done: set[int] = {last["tick"]} if last else set()
        self._commentary = NoteLog(last["commentary"] if last else [])
        self._control = NoteLog(last["control"] if last else [])
        self._engines = EngineLog(alarms)
        self._averages: dict[str, float | None] = {}
        self._bests = SectorBests(last)
        self._entries = {car.code: car for car in meta.cars}
        self._codes = {car.name: car.code for car in meta.cars}
        self._started: int | None = last["started"] if last else started
        self._instants: dict[int, int] = {}  # tick by timestamp, for records without ticks

    @property
    def averages(self) -> dict[str, float | None]:
        """km/h by driver name, as the avg_speed topic last said."""
        return dict(self._averages)

    def apply(self, role: str, record: Record, key: Mapping[str, Any] | str | None = None) -> Frame | None:
        """Takes one record of a topic's role. Never raises for what it holds: counts it in `ignored`."""
        try:
            if role == "positions":
                return self._position(record)
            return self._after_the_race(self._other(role, record, key))
        except (BrokenRecord, KeyError, TypeError, ValueError, OverflowError):
            self.ignored["broken"] += 1
            return None

    def _other(self, role: str, record: Record, key: Mapping[str, Any] | str | None) -> bool:
        """True when the record changed the picture."""
        if role == "race_control":
            # overtakes are what the tower itself shows; forty kept notes would hold nothing else
            shown = self._mine(record) and record["type"] != "overtake"
            return shown and self._control.add(note_of_control(record))
        if role == "commentary":
            return self._mine(record) and self._commentary.add(note_of_commentary(record))
        if role == "avg_speed":
            return self._average(record, key)
        if role == "car_metrics_anomalies":
            return self._anomaly(record, key)
        self.ignored["unknown role"] += 1
        return False

    def _mine(self, record: Record) -> bool:
        mine = record.get("race_id") in (None, self.meta.race_id)
        if not mine:
            self.ignored["other race"] += 1
        return mine

    def _average(self, record: Record, key: Mapping[str, Any] | str | None) -> bool:
        if not isinstance(key, Mapping):
            raise BrokenRecord("key")
        if not self._mine(key):
            return False
        self._averages[str(key["driver_name"])] = optional_number(record, "avg_speed")
        return True

    def _anomaly(self, record: Record, key: Mapping[str, Any] | str | None) -> bool:
        if not isinstance(key, Mapping):
            raise BrokenRecord("key")
        return self._mine({"race_id": str(key["key"]).rpartition(":")[0]}) and self._engines.add(key, record)

    def _after_the_race(self, changed: bool) -> Frame | None:
        """After the last tick nothing else would carry a late comment to the page."""
        if not changed or self.frame is None or self.frame["phase"] != "over":
            return None
        frame = self.frame.copy()
        frame["cars"] = [car.copy() for car in frame["cars"]]
        for car in frame["cars"]:
            car["average_speed_kmh"] = self._averages.get(car["driver_name"])
        self._add_logs(frame)
        self.frame = frame
        return frame

    def _position(self, record: Record) -> Frame | None:
        if record["race_id"] != self.meta.race_id:
            self.ignored["other race"] += 1
            return None
        car = position_of(record)
        self._name(car)
        tick = car["tick"]
        if tick in self._done or tick <= self._newest() - HORIZON:
            self.ignored["repeated"] += 1
            return None
        cars = self._pending.setdefault(tick, {})
        cars[car["driver_code"]] = car
        if len(cars) >= (car["field_size"] or len(self.meta.cars)):
            return self._complete(tick)
        return None if car["field_size"] else self._complete_before(tick)

    def _newest(self) -> int:
        return self.frame["tick"] if self.frame else -1

    def _name(self, car: dict[str, Any]) -> None:
        """Records of the lab's first days name a driver and an instant, no code and no tick."""
        if not car["driver_code"]:
            car["driver_code"] = self._codes.get(car["driver_name"]) or initials(car["driver_name"])
        if car["tick"] < 0:
            car["tick"] = self._instants.setdefault(car["timestamp"], self._tick_of(car["timestamp"]))

    def _tick_of(self, timestamp: int) -> int:
        if self.frame and timestamp <= self.frame["timestamp"]:
            return self.frame["tick"]  # an instant that has been shown: a repeat
        newest = self.frame["timestamp"] if self.frame else -1
        return self._newest() + 1 + sum(newest < instant < timestamp for instant in self._instants)

    def _complete_before(self, tick: int) -> Frame | None:
        """Without a size of the field, a tick is complete when the next one begins."""
        earlier = [waiting for waiting in sorted(self._pending) if waiting < tick]
        frames = [self._complete(waiting) for waiting in earlier]
        return frames[-1] if frames else None

    def _complete(self, tick: int) -> Frame:
        cars = self._pending.pop(tick)
        self._done.add(tick)
        frame = self._build(sorted(cars.values(), key=lambda car: (car["position"], car["driver_code"])))
        if self.frame is None or tick > self.frame["tick"]:
            self.frame = frame
            self._forget(tick)
        return frame

    def _forget(self, tick: int) -> None:
        for old in [old for old in self._pending if old <= tick - HORIZON]:
            self.ignored["incomplete tick"] += 1
            del self._pending[old]
        if len(self._done) > 4 * HORIZON:
            self._done = {done for done in self._done if done > tick - HORIZON}
            self._instants = {at: old for at, old in self._instants.items() if old > tick - HORIZON}

    def _build(self, records: list[dict[str, Any]]) -> Frame:
        self._bests.learn(records)
        first = records[0]
        laps = [car["best_lap_s"] for car in records if car["best_lap_s"] is not None]
        best = min(laps, default=None)
        cars = [self._car(car, best) for car in records]
        fastest = next((car for car in cars if best is not None and car["best_lap_s"] == best), None)
        distance = first["laps"] or self.meta.laps
        frame: Frame = {
            "race_id": self.meta.race_id, "tick": first["tick"], "timestamp": first["timestamp"],
            "started": self._start_of(first), "race_time_s": first["race_time_s"],
            "phase": first["phase"], "lights": first["lights"],
            "flag": first["flag"], "yellow_sector": first["yellow_sector"],
            "lap": min(max(car["lap"] for car in cars), distance), "laps": distance, "cars": cars,
            "fastest": fastest and {"driver_code": fastest["driver_code"], "lap_s": best},
            "best_sectors": self._bests.overall(),
            "commentary": [], "control": [], "anomalies": {}, "traces": {},
        }  # fmt: skip
        self._add_logs(frame)
        return frame

    def _start_of(self, record: dict[str, Any]) -> int:
        """As the first tick that was seen tells it; a board that takes over has it from the one before."""
        if self._started is None:
            self._started = record["timestamp"] - record["tick"] * TICK_MS
        return self._started

    def _add_logs(self, frame: Frame) -> None:
        frame["commentary"] = self._commentary.notes
        frame["control"] = self._control.notes
        frame["anomalies"] = self._engines.newest
        frame["traces"] = self._engines.traces(self.meta.own_code)

    def _car(self, car: dict[str, Any], best: float | None) -> CarFrame:
        code = car["driver_code"]
        entry = self._entries.get(code)
        sectors = [car["sector_1_s"], car["sector_2_s"], car["sector_3_s"]]
        last, own_best = car["last_lap_s"], car["best_lap_s"]
        best_mark = "purple" if own_best is not None and own_best == best else ""
        lap_mark = "" if last is None else (best_mark or "green") if last == own_best else ""
        return {  # a literal: twice as fast as calling the class, 110 times a second
            "position": car["position"],
            "driver_code": code,
            "driver_name": car["driver_name"],
            "team_name": car["team_name"],
            "number": car["driver_number"] or (entry.number if entry else 0),
            "grid": car["grid"],
            "gained": car["grid"] - car["position"] if car["grid"] else 0,
            "lap": car["lap"],
            "lap_fraction": car["lap_fraction"],
            "speed": car["speed"],
            "gap_s": car["gap_s"],
            "interval_s": car["interval_s"],
            "laps_down": car["laps_down"],
            "last_lap_s": last,
            "best_lap_s": own_best,
            "lap_mark": lap_mark,
            "best_mark": best_mark,
            "sectors": sectors,
            "sector_marks": self._bests.marks(code, sectors),
            "best_sectors": self._bests.of(code),
            "tyre": car["tyre"],
            "tyre_age": car["tyre_age"],
            "stints": car["stints"],
            "stops": car["stops"],
            "pit": car["pit"],
            "status": car["status"],
            "battle": _battle(car),
            "average_speed_kmh": self._averages.get(car["driver_name"]),
            "overtake_mode": car["overtake_mode"],
        }


class SectorBests:
    """The best of each sector, by car and overall: the one thing a single tick does not tell."""

    def __init__(self, last: Frame | None) -> None:
        cars = last["cars"] if last else []
        self._cars = {car["driver_code"]: list(car["best_sectors"]) for car in cars}
        self._overall: list[float | None] = list(last["best_sectors"]) if last else [None] * 3
        self._heard: dict[str, tuple[float | None, ...]] = {}  # sector times change three times a lap

    def learn(self, records: list[dict[str, Any]]) -> None:
        for car in records:
            code, times = car["driver_code"], (car["sector_1_s"], car["sector_2_s"], car["sector_3_s"])
            if self._heard.get(code) == times:
                continue
            self._heard[code] = times
            bests = self._cars.setdefault(code, [None, None, None])
            for index, time in enumerate(times):
                if time is not None:
                    bests[index] = _better(time, bests[index])
                    self._overall[index] = _better(time, self._overall[index])

    def overall(self) -> list[float | None]:
        return list(self._overall)

    def of(self, code: str) -> list[float | None]:
        return list(self._cars[code])

    def marks(self, code: str, sectors: list[float | None]) -> list[str]:
        own, overall = self._cars[code], self._overall
        return [_mark(sectors[n], own[n], overall[n]) for n in (0, 1, 2)]


def _better(time: float, best: float | None) -> float:
    return time if best is None or time < best else best


def _mark(time: float | None, own: float | None, overall: float | None) -> str:
    if time is None:
        return ""
    if time == overall:
        return "purple"
    return "green" if time == own else "yellow"


def _battle(car: dict[str, Any]) -> bool:
    interval = car["interval_s"]
    racing = car["status"] == "racing" and car["phase"] == "race" and car["flag"] in ("green", "yellow")
    return racing and car["lap"] > 0 and interval is not None and 0 <= interval < BATTLE_S


def initials(name: str) -> str:
    """A code for a driver that nobody gave one: the surname's first letters, as timing screens do."""
    letters = "".join(letter for letter in name.split()[-1:][0] if letter.isalpha()) if name.split() else ""
    return (letters or "CAR")[:3].upper()
