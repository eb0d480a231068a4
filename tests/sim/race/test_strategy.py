"""Tyres and the teams' own calculation."""

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.sim.race.strategy import View, before_the_race, rest_of_race, stopping_now
from races.sim.race.tyres import COLD_S, COMPOUNDS, TyreModel

COMPOUND = st.integers(0, 2)
EVEN = (0.0, 0.0, 0.0)


def view(rate: float = 1.0, stop_s: float = 22.0) -> View:
    return View((TyreModel(rate, 1.0),) * 3, stop_s, two_compounds=True)


def used(*compounds: int) -> int:
    mask = 0
    for compound in compounds:
        mask |= 1 << compound
    return mask


@given(COMPOUND, st.integers(1, 60), st.floats(0.0, 20.0), st.floats(0.5, 5.0))
def test_a_stint_costs_the_sum_of_its_laps(compound: int, laps: int, age: float, rate: float) -> None:
    model = TyreModel(rate, 1.0)
    exact = sum(model.loss(compound, age + n * rate) for n in range(laps))
    # The cliff's part is summed as if it began on a whole lap.
    assert model.stint(compound, laps, age) == pytest.approx(exact, rel=0.12, abs=0.3)


@given(COMPOUND, st.floats(0.0, 60.0))
def test_older_tyres_are_slower(compound: int, age: float) -> None:
    model = TyreModel(1.0, 1.0)
    assert model.loss(compound, age + 1.0) > model.loss(compound, age)


def test_softer_tyres_are_faster_at_first() -> None:
    model = TyreModel(1.0, 1.0)
    fresh = [model.loss(compound, 0.0) for compound in range(3)]
    old = [model.loss(compound, 30.0) for compound in range(3)]
    assert fresh == sorted(fresh) and old == sorted(old, reverse=True)


@given(st.integers(5, 70), st.floats(0.6, 8.0), st.floats(12.0, 30.0))
def test_every_plan_uses_two_compounds(laps: int, rate: float, stop_s: float) -> None:
    first, plan = before_the_race(view(rate, stop_s), laps, EVEN, Random(1))
    assert len({first, *(compound for _, compound in plan.stops)}) >= 2
    ends = [lap for lap, _ in plan.stops]
    assert ends == sorted(set(ends)) and all(0 < lap < laps for lap in ends)


def test_more_wear_needs_more_stops() -> None:
    stops = [len(before_the_race(view(rate), 57, EVEN, Random(1))[1].stops) for rate in (0.7, 1.5, 3.0)]
    assert stops == sorted(stops) and stops[0] < stops[-1]


def test_a_dear_pit_lane_means_fewer_stops() -> None:
    cheap = before_the_race(view(1.6, 12.0), 57, EVEN, Random(1))[1]
    dear = before_the_race(view(1.6, 40.0), 57, EVEN, Random(1))[1]
    assert len(cheap.stops) > len(dear.stops)


def test_the_plan_is_the_best_one_stop() -> None:
    """Held against every lap and compound that a single stop could have."""
    model, laps = view(1.2), 20
    best = min(
        model.tyres[a].stint(a, lap) + model.tyres[b].stint(b, laps - lap) + model.stop_s + COLD_S
        for a, b in product(range(len(COMPOUNDS)), repeat=2)
        for lap in range(1, laps)
        if a != b
    )
    _, plan = before_the_race(model, laps, EVEN, Random(1))
    assert len(plan.stops) == 1
    assert plan.cost_s == pytest.approx(best, abs=0.5)


def test_a_cheap_stop_that_is_due_is_taken() -> None:
    stay = rest_of_race(view(), 30, compound=1, age=20.0, used=used(1))
    _, now = stopping_now(view(), 30, used(1), stop_s=11.0)
    assert now.cost_s < stay.cost_s


def test_fresh_tyres_are_no_reason_to_stop() -> None:
    stay = rest_of_race(view(), 20, compound=2, age=3.0, used=used(1, 2))
    _, now = stopping_now(view(), 20, used(1, 2), stop_s=22.0)
    assert stay.stops == () and stay.cost_s < now.cost_s


def test_without_the_rule_nobody_stops() -> None:
    free = View((TyreModel(1.0, 1.0),) * 3, 22.0, two_compounds=False)
    assert before_the_race(free, 4, EVEN, Random(1))[1].stops == ()
