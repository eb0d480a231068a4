"""The ticks of one worker's races keep away from each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from races.sim import TICK_S
from races.worker.tick_scheduler import stagger_delay_s

INSTANTS = st.floats(0, 1e6)


def _distance(one: float, other: float) -> float:
    apart = abs(one - other) % TICK_S
    return min(apart, TICK_S - apart)


@given(st.lists(INSTANTS, max_size=60))
def test_fair_share_between_races(starts: list[float]) -> None:
    dues: list[float] = []
    for now in starts:
        wait = stagger_delay_s(dues, now)
        assert 0 <= wait < TICK_S
        due = now + wait
        assert all(_distance(due, other) > TICK_S / len(dues) / 2 - 1e-6 for other in dues)
        dues.append(due)


def test_the_first_race_waits_for_nobody() -> None:
    assert stagger_delay_s([], 17.3) == 0.0
