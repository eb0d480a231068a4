"""A race with the history that the recorder leaves of it, made by the same classes without a Kafka."""

from __future__ import annotations

from math import inf
from typing import Any

from races.analytics.engine import RaceAnalytics
from races.board.board import Board
from races.board.frames import Frame
from races.board.race_info import RaceInfo
from races.models import InjectedFault, Race
from races.models.creation import Choice, create_race
from races.recorder import writer
from races.recorder.race_recording import RaceRecording
from races.sim import Race as Simulation
from races.sim import RaceSettings, load_season
from races.worker.records import entry_list, tick_records

STARTED_MS = 1_800_000_000_000
FLUSH_TICKS = 5


class Recorded:
    """race, and for each tick the frame that the live page showed."""

    def __init__(
        self, anomaly: bool = False, stop: int | None = None, miss: range = range(0), **choice: Any
    ) -> None:
        """stop: red-flagged at this tick; miss: ticks that never reach the recorder."""
        wanted: dict[str, Any] = {"circuit": "spielberg", "laps": 3, "pace": 60, "seed": 1}
        race = create_race(Choice("NOR", **(wanted | choice)))
        Race.objects.filter(pk=race.pk).update(
            started_ms=STARTED_MS, anomaly_detection=anomaly, status="running"
        )
        race.refresh_from_db()
        self.frames: list[Frame] = []
        self._meta = RaceInfo.from_json(race.frozen)
        self._live = Board(self._meta)
        self._recording = RaceRecording(race, Board(self._meta), None)
        self._pending = writer.PendingRows()
        self._analytics = RaceAnalytics(str(race.pk), anomaly=anomaly)
        self._drive(race, anomaly, stop, miss)
        race.refresh_from_db()
        self.race = race

    def _drive(self, race: Race, anomaly: bool, stop: int | None, miss: range) -> None:
        simulation = Simulation(RaceSettings(race.circuit, race.laps, race.pace, race.seed))
        field = entry_list(str(race.pk), race.laps, load_season())
        while not simulation.over and (stop is None or len(self.frames) < stop):
            tick = simulation.advance()
            at = STARTED_MS + tick.tick * 200
            for record in tick_records(field, tick, at, anomaly):
                if tick.tick not in miss:
                    self._take(race, record.role, record.value, record.key)
            if self._live.frame:
                self.frames.append(self._live.frame)
            if tick.tick % FLUSH_TICKS == FLUSH_TICKS - 1:
                self._flush()
        self._end(race, simulation, stop)

    def _take(self, race: Race, role: str, record: dict[str, Any], key: str) -> None:
        self._live.apply(role, record)
        if role == "positions":
            self._recording.position(record, record["tick"] * 0.2)
        elif role == "race_control":
            self._pending.control[race.pk, (record["tick"], record["event"])] = (race, record)
        for derived in self._analytics.feed(role, record, key):
            self._live.apply(derived.role, derived.value, derived.key)
            if derived.role == "commentary":
                self._pending.commentary[race.pk, derived.value["id"]] = (race, derived.value)
            elif derived.role == "avg_speed":
                self._recording.average(derived.value, derived.key)  # type: ignore[arg-type]
            else:
                self._recording.reading(derived.value, derived.key)  # type: ignore[arg-type]

    def _flush(self, over_before: float = -1.0) -> None:
        writer.flush([self._recording], self._pending, "test", {}, over_before)
        self._pending = writer.PendingRows()

    def _end(self, race: Race, simulation: Simulation, stop: int | None) -> None:
        self._recording.store_in_order(inf)
        if stop is not None and self._recording.previous:
            self._recording.previous["flag"] = "red"
            self._recording.over_at = 0.0
        self._flush(over_before=inf)
        InjectedFault.objects.bulk_create(
            InjectedFault(race=race, driver_code=f.driver_code, kind=f.kind, start_tick=f.start_tick,
                          end_tick=f.end_tick, size_c=f.size_c)
            for f in simulation.injected_faults()
        )  # fmt: skip
