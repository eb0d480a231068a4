"""A race's topics as bytes, given to the two that read them: the feed of a web process, and the recorder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from races.board.board import Board
from races.board.frames import Frame
from races.live.feed import Feed
from races.live.rendering.header import RaceStatus
from races.models import Race
from races.models.race_info import info_for
from races.recorder.recorder import Recorder
from races.report import replay, replay_engines
from races.sim import Race as Simulation
from races.sim import load_season
from races.streams.consumer import Message, TailState
from races.streams.lag import Lag
from races.worker.preparation import settings_of
from races.worker.records import entry_list, tick_records
from tests.fakes.hostile_bytes import CODEC

STARTED = 1_780_000_000_000
TICK_MS = 200
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A record before it is bytes."""

    role: str
    key: str | Record | None
    value: Record


def race_of_the_tests() -> Race:
    race = Race(
        driver_code="NOR",
        driver_name="Lando Norris",
        team_name="McLaren",
        circuit="spielberg",
        circuit_name="Spielberg",
        laps=1,
        pace=60,
        seed=1,
        status=Race.Status.RUNNING,
        started_ms=STARTED,
        anomaly_detection=True,
    )
    race.frozen = info_for(race).to_json()
    return race


RACE = race_of_the_tests()
META = info_for(RACE)


def whole_race() -> list[list[Said]]:
    """A whole race by tick: what the worker would publish, and words, speeds and readings as the analytics
    write them."""
    sim, names = Simulation(settings_of(RACE)), entry_list(str(RACE.pk), RACE.laps, load_season())
    ticks = []
    while not sim.over:
        tick = sim.advance()
        at = STARTED + tick.tick * TICK_MS
        records = tick_records(names, tick, at, metrics=False)
        ticks.append([*(Said(one.role, one.key, one.value) for one in records), *derived(tick.tick, at)])
    return ticks


def derived(tick: int, at: int) -> list[Said]:
    race_id = str(RACE.pk)
    line = {"id": f"{race_id}:{tick}", "message": f"Tick {tick}.", "timestamp": at, "type": "info"}
    reading = {
        "team_name": "McLaren",
        "engine_temperature": 100.0 + tick,
        "is_anomaly": tick % 7 == 0,
        "forecast_value": 101.0,
        "lower_bound": 90.0,
        "upper_bound": 105.0,
        "rmse": None,
    }
    return [
        Said("commentary", None, line | {"race_id": race_id}),
        Said("car_metrics_anomalies", {"key": f"{race_id}:NOR", "ts": at}, reading),
        *averages(200.0 + tick),
    ]


def averages(speed: float) -> list[Said]:
    names = [car.name for car in META.cars]
    keys: list[Record] = [{"driver_name": name, "race_id": str(RACE.pk)} for name in names]
    return [Said("avg_speed", key, {"avg_speed": speed}) for key in keys]


def message(said: Said) -> Message:
    return packed(said.role, CODEC.encode_key(said.role, said.key), CODEC.encode(said.role, said.value))


def packed(role: str, key: bytes | None, value: bytes | None) -> Message:
    return Message(role, 0, 0, key, value, STARTED)


TICKS = whole_race()
TOLD = [[message(said) for said in tick] for tick in TICKS]
NOW = STARTED + len(TICKS) * TICK_MS


class Script:
    """A tail that has these batches, one a poll, and then ends its reader."""

    incarnation, state = "one", TailState(True, "", 0, 0, 0)

    def __init__(
        self, batches: list[list[Message]], polled: Callable[[], None], stop: Callable[[], None]
    ) -> None:
        self._batches, self._polled, self._stop = iter(batches), polled, stop

    def poll(self, most: int, seconds: float) -> list[Message]:
        self._polled()
        batch = next(self._batches, None)
        if batch is None:
            self._stop()
        return batch or []

    def lag(self, role: str | None = None, ends: object = None) -> Lag:
        return Lag()

    def offsets(self) -> dict[str, dict[int, int]]:
        return {}

    def close(self) -> None: ...


@dataclass(slots=True)
class Shown:
    """messages: whatever the pages of the race were sent. snapshot: what a page that joins now gets."""

    frames: dict[int, Frame] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    snapshot: str = ""
    unread: int = 0
    ignored: int = 0


def watch(batches: list[list[Message]]) -> Shown:
    """What a page shows to which all that is told."""
    shown, board = Shown(), Board(META, None, STARTED, lambda: NOW)

    def publish(race_id: str, number: int, text: str, tick: int | None) -> None:
        shown.messages.append(text)
        if tick is not None and board.frame is not None:
            shown.frames[tick] = board.frame

    feed = Feed(publish)
    feed.watch(str(RACE.pk), board, RaceStatus("running"), anomaly_on=True)
    feed.run(Script(batches, lambda: None, feed.stop), CODEC)  # type: ignore[arg-type]
    shown.snapshot = feed.snapshot(str(RACE.pk))[0]
    shown.unread, shown.ignored = sum(feed.bad.values()), sum(board.ignored.values())
    return shown


def record(batches: list[list[Message]]) -> int:
    """Into the history, on a clock that goes on with each poll. How many records could not be used."""
    now = [0.0]

    def goes_on() -> None:
        now[0] += 0.1

    recorder = Recorder(
        lambda start, incarnation: Script([*batches, *[[]] * 40], goes_on, recorder.stop),  # type: ignore[arg-type, return-value]
        CODEC,
        lambda: now[0],
        lambda: NOW,
    )
    assert recorder._lease.hold()
    recorder.record()
    for cache in (replay.stored_frames, replay_engines.stored_engines):
        cache.cache_clear()
    return sum(recorder.bad.values())
