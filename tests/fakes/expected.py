"""A race as the simulation of its settings tells it; history, API and topics are held against that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from races.board.frames import Frame
from races.board.storage import unpack_frames
from races.models import BoardChunk, Race
from races.sim import Race as Simulation
from races.sim import load_season
from races.views.api import CAR
from races.worker.preparation import settings_of
from races.worker.records import entry_list, tick_records

Tick = list[tuple[str, dict[str, Any]]]  # role and record, all of one race
TOLD = (
    "position", "driver_code", "driver_name", "team_name", "grid", "lap", "lap_fraction", "speed", "gap_s",
    "interval_s", "laps_down", "last_lap_s", "best_lap_s", "tyre", "tyre_age", "stints", "stops", "pit", "status",
)  # fmt: skip
ANSWERED = [name for name in CAR if name != "average_speed_kmh"]  # which analytics make, not the simulation


def expected_ticks(race: Race) -> list[Tick]:
    """The race's records as its worker makes them."""
    sim, names = Simulation(settings_of(race)), entry_list(str(race.pk), race.laps, load_season())
    ticks = []
    while not sim.over:
        tick = sim.advance()
        found = tick_records(names, tick, race.event_ms(tick.tick), metrics=False)
        ticks.append([(one.role, one.value) for one in found])
    return ticks


def cars_of(tick: Tick) -> list[dict[str, Any]]:
    """First to last."""
    return sorted((r for role, r in tick if role == "positions"), key=lambda record: record["position"])


def order(tick: Tick) -> list[str]:
    return [car["driver_code"] for car in cars_of(tick)]


def of_frame(frame: Frame) -> tuple[Any, ...]:
    cars: list[Any] = list(frame["cars"])
    return (
        frame["tick"],
        frame["timestamp"],
        frame["phase"],
        [tuple(car[name] for name in TOLD) for car in cars],
    )


def of_records(tick: Tick) -> tuple[Any, ...]:
    """What a frame of these records has to say."""
    cars = cars_of(tick)
    head = (cars[0]["tick"], cars[0]["timestamp"], cars[0]["phase"])
    return *head, [tuple(car[name] for name in TOLD) for car in cars]


def check_frames(frames: Iterable[Frame], ticks: list[Tick], missing: Collection[int] = ()) -> None:
    """Each tick once and as it was told, but for the missing ones."""
    wanted = [of_records(tick) for number, tick in enumerate(ticks) if number not in missing]
    assert [of_frame(frame) for frame in frames] == wanted


def stored(race: Race) -> list[Frame]:
    return [f for chunk in BoardChunk.objects.filter(race=race) for f in unpack_frames(bytes(chunk.data))]


def check_history(race: Race, ticks: list[Tick], missing: Collection[int] = ()) -> None:
    """Checks a race in the tests' own database: frames, classification and events, and the missing ticks counted."""
    race.refresh_from_db()
    assert race.status == Race.Status.FINISHED
    check_frames(stored(race), ticks, missing)
    assert race.missing_ticks == len(missing)
    assert list(race.results.order_by("position").values_list("driver_code", flat=True)) == order(ticks[-1])
    events = {record["event"] for tick in ticks for role, record in tick if role == "race_control"}
    assert set(race.control.values_list("event", flat=True)) == events


def check_answer(answer: Mapping[str, Any], ticks: list[Tick]) -> None:
    """The API's, of a race that has ended: its leaderboard and its classification are the last tick."""
    wanted = [{name: car[name] for name in ANSWERED} for car in cars_of(ticks[-1])]
    for board in ("classification", "leaderboard"):
        assert [{name: car[name] for name in ANSWERED} for car in answer[board]] == wanted
    assert answer["tick"] == len(ticks) - 1


def check_published(records: Iterable[Mapping[str, Any]], ticks: list[Tick], first: int = 0) -> None:
    """On the topic is each tick from the first on, with every car and as the simulation has it. What comes again is
    the same; names with an underscore are the reader's own.
    """
    wanted = {(car["tick"], car["driver_code"]): car for tick in ticks[first:] for car in cars_of(tick)}
    found = set()
    for record in records:
        identity = record["tick"], record["driver_code"]
        assert {name: value for name, value in record.items() if name[0] != "_"} == wanted[identity]
        assert record["_at"] == record["timestamp"]
        found.add(identity)
    assert found == set(wanted)
