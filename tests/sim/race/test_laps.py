"""What a race day adds to the pace: form apart from qualifying, sets of tyres, crowded first corners, spare pace."""

import pytest

from races.sim import RaceSettings
from races.sim.race.field import Field
from races.sim.race.laps import MOST_SPARED_S, SAFE_S, SPARES_FROM_LAP, begin_lap
from races.sim.race.start import line_up
from races.sim.race.strategy import Plan


def lined_up(seed: int = 1) -> Field:
    return line_up(RaceSettings("spielberg", 71, 12, seed, incidents=False))


def with_a_lead_of(seconds: float, lap: int = 20) -> Field:
    """Everybody in grid order with that gap between the first two, half a second between the others."""
    field = lined_up()
    for n, i in enumerate(field.order):
        gap = 0.0 if n == 0 else seconds + 0.5 * (n - 1)
        field.progress[i] = lap - gap / field.track.lap_s
        car = field.cars[i]
        car.done, car.lap, car.plan = lap, lap, Plan(0.0, ())
    return field


def spared(field: Field) -> float:
    """Seconds that the leader's next lap is slower than with no lead, by the same draw of chance."""
    leader = field.cars[field.order[0]]
    state, leader.mood_s = leader.random.getstate(), 0.0
    begin_lap(field, leader)
    slow, leader.lap, leader.mood_s = leader.pace_s, SPARES_FROM_LAP - 2, 0.0
    leader.random.setstate(state)
    begin_lap(field, leader)
    return slow - leader.pace_s


def test_a_hunted_leader_spares_nothing() -> None:
    assert spared(with_a_lead_of(SAFE_S - 0.5)) == 0.0


def test_a_leader_spares_by_his_lead() -> None:
    found = [spared(with_a_lead_of(lead)) for lead in (10.0, 12.0, 30.0, 60.0)]
    assert 0.0 < found[0] < found[1] < found[2] == found[3]
    field = with_a_lead_of(60.0)
    assert found[3] == pytest.approx(MOST_SPARED_S * field.scale)


def test_a_leader_who_owes_a_stop_spares_nothing() -> None:
    field = with_a_lead_of(12.0)
    field.cars[field.order[0]].plan = Plan(0.0, ((40, 1),))
    assert spared(field) == 0.0


def test_nobody_but_the_leader_spares() -> None:
    field = with_a_lead_of(1.0)
    second = field.order[1]
    field.progress[field.order[0]] += 1.0
    state, field.cars[second].mood_s = field.cars[second].random.getstate(), 0.0
    begin_lap(field, field.cars[second])
    pace = field.cars[second].pace_s
    field.cars[second].lap, field.cars[second].mood_s = 1, 0.0
    field.cars[second].random.setstate(state)
    begin_lap(field, field.cars[second])
    assert field.cars[second].pace_s == pace
