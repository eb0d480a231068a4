"""One race as its page shows it, folded from records. Pure: no clock, no I/O, knows nobody.

A record counts once, by its own identity (race, tick and driver; event id; comment id; car and instant),
in whatever order it comes. A frame comes out when a tick holds every car of the field, and after the race's
last tick with every record that still changes the picture. What is in a frame follows from its tick's
records; best sectors and the logs are memory, which `last` hands to a board that takes over."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from races.analytics.plausibility import TICK_MS, RaceBounds
from races.board.bests import SectorBests
from races.board.frames import CarFrame, Frame, Record, no_story, note_of_commentary, note_of_control
from races.board.logs import EngineLog, NoteLog
from races.board.own_race import OwnRace
from races.board.race_info import RaceInfo
from races.board.tick import BATTLE_S, MODE_OF_USE_S, catching, common, initials, within

HORIZON = 50  # ticks: 10 s; what is later than that is counted, not placed
PENDING = 4 * HORIZON  # ticks begun and not complete: who invents ticks must not fill the memory
AHEAD_MS = 10_000  # a reading that far on would stand as the newest until the race comes to it
Moment = tuple[int, int]  # a tick and its instant


class Board:
    """Folds the records of one race. `frame` is the newest complete tick; `ignored` counts refused records by reason.

    started: the instant of tick 0, where it is known (epoch ms); `last` knows it. lap_starts: the instants at which the
    leader began laps 1, 2 and so on.

    Anybody may write to a topic, so what cannot be of this race is not taken: cars that were not entered, ticks and
    instants that it cannot have reached (now: epoch ms, where there is a clock), another size of the field.
    """

    def __init__(
        self,
        info: RaceInfo,
        last: Frame | None = None,
        started: int | None = None,
        now: Callable[[], int] | None = None,
        lap_starts: Sequence[int] = (),
    ) -> None:
        self.info = info
        self._bounds = RaceBounds(info.laps, info.pace, info.length_m, info.track.sectors, started, now)
        self.frame = last
        self.ignored: Counter[str] = Counter()
        self._pending: dict[Moment, dict[str, dict[str, Any]]] = {}
        self._done: set[int] = {last["tick"]} if last else set()
        self._commentary = NoteLog(last["commentary"] if last else [])
        self._control = NoteLog(last["control"] if last else [])
        self._engines = EngineLog()
        self.own_race = OwnRace(info.own_code, info.pace)
        self._averages: dict[str, float | None] = {}
        self._bests = SectorBests(last, info.track.sectors)
        self._lap_starts = list(lap_starts)
        self._entries = {car.code: car for car in info.cars}
        self._codes = {car.name: car.code for car in info.cars}
        # Once records tell the field's size, one that does not tell it (and no grid) completes no tick.
        sized = last is not None and any(car["grid"] for car in last["cars"])
        self._sizes = {len(info.cars)} if sized else {0, len(info.cars)}
        self._started: int | None = last["started"] if last else started
        self._instants: dict[int, int] = {}  # tick by timestamp, for records without ticks

    def reject_after(self, now: Callable[[], int]) -> None:
        """Refuses records far ahead of this clock from now on. What came so far is history."""
        self._bounds.now = now

    @property
    def averages(self) -> dict[str, float | None]:
        """Average speeds by driver name in km/h, as the avg_speed topic has them."""
        return dict(self._averages)

    def current(self) -> Frame | None:
        """The newest frame with all words and readings so far: a stored frame has none of its own."""
        if self.frame is None:
            return None
        frame = self.frame.copy()
        self._add_logs(frame)
        return frame

    def apply(self, role: str, record: Record, key: Mapping[str, Any] | str | None = None) -> Frame | None:
        """Takes one record of a topic's role, as the codec gives it: every field is there and of its type.

        A record that is refused is counted in `ignored`.
        """
        if role != "positions":
            return self._apply_between_ticks(role, record, key)
        if record["race_id"] != self.info.race_id:
            self.ignored["other race"] += 1
            return None
        car = dict(record)  # the codec gives the same record to every reader
        # a record that tells the size of the field tells its tick
        known = car["field_size"] in self._sizes and not (car["field_size"] and car["tick"] == -1)
        if known:
            if not car["driver_code"] or car["tick"] == -1:
                self._name(car)
            known = car["driver_code"] in self._entries and self._bounds.position(car, len(self._entries))
        if not known:
            self.ignored["implausible"] += 1
            return None
        tick = car["tick"]
        if tick in self._done or (self.frame and tick <= self.frame["tick"] - HORIZON):
            self.ignored["repeated"] += 1
            return None
        moment = tick, car["timestamp"]  # what is forged in part keeps to itself: a tick has one instant
        cars = self._pending.get(moment)
        if cars is None:
            cars = self._begin(moment)
        cars[car["driver_code"]] = car
        if car["field_size"] and len(self._sizes) > 1:
            self._sizes = {car["field_size"]}
        if len(cars) < len(self._entries):
            return None if car["field_size"] else self._complete_before(tick)
        return self._complete(moment)

    def _apply_between_ticks(
        self, role: str, record: Record, key: Mapping[str, Any] | str | None
    ) -> Frame | None:
        """Keeps what another topic says for the next tick's frame. After the last tick it makes a frame of its own."""
        if not self._other(role, record, key) or self.frame is None or self.frame["phase"] != "over":
            return None
        frame = self.frame.copy()
        frame["cars"] = [car.copy() for car in frame["cars"]]
        for car in frame["cars"]:
            car["average_speed_kmh"] = self._averages.get(car["driver_name"])
        self._add_logs(frame)
        self.frame = frame
        return frame

    def _other(self, role: str, record: Record, key: Mapping[str, Any] | str | None) -> bool:
        """Returns True when the record changed the picture."""
        if not self.plausible(role, record, key):
            self.ignored["implausible"] += 1
            return False
        if role == "race_control":
            # overtakes are what the tower itself shows; all kept notes would hold nothing else
            mine = self._mine(record)
            if mine:
                self.own_race.control(record)
            shown = mine and record["type"] != "overtake"
            lap = self._lap_at(record["timestamp"])
            return shown and self._control.add(note_of_control(record, lap, self.info.laps))
        if role == "commentary":
            return self._mine(record) and self._commentary.add(
                note_of_commentary(record, bisect_right(self._lap_starts, record["timestamp"]), self._entries)
            )
        if role == "avg_speed":
            if not isinstance(key, Mapping) or not self._mine(key):
                return False
            self._averages[key["driver_name"]] = record["avg_speed"]
            return True
        if role == "car_metrics_anomalies":
            if not isinstance(key, Mapping):
                return False
            name, ts = key["key"], key["ts"]
            if ":" in name and not self._mine({"race_id": name.rpartition(":")[0]}):
                return False
            engine = self.info.engine_of(name)
            ahead = self.frame is not None and ts > self.frame["timestamp"] + AHEAD_MS
            if engine is None or ahead:
                self.ignored["implausible"] += 1
                return False
            return self._engines.add(engine, ts, record)
        self.ignored["unknown role"] += 1
        return False

    def plausible(self, role: str, record: Record, key: Mapping[str, Any] | str | None = None) -> bool:
        """Whether a record other than a position can be of this race."""
        if role == "race_control":
            return self._bounds.tick(record["tick"], record["timestamp"])
        if role == "commentary":
            return self._at_its_time(record["timestamp"], named=record["race_id"] is not None)
        if not isinstance(key, Mapping):
            return False
        if role == "avg_speed":
            return key["driver_name"] in self._codes
        race_id, _, code = key["key"].rpartition(":")
        of_a_car = code in self._entries if race_id else self.info.engine_of(code) is not None
        return of_a_car and self._at_its_time(key["ts"], named=bool(race_id))

    def _at_its_time(self, at: int, named: bool) -> bool:
        """Whether a record's instant fits. named: the record names its race; else only its instant can tell."""
        over = self.frame is not None and self.frame["phase"] == "over"
        ended = self.frame["timestamp"] if over and self.frame else None
        return self._bounds.instant(at) and (named or self._bounds.ran(at, ended))

    def _lap_at(self, at: int) -> int:
        """The leader's lap just before an instant: the same whether a note or its tick comes first."""
        return bisect_left(self._lap_starts, at)

    def _mine(self, record: Record) -> bool:
        mine = record.get("race_id") in (None, self.info.race_id)
        if not mine:
            self.ignored["other race"] += 1
        return mine

    def _begin(self, moment: Moment) -> dict[str, dict[str, Any]]:
        if len(self._pending) >= PENDING:
            self.ignored["incomplete tick"] += 1
            del self._pending[next(iter(self._pending))]
        return self._pending.setdefault(moment, {})

    def _name(self, car: dict[str, Any]) -> None:
        """Gives a code and a tick to records of the original lab, which name a driver and an instant only."""
        if not car["driver_code"]:
            car["driver_code"] = self._codes.get(car["driver_name"]) or initials(car["driver_name"])
        if car["tick"] == -1 and self._bounds.instant(car["timestamp"]):
            if len(self._instants) >= PENDING:
                del self._instants[next(iter(self._instants))]
            timestamp = car["timestamp"]
            tick, shown = (self.frame["tick"], self.frame["timestamp"]) if self.frame else (-1, -1)
            if timestamp > shown:  # or it repeats an instant that has been shown
                tick += 1 + sum(shown < instant < timestamp for instant in self._instants)
            car["tick"] = self._instants.setdefault(timestamp, tick)

    def _complete_before(self, tick: int) -> Frame | None:
        """Completes the ticks before this one: only that ends a tick whose records tell no size."""
        earlier = [moment for moment in sorted(self._pending) if moment[0] < tick]
        frames = [self._complete(moment) for moment in earlier]
        return frames[-1] if frames else None

    def _complete(self, moment: Moment) -> Frame:
        cars, tick = self._pending.pop(moment), moment[0]
        self._done.add(tick)
        frame = self._build(sorted(cars.values(), key=lambda car: (car["position"], car["driver_code"])))
        if self.frame is None or tick > self.frame["tick"]:
            self.frame, horizon = frame, tick - HORIZON
            for old in [moment for moment in self._pending if moment[0] <= horizon]:
                self.ignored["incomplete tick"] += 1
                del self._pending[old]
            if len(self._done) > 4 * HORIZON:
                self._done = {done for done in self._done if done > horizon}
                self._instants = {at: old for at, old in self._instants.items() if old > horizon}
        return frame

    def _build(self, records: list[dict[str, Any]]) -> Frame:
        self._bests.learn(records)
        first = common(records)
        laps = [car["best_lap_s"] for car in records if car["best_lap_s"] is not None]
        best = min(laps, default=None)
        cars = [self._car(car, best) for car in records]
        for ahead, car in pairwise(cars):
            car["catching_s"] = catching(ahead, car, first["flag"])
        fastest = next((car for car in cars if best is not None and car["best_lap_s"] == best), None)
        distance = self.info.laps
        # "over" ends the race for good, so only the whole field is believed to say it
        over = first["phase"] == "over"
        phase = "flag" if over and len(records) < len(self._entries) else str(first["phase"])
        # the instant of tick 0 is that of the first tick that was seen, or is known from the board before
        if self._started is None:
            self._started = first["timestamp"] - first["tick"] * TICK_MS
        frame: Frame = {
            "race_id": self.info.race_id, "tick": first["tick"], "timestamp": first["timestamp"],
            "started": self._started, "race_time_s": first["race_time_s"],
            "phase": phase, "lights": first["lights"],
            "flag": first["flag"], "yellow_sector": first["yellow_sector"],
            "lap": min(max(car["lap"] for car in cars), distance), "laps": distance, "cars": cars,
            "fastest": fastest and {"driver_code": fastest["driver_code"], "lap_s": best},
            "best_sectors": self._bests.overall(),
            "commentary": [], "control": [], "anomalies": {}, "traces": {}, "own": no_story(),
        }  # fmt: skip
        # lap 1 begins when the lights go out, though the grid stands before the line
        while len(self._lap_starts) < (frame["lap"] or phase != "grid"):
            self._lap_starts.append(frame["timestamp"])
            self._commentary.begun(len(self._lap_starts), frame["timestamp"])
        self._add_logs(frame)
        return frame

    def _add_logs(self, frame: Frame) -> None:
        self._engines.reached(frame["timestamp"], frame["phase"] == "over")
        frame["commentary"] = self._commentary.notes
        frame["control"] = self._control.notes
        frame["anomalies"] = self._engines.newest
        own = self.info.own_code
        frame["traces"] = self._engines.traces(own)
        self.own_race.alarms(self._engines.alarms(own))
        for car in frame["cars"]:
            if car["driver_code"] == own:
                self.own_race.car(car, frame["timestamp"])
        frame["own"] = self.own_race.story()

    def _car(self, car: dict[str, Any], best: float | None) -> CarFrame:
        code = car["driver_code"]
        entry = self._entries[code]
        sectors = [car["sector_1_s"], car["sector_2_s"], car["sector_3_s"]]
        last, own_best = car["last_lap_s"], car["best_lap_s"]
        best_mark = "purple" if own_best is not None and own_best == best else ""
        own_mark = best_mark or ("green" if car["lap"] > 2 else "")  # a first lap is always a car's best one
        share = car["lap_fraction"]
        news = share < self.info.track.sectors[0] and self._bests.news(share)
        lap_mark = own_mark if news and last is not None and last == own_best else ""
        return {  # a literal: twice as fast as calling the class, 110 times a second
            "position": car["position"],
            "driver_code": code,
            "driver_name": car["driver_name"],
            "team_name": car["team_name"],
            "number": car["driver_number"] or entry.number,
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
            "catching_s": None,
            "lap_mark": lap_mark,
            "best_mark": best_mark,
            "sectors": sectors,
            "sector_marks": self._bests.marks(code, sectors, car["lap"], car["lap_fraction"]),
            "best_sectors": self._bests.of(code),
            "tyre": car["tyre"],
            "tyre_age": car["tyre_age"],
            "stints": car["stints"],
            "stops": car["stops"],
            "pit": car["pit"],
            "status": car["status"],
            "battle": within(car, BATTLE_S),
            "average_speed_kmh": self._averages.get(car["driver_name"]),
            "overtake_mode": car["overtake_mode"] and within(car, MODE_OF_USE_S),
        }
