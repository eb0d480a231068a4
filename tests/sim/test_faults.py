from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from races.sim.faults import KINDS, SHORTEST_RACE_TICKS, schedule

CODES = [f"C{number:02d}" for number in range(22)]


def test_the_same_seed_plans_the_same_faults() -> None:
    assert schedule(7, CODES, 40, 490) == schedule(7, CODES[::-1], 40, 490)
    assert schedule(7, CODES, 40, 490) != schedule(8, CODES, 40, 490)


@given(st.integers(0, 10**9), st.integers(0, 60), st.integers(SHORTEST_RACE_TICKS, 30_000))
def test_three_to_six_cars_have_one_fault(seed: int, first: int, span: int) -> None:
    faults = schedule(seed, CODES, first, first + span)
    cars = [fault.driver_code for fault in faults]
    assert 3 <= len(cars) <= 6
    assert len(set(cars)) == len(cars)
    for fault in faults:
        assert first + span // 10 <= fault.start_tick <= fault.end_tick <= first + span
        assert fault.size_c == 0 if fault.kind == "stuck_sensor" else 6 <= abs(fault.size_c) <= 15


def test_a_very_short_race_has_no_faults() -> None:
    assert schedule(1, CODES, 40, 40 + SHORTEST_RACE_TICKS - 1) == ()
    assert schedule(1, [], 40, 490) == ()


def test_every_kind_is_as_frequent() -> None:
    kinds = Counter(fault.kind for seed in range(200) for fault in schedule(seed, CODES, 40, 490))
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) > 0.7 * max(kinds.values())


def test_a_leak_lasts_and_a_spike_is_short() -> None:
    for seed in range(50):
        for fault in schedule(seed, CODES, 40, 490):
            if fault.kind == "leak":
                assert fault.end_tick == 490
            if fault.kind == "spike":
                assert fault.end_tick - fault.start_tick < 6
