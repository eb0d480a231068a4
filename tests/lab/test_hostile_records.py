"""Records that are well formed and not true: what they claim stays off the board and out of the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from races.analytics.plausibility import CLOCK_SKEW_MS
from races.board.board import PENDING, Board
from races.board.frames import Frame, event_of
from races.board.logs import IDS_KEPT, NoteLog
from races.models import Race
from races.models.creation import Choice
from races.models.race_info import info_for
from races.recorder.race_recording import RaceRecording
from races.recorder.writer import clamp
from races.sim import Race as Simulation
from races.sim import RaceSettings, load_season
from races.streams.codec import Codec
from races.streams.config import embedded_settings
from races.streams.connection import Connection
from races.streams.registry.service import Registry
from races.worker.records import entry_list, tick_records
from tests.fakes.expected import check_history
from tests.fakes.lab import recording
from tests.fakes.stories import publishing, say_all, simulated
from tests.fakes.waiting import wait_for

SEED, CIRCUIT, LAPS, PACE = 1, "spielberg", 1, 60
STARTED = 1_780_000_000_000
INT = 2**31 - 1
Record = dict[str, Any]
few = settings(max_examples=10, suppress_health_check=list(HealthCheck))
many = settings(few, max_examples=200)
AT_ONCE = 50


def race() -> Race:
    choice = Choice("NOR", CIRCUIT, LAPS, PACE, SEED)
    return Race(driver_code=choice.driver, circuit=CIRCUIT, laps=LAPS, pace=PACE, seed=SEED, status="running")


RACE = race()
META = info_for(RACE)


def whole_race() -> list[Record]:
    sim, field = (
        Simulation(RaceSettings(CIRCUIT, LAPS, PACE, SEED)),
        entry_list(str(RACE.pk), LAPS, load_season()),
    )
    found = []
    while not sim.over:
        tick = sim.advance()
        records = tick_records(field, tick, STARTED + tick.tick * 200, metrics=False)
        found += [record.value for record in records if record.role == "positions"]
    return found


TRUE = whole_race()
LAST = TRUE[-1]["tick"]
NOW = STARTED + (LAST + 1) * 200


def new() -> RaceRecording:
    return RaceRecording(RACE, Board(META, None, STARTED, lambda: NOW), None)


def outcome(one: RaceRecording) -> tuple[Any, ...]:
    laps = [(lap.driver_code, lap.lap, lap.time_s, lap.position, lap.tick) for lap in one.laps]
    return one.frames, laps, one.missing, one.over_at, one.previous


def clean() -> tuple[Any, ...]:
    one = new()
    for record in TRUE:
        one.position(record, 1.0)
    return outcome(one)


CLEAN = clean()
FRAMES: list[Frame] = CLEAN[0]
NOISE = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from(["grid", "race", "flag", "over", "party"]),
        "flag": st.sampled_from(["green", "red", "chequered", "x"]),
        "position": st.integers(-INT, INT),
        "grid": st.integers(-INT, INT),
        "lap": st.integers(-INT, INT),
        "laps": st.integers(-INT, INT),
        "speed": st.floats(-1e6, 1e6),
        "best_lap_s": st.one_of(st.none(), st.floats(-1e6, 1e6)),
        "driver_name": st.text(max_size=30),
        "stints": st.text(max_size=30),
        "race_time_s": st.floats(-1e6, 1e6),
    },
)
INSTANTS = st.integers(0, 4_102_444_800_000)
CODES = {car.code for car in META.cars}
SIZES = st.integers(-INT, INT).filter(lambda size: size != len(CODES))
LIES = st.one_of(
    st.fixed_dictionaries({"tick": st.one_of(st.integers(-INT, -1), st.integers(LAST + 1, INT))}),
    st.integers(LAST + 1, 2 * LAST).map(lambda tick: {"tick": tick, "timestamp": STARTED + tick * 200}),
    st.fixed_dictionaries({"timestamp": INSTANTS.filter(lambda at: (at - STARTED) % 200 != 0)}),
    st.fixed_dictionaries(
        {"driver_code": st.text(max_size=5).filter(lambda code: code and code not in CODES)}
    ),
    st.fixed_dictionaries({"field_size": SIZES}),
    st.fixed_dictionaries({"race_id": st.uuids().map(str)}),
)
HOSTILE = st.tuples(st.integers(1, len(TRUE) - 1), LIES, NOISE)


def with_lies(one: RaceRecording, lies: list[tuple[int, Record, Record]]) -> None:
    """Each lie just before the true record that it was made of."""
    told: dict[int, list[Record]] = {}
    for at, lie, noise in lies:
        told.setdefault(at, []).append(TRUE[at] | noise | lie)
    for number, record in enumerate(TRUE):
        for hostile in told.get(number, ()):
            one.position(hostile, 1.0)
        one.position(record, 1.0)


def check(lies: list[tuple[int, Record, Record]]) -> None:
    one = new()
    with_lies(one, lies)
    assert outcome(one) == CLEAN
    assert len(one.board._pending) <= PENDING


def fuzz(how: settings, record_property: Callable[[str, object], None]) -> None:
    cases = 0

    @how
    @given(st.lists(HOSTILE, min_size=AT_ONCE, max_size=AT_ONCE))
    def sweep(lies: list[tuple[int, Record, Record]]) -> None:
        nonlocal cases
        cases += len(lies)
        check(lies)

    sweep()
    record_property("cases", ("hostile position records, board and history", cases))


def test_no_lie_among_the_records_changes_board_or_history(
    record_property: Callable[[str, object], None],
) -> None:
    fuzz(few, record_property)


@pytest.mark.full
@pytest.mark.timeout(400)
def test_no_lie_among_many_changes_board_or_history(record_property: Callable[[str, object], None]) -> None:
    fuzz(many, record_property)


def test_record_far_ahead_ends_nothing() -> None:
    check([(100, {"tick": 4000, "field_size": 1, "phase": "over"}, {})])
    check([(100, {"field_size": 1, "phase": "over"}, {})])
    check([(100, {"field_size": 0, "phase": "over"}, {}), (101, {"field_size": 0, "tick": 90}, {})])


def test_record_without_a_tick_completes_none() -> None:
    last_of_a_tick = 13 * len(CODES) - 1
    check([(last_of_a_tick, {"tick": -1}, {"phase": "grid", "race_time_s": 0.0, "stints": ""})])


def test_one_car_does_not_set_the_phase() -> None:
    one = new()
    liar = next(r["driver_code"] for r in TRUE if r["tick"] == LAST // 2 and r["position"] == 1)
    for record in TRUE:
        lies = record["tick"] == LAST // 2 and record["driver_code"] == liar
        one.position(record | {"phase": "over"} if lies else record, 1.0)
    assert [frame["phase"] for frame in one.frames] == [frame["phase"] for frame in FRAMES]


def test_records_far_ahead_of_the_clock() -> None:
    board = new().board
    control = {"race_id": str(RACE.pk), "tick": 10, "type": "yellow", "driver_code": "", "other_code": "", "lap": 1,
               "message": "Yellow", "event": 1, "timestamp": NOW}  # fmt: skip
    line = {
        "id": "1",
        "message": "Hello",
        "timestamp": NOW + CLOCK_SKEW_MS + 1,
        "type": "info",
        "race_id": None,
    }
    key = {"key": f"{RACE.pk}:NOR", "ts": NOW + CLOCK_SKEW_MS + 1}
    reading = {"team_name": "x", "engine_temperature": 100.0, "is_anomaly": True}
    board.apply("race_control", control | {"tick": 10**6})
    board.apply("race_control", control | {"timestamp": STARTED})
    board.apply("commentary", line)
    board.apply("car_metrics_anomalies", reading, key)
    board.apply("car_metrics_anomalies", reading, {"key": f"{RACE.pk}:QQQ", "ts": NOW})
    board.apply("avg_speed", {"avg_speed": 1.0}, {"driver_name": "Nobody", "race_id": str(RACE.pk)})
    assert board.ignored["implausible"] == 6
    assert board.averages == {}
    board.apply("race_control", control)
    board.apply("positions", TRUE[0])
    assert board.ignored["implausible"] == 6


def test_invented_ticks_and_notes_fill_no_memory() -> None:
    board = Board(META)
    for number in range(3 * PENDING):
        board.apply("positions", TRUE[0] | {"timestamp": STARTED + number})
    assert len(board._pending) == PENDING
    log = NoteLog([])
    for number in range(IDS_KEPT + 100):
        log.add(
            {"id": str(number), "at": number, "kind": "info", "code": "", "lap": 0, "text": "", "drivers": []}
        )
    assert len(log._seen) == IDS_KEPT


def test_an_update_takes_what_its_column_holds() -> None:
    assert clamp(Race, "lap", 10**9) == 32767
    assert clamp(Race, "status_reason", "x" * 900) == "x" * 500


BARE = {
    "race_id": str(RACE.pk),
    "tick": 7,
    "timestamp": STARTED,
    "type": "yellow",
    "driver_code": "",
    "lap": 1,
}


def test_identity_without_an_ordinal() -> None:
    first, second = event_of(BARE | {"message": "one"}), event_of(BARE | {"message": "two", "event": -1})
    assert first != second
    assert first == event_of(BARE | {"message": "one", "event": -1})
    assert all(-(2**31) <= event < -1 for event in (first, second))
    assert event_of(BARE | {"message": "one", "event": 3}) == 3


@pytest.mark.django_db(transaction=True)
def test_messages_with_base_fields_only(kafka: Connection) -> None:
    found, ticks = simulated()
    base = {
        "race_id": str(found.pk),
        "tick": 3,
        "timestamp": found.event_ms(3),
        "type": "note",
        "driver_code": "",
        "lap": 0,
    }
    with recording(kafka), publishing(kafka) as say:
        say_all(say, ticks[:1])
        for message in ("one", "two", "one"):
            extra = {"event": -1, "other_code": "", "position": 0, "value": None}
            say("race_control", base | extra | {"message": message})
        wait_for(lambda: found.control.count() >= 2, "both are written")
    assert sorted(found.control.values_list("message", flat=True)) == ["one", "two"]


@pytest.mark.django_db(transaction=True)
def test_guessed_ordinal_hides_no_message(kafka: Connection) -> None:
    found, ticks = simulated()
    rest = {"event": 7, "other_code": "", "position": 0, "value": None, "driver_code": "", "lap": 0}
    with recording(kafka), publishing(kafka) as say:
        say_all(say, ticks[:1])
        for tick, message in ((1, "invented"), (3, "Yellow flag"), (3, "Yellow flag")):
            told = {"race_id": str(found.pk), "tick": tick, "timestamp": found.event_ms(tick)}
            say("race_control", told | rest | {"type": "yellow", "message": message})
        wait_for(lambda: found.control.filter(event=7).count() >= 2, "both are written")
    assert [*found.control.filter(event=7).values_list("message", flat=True)] == ["invented", "Yellow flag"]


@pytest.mark.django_db(transaction=True)
def test_recorder_stops_within_a_tick(kafka: Connection) -> None:
    found, ticks = simulated()
    with publishing(kafka) as say:
        say_all(say, [*ticks[:2], ticks[2][:9]])
    with recording(kafka):
        wait_for(lambda: Race.objects.get(pk=found.pk).recorded_tick == 1, "two ticks are recorded")
    with recording(kafka), publishing(kafka) as say:
        say_all(say, [ticks[2][9:], *ticks[3:]])
        wait_for(lambda: not Race.objects.get(pk=found.pk).is_active, "it ends")
    check_history(found, ticks)


def test_impossible_schema_id_asks_nobody() -> None:
    codec = Codec(embedded_settings("unused:1"), Registry())
    with pytest.raises(Exception, match="registries give none beyond"):
        codec.decode("positions", b"\x00\xff\xff\xff\xff")
