"""One race as the recorder follows it, and what the next flush writes of it. No database, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from races.analytics.alarms import Alarm, AlarmRule
from races.board.board import HORIZON, Board
from races.board.frames import CarFrame, Frame, event_of
from races.board.logs import alarm_record
from races.models import ControlMessage, Lap, Race, Result

Record = Mapping[str, Any]
Place = tuple[int, int]  # partition and offset
FORGET_S = 60.0  # of silence; where Flink's last rows come later, the race is loaded again
HALF_TICK_S = 600.0  # of silence in the middle of a tick: the history cannot keep its first half
LATE_S = 2.0  # how long whole ticks wait for an earlier one; then that one is missing
REMEMBERED_MS = 300_000  # Flink may repeat what it wrote since its last commit, about a minute ago


class SeenReadings:
    """The engine readings that have come, by car and instant. It keeps the newest two spans of REMEMBERED_MS, however
    long the race is; older readings were written long ago and count as seen.
    """

    def __init__(self) -> None:
        self._spans: dict[str, dict[int, set[int]]] = {}

    def __len__(self) -> int:
        return sum(len(instants) for spans in self._spans.values() for instants in spans.values())

    def add(self, code: str, ts: int) -> bool:
        """Adds a reading. Returns True where it is new."""
        spans, span = self._spans.setdefault(code, {}), ts // REMEMBERED_MS
        if span < max(spans, default=span) - 1 or ts in spans.get(span, ()):
            return False
        spans.setdefault(span, set()).add(ts)
        for old in [kept for kept in spans if kept < span - 1]:
            del spans[old]
        return True


@dataclass(slots=True)
class RaceRecording:
    """over_at is when the last tick was read, heard_at when any record was, both on the recorder's clock in seconds."""

    race: Race
    board: Board
    previous: Frame | None
    frames: list[Frame] = field(default_factory=list)
    laps: list[Lap] = field(default_factory=list)
    readings: list[tuple[str, int, Record]] = field(default_factory=list)
    seen_readings: SeenReadings = field(default_factory=SeenReadings)
    rule: AlarmRule = field(default_factory=AlarmRule)
    alarms: dict[tuple[str, str, int], dict[str, Any]] = field(default_factory=dict)
    missing: int = 0
    over_at: float | None = None
    heard_at: float = 0.0
    dirty_results: bool = False
    begun: dict[int, Place] = field(default_factory=dict)  # where each tick begins that is not stored yet
    early: dict[int, tuple[Frame, float]] = field(
        default_factory=dict
    )  # whole ticks that wait, and since when

    def position(self, record: Record, now: float, place: Place = (0, 0)) -> None:
        frame = self.board.apply("positions", record)
        if frame is not None and frame["tick"] > self._newest():
            self.early[frame["tick"]] = frame, now
            self.store_in_order(now)
        if self.over_at is None and 0 < record["tick"] - self._newest() <= HORIZON:
            self.begun.setdefault(record["tick"], place)

    def store_in_order(self, now: float) -> None:
        """Moves whole ticks into the history, in order: laps and missing ticks follow from the tick before."""
        while self.early:
            tick = min(self.early)
            frame, since = self.early[tick]
            next_one = tick == self._newest() + 1
            if not next_one and now - since < LATE_S and len(self.early) <= HORIZON:
                return
            del self.early[tick]
            self.missing += frame["tick"] - self._newest() - 1
            before = {car["driver_code"]: car for car in self.previous["cars"]} if self.previous else {}
            for car in frame["cars"]:
                self._lap(frame, car, before.get(car["driver_code"]))
            self._keep_alarms(self.rule.reached(frame["timestamp"], frame["phase"] == "over"))
            self.frames.append(frame)
            self.previous = frame
            self.begun = {tick: place for tick, place in self.begun.items() if tick > frame["tick"]}
            if frame["phase"] == "over":
                self.over_at, self.begun = now, {}

    def average(self, record: Record, key: Record) -> None:
        self.board.apply("avg_speed", record, key)
        self.dirty_results = self.over_at is not None or not self.race.is_active

    def reading(self, record: Record, key: Record) -> bool:
        """Takes an engine reading. Returns True where it is new and can be of this race."""
        engine = self.board.info.engine_of(str(key["key"]))
        if engine is None or record["engine_temperature"] is None:
            return False
        if not self.board.plausible("car_metrics_anomalies", record, key):
            return False
        return self.engine_reading(engine, int(key["ts"]), record)

    def engine_reading(self, engine: str, ts: int, record: Record) -> bool:
        if not self.seen_readings.add(engine, ts):
            return False
        self.readings.append((engine, ts, record))
        self._keep_alarms(self.rule.feed(engine, ts, record))
        return True

    def _keep_alarms(self, alarms: Iterable[Alarm]) -> None:
        for alarm in map(alarm_record, alarms):
            self.alarms[alarm["driver_code"], alarm["kind"], alarm["start"]] = alarm

    def forgettable(self, now: float) -> bool:
        return now - self.heard_at > (HALF_TICK_S if self.begun else FORGET_S)

    def _newest(self) -> int:
        return self.previous["tick"] if self.previous else -1

    def _lap(self, frame: Frame, car: CarFrame, before: CarFrame | None) -> None:
        if before is None:
            return
        finished = car["status"] == "finished" and before["status"] != "finished"
        if not finished and (car["lap"] <= before["lap"] or before["lap"] < 1):
            return
        sectors = car["sectors"]
        self.laps.append(
            Lap(
                race=self.race,
                driver_code=car["driver_code"],
                lap=car["lap"] if finished else car["lap"] - 1,
                time_s=car["last_lap_s"],
                sector_1_s=sectors[0],
                sector_2_s=sectors[1],
                sector_3_s=sectors[2],
                position=car["position"],
                gap_s=car["gap_s"],
                tyre=before["tyre"],
                tyre_age=before["tyre_age"],
                tick=frame["tick"],
            )
        )


def results(race: Race, frame: Frame, averages: Mapping[str, float | None]) -> list[Result]:
    """The classification, from the last frame."""
    return [
        Result(
            race=race,
            position=car["position"],
            grid=car["grid"],
            driver_code=car["driver_code"],
            driver_name=car["driver_name"],
            team_name=car["team_name"],
            gap_s=car["gap_s"],
            interval_s=car["interval_s"],
            laps_down=car["laps_down"],
            last_lap_s=car["last_lap_s"],
            best_lap_s=car["best_lap_s"],
            average_speed_kmh=averages.get(car["driver_name"], car["average_speed_kmh"]),
            tyre=car["tyre"],
            stints=car["stints"],
            stops=car["stops"],
            laps=car["lap"] if car["status"] == "finished" else max(car["lap"] - 1, 0),
            status=car["status"],
        )
        for car in frame["cars"]
    ]


def control_row(race: Race, record: Record) -> ControlMessage:
    return ControlMessage(
        race=race,
        event=event_of(record),
        tick=record["tick"],
        timestamp=record["timestamp"],
        type=str(record["type"]),
        driver_code=str(record["driver_code"]),
        other_code=str(record["other_code"]),
        lap=record["lap"],
        position=record["position"],
        value=record["value"],
        message=str(record["message"]),
    )
