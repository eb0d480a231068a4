"""The engine itself, step by step: order, distances between cars, flags, the line."""

from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from races.sim.race.car import FINISHED, RACING, RETIRED
from races.sim.race.field import FREE
from races.sim.race.incident_schedule import Incident
from races.sim.race.motion import step
from races.sim.settings import STEP_S
from tests.fakes.engine import accident, field_of, steps

SEEDS = st.integers(0, 10**9)
FEW = settings(max_examples=5, phases=(Phase.explicit, Phase.reuse, Phase.generate))
FASTEST_S = 45.0  # no lap is faster, nor any stretch of one in proportion


@given(SEEDS)
@FEW
def test_the_order_is_sorted_by_progress(seed: int) -> None:
    field = field_of(seed, 2)
    for _ in steps(field):
        assert sorted(field.order) == list(range(22))
        assert all(field.order[field.place[i]] == i for i in range(22))
        running = [i for i in field.order if field.cars[i].state != RETIRED]
        progress = [field.progress[i] for i in running]
        assert progress == sorted(progress, reverse=True)


@given(SEEDS)
@FEW
def test_progress_never_falls_nor_jumps(seed: int) -> None:
    field = field_of(seed, 3)
    before = list(field.progress)
    for _ in steps(field):
        for was, now in zip(before, field.progress, strict=True):
            assert -1e-9 <= now - was <= STEP_S / FASTEST_S
        before = list(field.progress)


@given(SEEDS)
@FEW
def test_a_car_comes_no_nearer_than_it_may(seed: int) -> None:
    """Where it is nearer already, out of the pits or just passed, the distance grows."""
    field = field_of(seed, 3)
    last: dict[tuple[int, int], tuple[float, float]] = {}
    for _ in steps(field):
        queue = [i for i in field.order if field.solid[i] and field.cars[i].state == RACING]
        now = {}
        for j, i in pairwise(queue):
            gap, hold = field.progress[j] - field.progress[i], field.hold[i]
            now[i, j] = gap, hold
            was, held = last.get((i, j), (0.0, FREE))
            if FREE not in (hold, held):
                assert gap >= min(hold, held, was) - 2e-5
        last = now


@pytest.mark.parametrize("calls", ["safety_car", "vsc"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nobody_passes_when_neutralised(calls: str, seed: int) -> None:
    field = field_of(seed, 7)
    accident(field, calls, 2)
    neutral = 0
    for _ in steps(field):
        before = field.statistics.passes
        if field.flags.neutralised:
            neutral += 1
            queue = [i for i in field.order if field.solid[i] and field.cars[i].state == RACING]
            step(field)
            after = [i for i in field.order if i in queue and field.solid[i]]
            assert after == [i for i in queue if i in after]
            assert field.statistics.passes == before
    assert neutral > 300


@pytest.mark.parametrize("seed", [4, 5])
def test_the_field_closes_up(seed: int) -> None:
    field = field_of(seed, 12)
    accident(field, "safety_car", 4, at=4.4)
    spread: list[float] = []
    for _ in steps(field):
        if field.flags.flag == "safety_car":
            on_track = [field.progress[i] for i in field.order if field.solid[i]]
            spread.append(on_track[0] - on_track[-1])
    assert min(spread) < 0.55 * spread[0]


def test_safety_car_has_lines_to_the_restart() -> None:
    field = field_of(1, 7)
    accident(field, "safety_car", 2)
    for _ in steps(field):
        pass
    kinds = [event.type for event in field.events]
    told = [kind for kind in kinds if kind in ("yellow", "safety_car", "safety_car_ending", "green")]
    assert told == ["yellow", "safety_car", "safety_car_ending", "green"]
    assert kinds.count("retirement") == 1


def test_a_safety_car_makes_stops_cheap() -> None:
    assert _places_lost(neutral=True) < _places_lost(neutral=False)


def _places_lost(neutral: bool) -> float:
    """Progress that a car loses to the leader by a stop, in reference seconds."""
    field = field_of(9, 9, incidents=False)
    if neutral:
        accident(field, "safety_car", 4, at=2.2)
    for car in field.cars:
        car.plan = type(car.plan)(0.0, ())
        car.view = type(car.view)(car.view.tyres, 1e6, False)
    stopper = field.cars[field.order[12]]
    leader, gap = field.order[0], 0.0
    for _ in steps(field):
        if stopper.lap == 4 and not stopper.stops and not stopper.damaged:
            stopper.damaged = stopper.next_point == len(field.track.timing_points) - 1
            gap = field.progress[leader] - field.progress[stopper.index]
        if stopper.stops and stopper.state == RACING:
            break
    return (field.progress[leader] - field.progress[stopper.index] - gap) * field.track.lap_s


@given(SEEDS)
@FEW
def test_lap_times_sum_to_the_race_time(seed: int) -> None:
    field = field_of(seed, 3)
    for _ in steps(field):
        pass
    for car in field.cars:
        laps = [ms for i, _, ms, _ in field.statistics.laps if i == car.index]
        assert len(laps) == car.done
        assert sum(laps) == car.line_ms
        assert car.best_ms == (min(laps) if laps else None)


@given(SEEDS)
@FEW
def test_the_flags_order_is_the_lines(seed: int) -> None:
    field = field_of(seed, 3)
    for _ in steps(field):
        pass
    home = [field.cars[i] for i in field.order if field.cars[i].state == FINISHED]
    assert home == sorted(home, key=lambda car: (-car.done, car.line_ms))
    out = [i for i in field.order if field.cars[i].state == RETIRED]
    assert field.order[len(home) :] == out


def test_everybody_gets_home() -> None:
    field = field_of(3, 12)
    for _ in steps(field):
        pass
    slowest = max(car.line_ms for car in field.cars if car.state == FINISHED)
    assert field.winner_ms < slowest < field.winner_ms + 1.6 * 1000 * field.track.lap_s
    assert all(car.done <= field.laps for car in field.cars)


def test_a_lapped_car_holds_nobody_up() -> None:
    field = field_of(2, 12, incidents=False)
    slow = field.cars[field.order[-1]]
    slow.ability_s += 9.0
    for _ in steps(field):
        pass
    assert slow.done < field.laps
    leader = field.cars[field.winner]
    times = [ms for i, lap, ms, flying in field.statistics.laps if i == leader.index and flying and lap > 2]
    assert max(times) - min(times) < 3500


def test_a_failing_car_retires_in_the_pits() -> None:
    field = field_of(1, 5)
    accident(field, "", 0)
    broken = next(car for car in field.cars if car.incidents)
    broken.incidents = [Incident(1.4, "garage")]
    for _ in steps(field):
        pass
    assert broken.state == RETIRED and broken.broken
    assert not any(event.type in ("yellow", "vsc", "safety_car") for event in field.events)


def test_a_puncture_brings_the_car_in() -> None:
    field = field_of(1, 6)
    accident(field, "", 0)
    flat = next(car for car in field.cars if car.incidents)
    flat.incidents, flat.incident_at = [Incident(0.4, "puncture")], 0.4
    for _ in steps(field):
        pass
    assert flat.stints[1][1] == 2
    assert flat.state == FINISHED
