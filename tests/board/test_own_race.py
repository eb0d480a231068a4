"""A driver's own story: held against an account of the race that shares none of its code."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import pytest

from races.analytics.engine import RaceAnalytics
from races.analytics.plausibility import TICK_MS
from races.board.board import Board
from races.board.frames import Note, Record
from races.board.logs import EngineLog
from races.board.own_race import LapEnd, OwnRace
from races.board.race_info import CarInfo, RaceInfo
from races.sim import Race, RaceSettings, circuit_slugs, load_circuit, load_season
from races.worker.records import entry_list, tick_records
from tests.live.synthetic import info

WITHIN_MS = 3000
START = 1_800_000_000_000
PACE = 40


@dataclass(slots=True)
class Expected:
    """What a driver's feed must have, by kind: the instants; and laps with their times, for slow ones."""

    instants: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    laps: list[tuple[int, int, float]] = field(default_factory=list)  # from, to, seconds
    position: int = 0
    lap: int = 0


KINDS = {"pit_in": "pit_in", "pit_out": "pit_out", "retirement": "retirement"}


def account(records: list[tuple[str, Record]]) -> dict[str, Expected]:
    """Returns what happened to each driver, from positions and race control, lap by lap."""
    found: dict[str, Expected] = defaultdict(Expected)
    neutral: list[tuple[int, int]] = []
    since = None
    for role, record in records:
        at = record["timestamp"]
        if role == "race_control":
            if record["type"] in KINDS:
                found[record["driver_code"]].instants[record["type"]].append(at)
            if record["type"] in ("vsc", "safety_car") and since is None:
                since = at
            if record["type"] == "green" and since is not None:
                neutral.append((since, at))
                since = None
        elif role == "positions":
            at_line(found[record["driver_code"]], record)
    if since is not None:
        neutral.append((since, 2**62))
    for expected in found.values():
        expected.instants["slow"] = slow_laps(expected, neutral)
    return found


def at_line(expected: Expected, record: Record) -> None:
    """A line is passed where the lap goes up, or where the car takes the flag."""
    at, home = record["timestamp"], record["status"] == "finished"
    if record["lap"] == 0 or expected.lap == -1:
        expected.position = record["grid"]
        return
    passed = home or record["lap"] > expected.lap >= 1
    if passed:
        if record["position"] != expected.position:
            expected.instants["place"].append(at)
        expected.position = record["position"]
        before = expected.laps[-1][1] if expected.laps else 0
        expected.laps.append((before, at, record["last_lap_s"]))
    expected.lap = -1 if home else record["lap"]


def slow_laps(expected: Expected, neutral: list[tuple[int, int]]) -> list[int]:
    stops = expected.instants["pit_in"] + expected.instants["pit_out"]
    clean: list[float] = []
    slow = []
    for start, end, seconds in expected.laps[1:]:
        flagged = any(first < end and start < last for first, last in neutral)
        if flagged or any(start <= stop <= end for stop in stops):
            continue
        if len(clean) >= 3 and seconds > 1.03 * median(clean):
            slow.append(end)
        clean.append(seconds)
    return slow


def simulated(
    seed: int, circuit: str, laps: int
) -> tuple[list[tuple[str, Record]], dict[str, list[Note]], EngineLog]:
    """Returns the records of a race and, for each of its drivers, the feed that they make."""
    race_id = str(uuid.UUID(int=seed))
    season = load_season()
    field = entry_list(race_id, laps, season)
    analytics, engines = RaceAnalytics(race_id, anomaly=True), EngineLog()
    owns = {code: OwnRace(code, PACE) for code in field.names}
    board = Board(race_info(race_id, circuit, laps))
    records: list[tuple[str, Record]] = []
    simulation = Race(RaceSettings(circuit, laps, PACE, seed))
    while not simulation.over:
        tick = simulation.advance()
        for record in tick_records(field, tick, START + tick.tick * TICK_MS, True):
            records.append((record.role, record.value))
            if record.role == "race_control":
                for own in owns.values():
                    own.control(record.value)
            elif record.role == "positions":
                frame = board.apply("positions", record.value)
                for car in frame["cars"] if frame else ():
                    owns[car["driver_code"]].car(car, frame["timestamp"])  # type: ignore[index]  # there are cars
            for derived in analytics.feed(record.role, record.value, record.key):
                if derived.role == "car_metrics_anomalies":
                    key: Any = derived.key
                    engines.add(key["key"].rpartition(":")[2], key["ts"], derived.value)
    for code, own in owns.items():
        own.alarms(engines.alarms(code))
    return records, {code: own.story()["notes"] for code, own in owns.items()}, engines


def race_info(race_id: str, circuit: str, laps: int) -> RaceInfo:
    season = load_season()
    cars = tuple(CarInfo(d.code, d.name, d.number, d.team) for d in season.drivers)
    length_m = load_circuit(circuit).length_m
    return replace(info(laps=laps), race_id=race_id, pace=PACE, cars=cars, length_m=length_m)


def check(seed: int, circuit: str, laps: int = 14) -> int:
    """Holds each driver's feed against the account of the race; returns how many things were to be told."""
    records, feeds, engines = simulated(seed, circuit, laps)
    count = 0
    for code, expected in account(records).items():
        expected.instants["alarm"] = [alarm["start"] for alarm in engines.alarms(code)]
        notes = feeds[code]
        for kind, instants in expected.instants.items():
            told = [note["at"] for note in notes if note["kind"] == kind]
            for at in instants:
                assert any(0 <= one - at <= WITHIN_MS for one in told), (seed, code, kind, at)
            count += len(instants)
            if kind in ("place", "slow"):  # and nothing that did not happen
                assert len(told) == len(instants), (seed, code, kind)
        assert notes, f"{code} is never named to who picked them"
    return count


def test_a_feed_tells_what_happened() -> None:
    assert check(3, "monza", 9) > 100


@pytest.mark.full
@pytest.mark.parametrize("seed", range(48))
def test_feeds_of_many_races(seed: int) -> None:
    """Over 48 races and all 22 drivers each change, stop, retirement, slow lap and alarm has its line in time."""
    slugs = circuit_slugs()
    assert check(seed, slugs[seed % len(slugs)], 20) >= 100


def facts(code: str = "NOR") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for n, (position, time) in enumerate([(5, 84.0), (5, 80.0), (4, 80.1), (4, 80.0), (6, 85.0)], 1):
        found.append(("lap", LapEnd(n, n * 2000, position, time, "SOFT", n)))
    found.append(("control", event("pit_in", 10_400, position=6)))
    found.append(("control", event("pit_out", 11_000, position=9, value=2.3)))
    found.append(("control", event("overtake", 5_500, other="SAI")))
    found.append(("control", event("overtake", 9_100, code="GAS", other=code)))
    return found


def event(kind: str, at: int, code: str = "NOR", other: str = "", **fields: Any) -> Record:
    return {"tick": at // 200, "event": at, "timestamp": at, "type": kind, "driver_code": code, "other_code": other,
            "lap": 0, "position": 0, "value": None, "message": f"CAR 1 ({code}) {kind.upper()}"} | fields  # fmt: skip


def told(facts: list[tuple[str, Any]]) -> OwnRace:
    own = OwnRace("NOR", PACE)
    own.grid = 7
    for kind, fact in facts:
        own.lap(fact) if kind == "lap" else own.control(fact)
    return own


def test_the_order_of_facts_does_not_matter() -> None:
    straight = told(facts()).story()
    for seed in range(20):
        mixed = facts() * 2
        random.Random(seed).shuffle(mixed)
        assert told(mixed).story() == straight


def test_words_and_figures() -> None:
    texts = [note["text"] for note in reversed(told(facts()).story()["notes"])]
    assert texts == [
        "Up from P7 to P5 on the opening lap.",
        "Up from P5 to P4 on lap 3, past SAI.",
        "Down from P4 to P6 on lap 5, passed by GAS.",
        "Lap 5 in 1:25.000, 5.0 s slower than usual on softs 5 laps old.",
        "Into the pits from P6 on softs 6 laps old.",
        "Out of the pits in P9: 2.3 s stationary.",
    ]


def test_what_the_pit_wall_keeps_in_mind() -> None:
    own = told(facts())
    assert own.until(10_000)["fade"] == (5.0, 2)
    assert own.until(10_500)["pit_since"] == 10_400
    assert own.until(11_000)["stop"] == (11_000, 2.3)
    assert own.story()["pit_since"] is None


def test_a_story_does_not_know_what_comes() -> None:
    own = told(facts())
    own.alarms([{"kind": "overheating", "start": 3000, "end": 9000, "size_c": 7.25}])
    for now in range(0, 12_000, 200):
        assert all(note["at"] <= now for note in own.until(now)["notes"])
    ended = [note["text"] for note in own.until(9000)["notes"] if note["kind"] == "alarm"]
    assert ended == ["The engine alarm is over: overheating, 7.2 °C at most.", "Engine alarm: overheating."]


def test_slow_laps_of_others_reasons_are_none() -> None:
    """A lap with a stop, behind a safety car or from the grid says nothing of pace."""
    laps = [("lap", LapEnd(n, n * 2000, 3, 80.0 + 9 * (n == 6), "HARD", n)) for n in range(1, 8)]
    assert [note["kind"] for note in told(laps).story()["notes"]].count("slow") == 1
    for kind in ("safety_car", "vsc", "pit_in"):
        calm = [*laps, ("control", event(kind, 11_000, position=3))]
        assert "slow" not in [note["kind"] for note in told(calm).story()["notes"]]
