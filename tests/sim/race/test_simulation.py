"""What a race shows: ticks, positions, gaps, events, classification."""

import dataclasses
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from races.sim import (
    CarState,
    Race,
    RaceSettings,
    Tick,
    circuit_slugs,
    load_circuit,
    load_season,
)
from tests.fakes.engine import accident
from tests.sim.races import CIRCUIT, LAPS, PACE, run, settings, whole

SEEDS = st.integers(0, 10**9)


def few(examples: int) -> hypothesis_settings:
    """Races are costly: no shrinking, which would run hundreds of them to explain one failure."""
    return hypothesis_settings(max_examples=examples, phases=(Phase.explicit, Phase.reuse, Phase.generate))


FAST_MS = 105.0  # m/s: faster than any car


def racing(car: CarState) -> bool:
    return car.status in ("racing", "pit")


def metres(car: CarState) -> float:
    return (car.lap - 1 + car.lap_fraction) * load_circuit(CIRCUIT).length_m


def test_five_lights_then_a_pause() -> None:
    _, ticks = whole()
    grid = [tick for tick in ticks if tick.phase == "grid"]
    assert [tick.lights for tick in grid[:25]] == [light for light in range(1, 6) for _ in range(5)]
    assert 2 <= len(grid) - 25 <= 10
    assert all(tick.lights == 5 for tick in grid[25:])
    assert all(tick.race_time_s < 0 for tick in grid)
    assert all(car.speed == 0 for tick in grid for car in tick.cars)


def test_lights_out_has_a_line_at_once() -> None:
    _, ticks = whole()
    told = [tick for tick in ticks if any(event.type == "lights_out" for event in tick.events)]
    assert told == [next(tick for tick in ticks if tick.phase == "race")]
    assert told[0].race_time_s == 0


def test_ticks_and_phases_follow_each_other() -> None:
    _, ticks = whole()
    assert [tick.tick for tick in ticks] == list(range(len(ticks)))
    phases = [tick.phase for tick in ticks]
    assert sorted(phases, key=["grid", "race", "flag", "over"].index) == phases
    assert phases.count("over") == 1


def test_an_ended_race_goes_no_further() -> None:
    race = Race(settings(laps=1, pace=60))
    run(race)
    with pytest.raises(RuntimeError):
        race.advance()


@given(SEEDS)
@few(6)
def test_every_tick_holds_every_car(seed: int) -> None:
    codes = sorted(driver.code for driver in load_season().drivers)
    for tick in run(Race(settings(seed, laps=3))):
        assert [car.position for car in tick.cars] == list(range(1, 23))
        assert sorted(car.driver_code for car in tick.cars) == codes


@given(SEEDS)
@few(6)
def test_gaps_are_the_sum_of_intervals(seed: int) -> None:
    for tick in run(Race(settings(seed, laps=3))):
        if tick.race_time_s <= 0:
            continue
        running = [car for car in tick.cars if car.status != "retired"]
        gaps = [car.gap_s or 0.0 for car in running]
        assert gaps == sorted(gaps)
        for before, after, car in zip(gaps, gaps[1:], running[1:], strict=False):
            assert car.interval_s == pytest.approx(after - before, abs=0.0011)
        assert all(car.gap_s is None for car in tick.cars if car.status == "retired")


@given(SEEDS, st.integers(1, 60))
@few(8)
def test_nobody_jumps_from_tick_to_tick(seed: int, pace: int) -> None:
    farthest = pace * 0.2 * FAST_MS
    for before, after in pairwise(run(Race(settings(seed, laps=2, pace=pace)))):
        was = {car.driver_code: car for car in before.cars}
        for car in after.cars:
            if racing(car) and racing(was[car.driver_code]):
                assert -0.01 <= metres(car) - metres(was[car.driver_code]) <= farthest


@given(SEEDS)
@few(4)
def test_speed_is_distance_since_last_tick(seed: int) -> None:
    for before, after in pairwise(run(Race(settings(seed, laps=2)))):
        was = {car.driver_code: car for car in before.cars}
        for car in after.cars:
            if racing(car) and racing(was[car.driver_code]):
                covered = metres(car) - metres(was[car.driver_code])
                assert car.speed == pytest.approx(covered / (PACE * 0.2) * 3.6, abs=0.5)


def test_cars_keep_to_the_pit_limit() -> None:
    race = Race(settings(seed=3, pace=1))
    limit, stood = load_circuit(CIRCUIT).pit.limit_kmh, set()
    for before, after in pairwise(run(race)):
        inside = {car.driver_code for car in before.cars if car.pit}
        for car in after.cars:
            if car.pit and car.driver_code in inside:
                assert car.speed <= limit + 1.0
                if car.speed < 1.0:
                    stood.add(car.driver_code)
    assert len(stood) >= 15


def test_same_settings_same_ticks() -> None:
    _, ticks = whole(seed=5)
    assert tuple(run(Race(settings(seed=5)))) == ticks


def test_another_seed_gives_another_race() -> None:
    orders = {tuple(line.driver_code for line in whole(seed)[0].classification()) for seed in range(1, 6)}
    assert len(orders) == 5


@given(st.data())
@few(10)
def test_skipping_equals_advancing(data: st.DataObject) -> None:
    seed = data.draw(st.integers(1, 3))
    _, ticks = whole(seed)
    target = data.draw(st.integers(0, len(ticks) - 3))
    race = Race(settings(seed))
    race.skip_to(target)
    assert race.advance() == ticks[target + 1]
    race.skip_to(len(ticks) - 2)
    assert race.advance() == ticks[-1]


@given(SEEDS, st.integers(1, 60))
@few(8)
def test_the_pace_does_not_change_the_race(seed: int, pace: int) -> None:
    slow, fast = Race(settings(seed, laps=3)), Race(settings(seed, laps=3, pace=pace))
    told, told_fast = run(slow), run(fast)
    assert slow.classification() == fast.classification()
    assert events(told) == events(told_fast)


def events(ticks: list[Tick]) -> list[object]:
    return [event for tick in ticks for event in tick.events]


def test_the_own_driver_is_no_input() -> None:
    names = {field.name for field in dataclasses.fields(RaceSettings)}
    assert names == {"circuit", "laps", "pace", "seed", "incidents", "faults"}


@given(SEEDS)
@few(5)
def test_a_clean_race_has_no_flags(seed: int) -> None:
    ticks = run(Race(settings(seed, laps=4, incidents=False)))
    assert {tick.flag for tick in ticks} == {"green", "chequered"}
    kinds = {event.type for tick in ticks for event in tick.events}
    assert not kinds & {"yellow", "vsc", "safety_car", "retirement"}
    assert all(car.status == "finished" for car in ticks[-1].cars)


@given(SEEDS)
@few(6)
def test_finishers_have_used_two_compounds(seed: int) -> None:
    race = Race(settings(seed, pace=60))
    run(race)
    for line in race.classification():
        if line.status == "finished":
            assert len({stint[0] for stint in line.stints.split()}) >= 2
            assert line.stops == len(line.stints.split()) - 1


def test_the_classification_is_the_last_order() -> None:
    race, ticks = whole(seed=2)
    lines = race.classification()
    assert [line.driver_code for line in lines] == [car.driver_code for car in ticks[-1].cars]
    winner = lines[0]
    assert winner.race_time_s is not None and winner.gap_s is None
    for line, car in zip(lines, ticks[-1].cars, strict=True):
        if line.gap_s is not None and line.race_time_s is not None:
            assert line.gap_s == pytest.approx(line.race_time_s - winner.race_time_s, abs=1e-6)
            assert car.gap_s == line.gap_s


def test_finishers_go_by_laps_and_time() -> None:
    for seed in range(1, 4):
        lines = [line for line in whole(seed)[0].classification() if line.status == "finished"]
        assert lines == sorted(lines, key=lambda line: (-line.laps, line.race_time_s))


def test_every_event_has_one_line() -> None:
    race, ticks = whole(seed=4)
    told = [event for tick in ticks for event in tick.events]
    assert [event.event for event in told] == list(range(len(told)))
    counts = Counter(event.type for event in told)
    assert counts["lights_out"] == counts["chequered"] == counts["last_lap"] == 1
    finishers = [line for line in race.classification() if line.status == "finished"]
    homes = [event for event in told if event.type == "finish"]
    assert sorted((event.position, event.driver_code) for event in homes) == [
        (line.position, line.driver_code) for line in finishers
    ]
    assert counts["pit_out"] == sum(line.stops for line in race.classification())


def test_an_overtake_names_two_cars() -> None:
    _, ticks = whole(seed=6)
    passes = 0
    for tick in ticks:
        for event in tick.events:
            if event.type == "overtake":
                passes += 1
                assert event.other_code and event.other_code != event.driver_code
                assert 1 <= event.position <= 21
    assert passes >= 3


def test_a_finished_car_drives_on_slowly() -> None:
    _, ticks = whole(seed=2)
    for before, after in pairwise(ticks):
        was = {car.driver_code: car for car in before.cars}
        for car in after.cars:
            if was[car.driver_code].status == "finished":
                assert car.position <= was[car.driver_code].position
                assert car.lap == was[car.driver_code].lap
                assert car.speed < 250


@pytest.mark.full
@given(SEEDS, st.sampled_from(circuit_slugs()))
@few(25)
def test_a_grand_prix_comes_to_a_result(seed: int, slug: str) -> None:
    race = Race(settings(seed, load_circuit(slug).laps, pace=60, circuit=slug))
    run(race)
    assert race.classification()[0].laps == load_circuit(slug).laps


@pytest.mark.parametrize("laps", [1, 2, 3, 4, 5])
def test_short_races_come_to_a_result(laps: int) -> None:
    race = Race(settings(8, laps))
    run(race)
    assert race.classification()[0].laps == laps


def test_engines_are_warm() -> None:
    _, ticks = whole()
    assert all(len(tick.temperatures) == 22 for tick in ticks)
    readings = [value for tick in ticks[60:] for value in tick.temperatures.values()]
    assert 95 < sorted(readings)[len(readings) // 2] < 125


def test_faults_can_be_switched_off() -> None:
    assert Race(settings()).injected_faults()
    quiet = RaceSettings(CIRCUIT, LAPS, PACE, 1, faults=False)
    assert Race(quiet).injected_faults() == ()


def test_race_of_one_lap_has_its_lines() -> None:
    """Passes after the melee of the start are told one by one, and the only lap has a fastest one."""
    kinds = Counter[str]()
    for seed in range(6):
        kinds.update(event.type for tick in run(Race(settings(seed, laps=1))) for event in tick.events)
    assert kinds["overtake"] >= 3 and kinds["fastest_lap"] >= 6


@pytest.mark.parametrize("laps", [2, 4, 7])
def test_below_eight_laps_nobody_must_stop(laps: int) -> None:
    race = Race(settings(5, laps, incidents=False))
    run(race)
    assert sum(line.stops for line in race.classification()) == 0


def check_after_the_flag(ticks: list[Tick]) -> None:
    """No interval is negative, and there are seconds only between cars on the same lap."""
    for tick in ticks:
        home = tick.phase in ("flag", "over")
        ahead: CarState | None = None
        for car in (car for car in tick.cars if car.status != "retired"):
            assert car.interval_s is None or car.interval_s >= 0.0
            if home and ahead:
                assert (car.interval_s is None) == (car.laps_down != ahead.laps_down)
                assert (car.gap_s is None) == (car.laps_down > 0)
            ahead = car


def home_under(calls: str, seed: int, at: float, slow: int) -> list[Tick]:
    """A race of twelve laps that comes home under this flag, the last cars of its grid laps down."""
    race = Race(settings(seed, 12, incidents=False))
    accident(race._field, calls, 3, at)
    for i in race._field.order[len(race._field.order) - slow :]:
        race._field.cars[i].ability_s += 9.0
    ticks = run(race)
    lines = race.classification()
    assert all(line.interval_s is None or line.interval_s >= 0.0 for line in lines)
    assert all(line.gap_s is None for line in lines if line.laps_down)
    return ticks


def test_after_the_flag_laps_have_no_seconds() -> None:
    ticks = home_under("vsc", 2, at=9.6, slow=3)
    assert sum(car.laps_down > 0 for car in ticks[-1].cars if car.status == "finished") >= 2
    check_after_the_flag(ticks)


@given(SEEDS, st.sampled_from(["", "vsc", "safety_car"]), st.floats(8.5, 11.4), st.integers(0, 6))
@few(8)
def test_no_interval_is_negative_after_the_flag(seed: int, calls: str, at: float, slow: int) -> None:
    check_after_the_flag(home_under(calls, seed, at, slow))


@pytest.mark.parametrize("calls", ["vsc", "safety_car"])
def test_neutralised_figures_differ(calls: str) -> None:
    """Drivers keep a set pace and their distance by hand: intervals and sector times are not the same thousandths."""
    race = Race(settings(3, 12, pace=20, incidents=False))
    accident(race._field, calls, 3, at=4.4)
    *_, last = (tick for tick in run(race) if tick.flag == calls)
    racing_cars = [car for car in last.cars[1:] if car.status == "racing" and car.interval_s]
    assert len(racing_cars) > 15
    assert len({car.interval_s for car in racing_cars}) > 0.8 * len(racing_cars)
    assert len({car.sector_2_s for car in racing_cars}) > 0.8 * len(racing_cars)


def test_mistake_names_its_turn() -> None:
    told = [
        event
        for seed in range(4)
        for tick in run(Race(settings(seed, 20)))
        for event in tick.events
        if event.type == "off_track"
    ]
    assert told
    assert all("RUNS WIDE AT TURN" in event.message and (event.value or 0.0) >= 0.9 for event in told)
