"""What a race day adds to the pace: form apart from qualifying, sets of tyres, crowded first corners, spare pace."""

from statistics import mean, stdev

import pytest

from races.sim import RaceSettings, load_season
from races.sim.race.field import Field
from races.sim.race.laps import MOST_SPARED_S, SAFE_S, SPARES_FROM_LAP, begin_lap
from races.sim.race.passing import _chance
from races.sim.race.start import JOSTLE_S, line_up
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
    state = leader.random.getstate()
    begin_lap(field, leader)
    slow, leader.lap = leader.pace_s, SPARES_FROM_LAP - 2
    leader.random.setstate(state)
    begin_lap(field, leader)
    return slow - leader.pace_s


def test_a_leader_who_is_hunted_drives_as_fast_as_he_can() -> None:
    assert spared(with_a_lead_of(SAFE_S - 0.5)) == 0.0


def test_a_leader_spares_more_the_further_he_is_ahead_up_to_a_limit() -> None:
    found = [spared(with_a_lead_of(lead)) for lead in (8.0, 12.0, 30.0, 60.0)]
    assert 0.0 < found[0] < found[1] < found[2] == found[3]
    field = with_a_lead_of(60.0)
    assert found[3] == pytest.approx(MOST_SPARED_S * field.scale)


def test_a_leader_who_has_to_stop_once_more_than_the_next_spares_nothing() -> None:
    field = with_a_lead_of(12.0)
    field.cars[field.order[0]].plan = Plan(0.0, ((40, 1),))
    assert spared(field) == 0.0


def test_nobody_but_the_leader_spares() -> None:
    field = with_a_lead_of(1.0)
    second = field.order[1]
    field.progress[field.order[0]] += 1.0
    state = field.cars[second].random.getstate()
    begin_lap(field, field.cars[second])
    pace = field.cars[second].pace_s
    field.cars[second].lap = 1
    field.cars[second].random.setstate(state)
    begin_lap(field, field.cars[second])
    assert field.cars[second].pace_s == pace


def test_pole_has_the_first_corners_to_itself_and_the_pack_loses_time_there() -> None:
    fields = [lined_up(seed) for seed in range(12)]
    lost = {place: mean(f.cars[f.order[place]].owes_s for f in fields) for place in range(22)}
    assert lost[0] == 0.0 < lost[1]
    assert mean(lost[place] for place in range(8, 22)) == pytest.approx(JOSTLE_S, rel=0.25)


def test_passing_is_easier_on_the_first_laps() -> None:
    field = lined_up()
    front, rear = field.cars[field.order[4]], field.cars[field.order[5]]
    rear.pace_s = front.pace_s
    chances = []
    for lap in range(6):
        rear.done = lap
        chances.append(_chance(field, rear, front))
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 2 * chances[5] and chances[4] == chances[5]


def test_a_day_moves_slow_cars_more_than_the_fastest() -> None:
    swings = [team.swing for team in sorted(load_season().teams, key=lambda team: team.pace_s)]
    assert swings == sorted(swings) and swings[-1] <= 1.0 < 4 * swings[0]


def test_every_set_of_tyres_works_a_little_differently() -> None:
    car = lined_up().cars[0]
    found = []
    for _ in range(400):
        car.fit(1)
        found.append(car.set_s)
    assert abs(mean(found)) < 0.03
    assert stdev(found) == pytest.approx(0.18 * car.team.swing, rel=0.15)
