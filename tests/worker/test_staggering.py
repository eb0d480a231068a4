"""The ticks of one worker's races keep away from each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from races.worker.running_race import TICK_S
from races.worker.staggering import until_own_turn

INSTANTS = st.floats(0, 1e6)


def _distance(one: float, other: float) -> float:
    apart = abs(one - other) % TICK_S
    return min(apart, TICK_S - apart)


@given(st.lists(INSTANTS, max_size=60))
def test_each_race_keeps_at_least_half_a_fair_share_from_those_before_it(starts: list[float]) -> None:
    dues: list[float] = []
    for now in starts:
        wait = until_own_turn(dues, now)
        assert 0 <= wait < TICK_S
        due = now + wait
        assert all(_distance(due, other) > TICK_S / len(dues) / 2 - 1e-6 for other in dues)
        dues.append(due)


def test_the_first_race_waits_for_nobody() -> None:
    assert until_own_turn([], 17.3) == 0.0
